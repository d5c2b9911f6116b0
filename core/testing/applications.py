"""Applications for tests: built once, used by many, and never mixed up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache

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


_kept: list[_Kept] = []


def _shape(app: CRM) -> tuple[int, ...]:
    hooks = (app.before_request_funcs, app.after_request_funcs)
    counts = [len(found) for one in hooks for found in one.values()]
    return (len(app.view_functions), len(app.jinja_env.globals), *counts)


def _build(folder: Path, settings: dict[str, Any]) -> _Kept:
    app = create_app(settings, instance=folder)
    app.jinja_env.bytecode_cache = COMPILED
    app.extensions["rapport_engine"].dispose()
    return _Kept(app, dict(app.config), dict(app.extensions), _shape(app))


@contextmanager
def used_again(folder: Path, settings: dict[str, Any]) -> Iterator[CRM]:
    """Lend the one application of this process, on the database of this test.

    Building one takes longer than most tests do. Its configuration, extensions and
    connections are those of a new one; a test that adds a route or a filter gets it
    to itself, and the next one is built anew.
    """
    if not _kept:
        _kept.append(_build(folder, settings))
    kept = _kept[0]
    app = kept.app
    app.config.clear()
    app.config.update(kept.config | load_config(folder) | settings)
    app.config["TRUSTED_HOSTS"] = app.config["TRUSTED_HOSTS"] or None
    app.extensions.clear()
    app.extensions.update(kept.extensions)
    app.extensions["rapport_engine"] = make_engine(app.config["DATABASE_URL"])
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
            _kept.clear()
