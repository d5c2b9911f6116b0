"""Pytest fixtures: the demo company, made once and copied for every test.

They come with `core.testing.fixtures`.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from core import migrate
from core.app import CRM, create_app
from core.db import db
from core.testing.applications import used_again
from core.testing.signing_in import browser_of, counting
from core.users.models import Role, User
from core.worker import deliver_due


def _demo_settings(folder: Path, word_lists: str) -> dict[str, Any]:
    return {
        "TESTING": True,
        "SECRET_KEY": "test",
        "DATABASE_URL": f"sqlite:///{folder}/rapport.db",
        "RATE_LIMIT": "100000 per minute",
        "SEARCH_LEMMAS": word_lists,
    }


@pytest.fixture(scope="session")
def demo_template(
    sqlite_template: Path,
    word_lists: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Path:
    """A folder with the demo company, on SQLite, that tests copy.

    Of several test processes one makes it and the others wait for it. A process that a
    test starts names in RAPPORT_DEMO_TEMPLATE the folder that was made already, and
    only adds the tables of its own plugins.
    """
    ready = os.environ.get("RAPPORT_DEMO_TEMPLATE")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    folder = shared / f"demo-{'of-plugin' if ready else 'template'}"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            begun = tmp_path_factory.mktemp("demo")
            _make_demo(begun, word_lists, Path(ready) if ready else sqlite_template)
            begun.rename(folder)
    return folder


def _make_demo(folder: Path, word_lists: str, origin: Path) -> None:
    from core.demo import load_demo_company

    if origin.is_dir():
        shutil.copytree(origin, folder, dirs_exist_ok=True)
    else:
        shutil.copy(origin, folder / "rapport.db")
    made = create_app(_demo_settings(folder, word_lists), instance=folder)
    if origin.is_dir():
        migrate.upgrade(made)
    else:
        load_demo_company(made, reset=False, data=None, url="")
    while deliver_due(made):
        continue
    with made.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.extensions["rapport_engine"].dispose()


@pytest.fixture
def demo_app(demo_template: Path, tmp_path: Path, word_lists: str) -> Iterator[CRM]:
    """The application with the demo company in it, its context pushed."""
    folder = tmp_path / "demo"
    shutil.copytree(demo_template, folder)
    lent = used_again(folder, _demo_settings(folder, word_lists))
    with lent as made, made.app_context():
        yield made


@pytest.fixture
def sign_in_demo(demo_app: CRM) -> Callable[[str], tuple[FlaskClient, Any]]:
    """Sign somebody of the demo company in, by role; also give a query counter."""

    def sign_in(role: str) -> tuple[FlaskClient, Any]:
        user = db.session.scalars(
            sa.select(User).where(User.roles.any(Role.name == role)).limit(1)
        ).one()
        browser = browser_of(demo_app, user.email)
        return browser, lambda: counting(demo_app)

    return sign_in
