"""Applications for tests: built once, used by many, and never mixed up."""

import gc
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.engine import Engine

from core.app import CRM, create_app
from core.config import load_config
from core.db import make_engine
from core.files import init_files
from core.live import Watcher
from core.plugin_manager import answers


class _Compiled(BytecodeCache):
    """Templates compiled once for all applications of a test run."""

    def __init__(self) -> None:
        """Start with none."""
        self.codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled before."""
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled now."""
        self.codes[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


@dataclass
class _Kept:
    """An application as it was when it was built, and what tests may not change."""

    app: CRM
    config: dict[str, Any]
    extensions: dict[str, Any]
    shape: tuple[int, ...]


# By what they are built of; None is the plain one. Tests come file by file, so the
# others are of the last few files.
_kept: dict[Hashable, _Kept] = {}
_MOST_KEPT = 4
_engines: dict[str, Engine] = {}
# Statements that pages put together, by kind of database.
_built: dict[tuple[str, str], dict[Any, Any]] = {}


def _shape(app: CRM) -> tuple[int, ...]:
    hooks = (app.before_request_funcs, app.after_request_funcs)
    counts = [len(found) for one in hooks for found in one.values()]
    return (len(app.view_functions), len(app.jinja_env.globals), *counts)


def _build(
    folder: Path, settings: dict[str, Any], plugins: tuple[tuple[str, Any], ...]
) -> _Kept:
    app = create_app(settings, instance=folder, extra_plugins=plugins)
    app.jinja_env.bytecode_cache = COMPILED
    app.extensions["rapport_engine"].dispose()
    # It stays to the end of the run: no collection needs to look at it again.
    gc.collect()
    gc.freeze()
    return _Kept(app, dict(app.config), dict(app.extensions), _shape(app))


def share_statements(engine: Engine) -> Engine:
    """Let an engine use what the earlier ones of its kind made of each statement.

    Half of what a page of a test takes is to compile statements that an engine on
    another copy of the same database compiled before.
    """
    kept = _engines.get(engine.dialect.name)
    if kept is None:
        # Connecting is what a dialect learns from of the server.
        with engine.connect():
            _engines[engine.dialect.name] = kept = engine
    engine.dialect = kept.dialect
    engine._compiled_cache = kept._compiled_cache
    return engine


@contextmanager
def used_again(
    folder: Path,
    settings: dict[str, Any],
    *,
    plugins: tuple[tuple[str, Any], ...] = (),
    made_of: Hashable = None,
) -> Iterator[CRM]:
    """Lend an application of this process, on the database of this test.

    Building one takes longer than most tests do. Its configuration, extensions and
    connections are those of a new one; a test that adds a route or a filter gets it
    to itself, and the next one is built anew. `made_of` names what its plugins and
    settings are made by: what is made by the same is the same.
    """
    if made_of not in _kept:
        if len(_kept) == _MOST_KEPT:
            del _kept[next(one for one in _kept if one is not None)]
        _kept[made_of] = _build(folder, settings, plugins)
    kept = _kept[made_of]
    app = kept.app
    app.config.clear()
    app.config.update(kept.config | load_config(folder) | settings)
    app.config["TRUSTED_HOSTS"] = app.config["TRUSTED_HOSTS"] or None
    app.extensions.clear()
    app.extensions.update(kept.extensions)
    engine = share_statements(make_engine(app.config["DATABASE_URL"]))
    app.extensions["rapport_engine"] = engine
    for name in ("rapport_statements", "rapport_together"):
        app.extensions[name] = _built.setdefault((engine.dialect.name, name), {})
    app.extensions["rapport_watcher"] = Watcher(app.extensions["rapport_engine"])
    app.extensions["rapport_limiter"].reset()
    init_files(app)
    for _name, _answer in answers(app, "init_app", app=app):
        continue
    try:
        yield app
    finally:
        app.extensions["rapport_watcher"].stop()
        app.extensions["rapport_engine"].dispose()
        if _shape(app) != kept.shape:
            del _kept[made_of]
