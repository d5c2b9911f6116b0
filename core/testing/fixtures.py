"""Pytest fixtures: a fresh application on a real database for every test.

A plugin's own tests load them with `pytest_plugins = ["core.testing.fixtures"]`.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from core import migrate
from core.app import CRM, create_app
from core.db import db
from core.importing.tasks import do_waiting
from core.testing.applications import COMPILED, used_again
from core.testing.postgres import PostgresMissing, PostgresServer
from core.testing.postgres import server as postgres_server
from core.testing.server import LiveServer, free_port, live_server
from core.testing.signing_in import browser_of, counting
from core.users.defaults import ensure_default_roles
from core.users.models import User
from core.users.services import find_user
from core.users.sessions import create_token
from core.worker import deliver_due

pytest_plugins = ["core.testing.chromium", "core.testing.demo_house"]

AppMaker = Callable[..., CRM]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the PostgreSQL half of what is large to `make soak`."""
    for item in items:
        large = item.get_closest_marker("soak_on_postgresql") is not None
        if large and "postgresql" in item.name:
            item.add_marker(pytest.mark.soak)


def _fill(config: dict[str, Any], folder: Path) -> None:
    """Bring an empty database to the newest tables, with the default roles."""
    app = create_app(config, instance=folder)
    migrate.upgrade(app)
    with app.app_context():
        with db.transaction():
            ensure_default_roles()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    folder = tmp_path_factory.mktemp("template")
    path = folder / "rapport.db"
    # Named, or a database in the environment would be taken: somebody's own.
    url = f"sqlite:///{path}"
    _fill({"TESTING": True, "SECRET_KEY": "test", "DATABASE_URL": url}, folder)
    # A copy takes one file, so what is still in the write-ahead log goes in first.
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PostgresServer]:
    """A PostgreSQL server with a migrated template database."""
    folder = tmp_path_factory.mktemp("pg")
    try:
        with postgres_server() as running:
            running.prepare(
                lambda url: _fill(
                    {"TESTING": True, "SECRET_KEY": "test", "DATABASE_URL": url},
                    folder,
                )
            )
            yield running
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """The database this test runs on; every test runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A fresh, migrated database of its own."""
    if dialect == "sqlite":
        path = tmp_path / "rapport.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        running: PostgresServer = request.getfixturevalue("postgres")
        with running.database() as url:
            yield url


@pytest.fixture(scope="session")
def word_lists(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for the word lists of search, made once for all tests of a run."""
    # With several test processes, each has a folder in the one they share.
    return str(tmp_path_factory.getbasetemp().parent / "rapport-word-lists")


@pytest.fixture
def app_settings(database_url: str, word_lists: str) -> dict[str, Any]:
    """What every application of a test is configured with."""
    return {
        "TESTING": True,
        "SECRET_KEY": "test",
        "DATABASE_URL": database_url,
        "RATE_LIMIT": "100000 per minute",
        # What is shared is seen outside at once, but where a test is about waiting.
        "MAIL_PORTAL_HOLD_SECONDS": 0,
        "SEARCH_LEMMAS": word_lists,
    }


@pytest.fixture
def make_app(app_settings: dict[str, Any], tmp_path: Path) -> Iterator[AppMaker]:
    """Make applications on this test's database, each with its own configuration."""
    made: list[CRM] = []

    def make(extra_plugins: tuple[tuple[str, Any], ...] = (), **config: Any) -> CRM:
        app = create_app(
            app_settings | config, instance=tmp_path, extra_plugins=extra_plugins
        )
        app.jinja_env.bytecode_cache = COMPILED
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["rapport_watcher"].stop()
        app.extensions["rapport_engine"].dispose()


@pytest.fixture
def app_plugins() -> tuple[tuple[str, Any], ...]:
    """More plugins for `app`; a test module defines its own to have some."""
    return ()


@pytest.fixture
def app_config() -> dict[str, Any]:
    """More configuration for `app`; a test module defines its own to have some."""
    return {}


@pytest.fixture
def app(
    make_app: AppMaker,
    app_plugins: tuple[tuple[str, Any], ...],
    app_config: dict[str, Any],
    app_settings: dict[str, Any],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[CRM]:
    """The application with all installed plugins, its context pushed."""
    made_of = _made_of(request) if app_plugins or app_config else None
    if made_of == ():
        made = make_app(app_plugins, **app_config)
        with made.app_context():
            yield made
        return
    lent = used_again(
        tmp_path, app_settings | app_config, plugins=app_plugins, made_of=made_of
    )
    with lent as made, made.app_context():
        yield made


def _made_of(request: pytest.FixtureRequest) -> tuple[Any, ...]:
    """Name the fixtures that say what an application has; () when they ask others.

    What a fixture gives that asks for nothing of its test is the same each time.
    """
    found = [
        request._arg2fixturedefs[name][-1] for name in ("app_plugins", "app_config")
    ]
    asks = any(one.argnames or one.params for one in found)
    return () if asks else tuple(one.func for one in found)


@pytest.fixture
def server(
    app: CRM, database_url: str, tmp_path: Path, word_lists: str
) -> Iterator[LiveServer]:
    """A running `rapport run` with its worker, on the database of this test."""
    del app
    with live_server(tmp_path, database_url, word_lists=word_lists) as running:
        yield running


@pytest.fixture
def client(app: CRM) -> FlaskClient:
    """A browser nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def as_user(app: CRM) -> Callable[[User | str], FlaskClient]:
    """Give a browser in which somebody is signed in."""

    def sign_in(user: User | str) -> FlaskClient:
        return browser_of(app, user if isinstance(user, str) else user.email)

    return sign_in


@pytest.fixture
def sign_in_to() -> Callable[[CRM, User], FlaskClient]:
    """Give a browser in which somebody is signed in to an application of one's own."""

    def sign_in(app: CRM, user: User) -> FlaskClient:
        with app.app_context():
            return browser_of(app, user.email)

    return sign_in


@pytest.fixture
def api(app: CRM) -> Callable[..., FlaskClient]:
    """Give a program's client with a bearer token, by default with every scope."""

    def make(user: User | str, *scopes: str) -> FlaskClient:
        email = user if isinstance(user, str) else user.email
        with db.transaction():
            _token, secret = create_token(find_user(email), scopes=scopes or ("*",))
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client

    return make


@pytest.fixture
def deliver(app: CRM) -> Callable[[], int]:
    """Run the worker until nothing is due; give how many deliveries it made."""

    def run() -> int:
        total = 0
        while done := deliver_due(app) + do_waiting(app):
            total += done
        return total

    return run


@pytest.fixture
def mailbox(app: CRM) -> Iterator[Any]:
    """A real mail server that `app` sends to; `mailbox.messages` is what came in."""
    from core.testing.mail import Mailbox

    box = Mailbox(free_port())
    app.config.update(box.settings)
    box.start()
    yield box
    box.stop()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Hold the time in the hand: `clock.shift(3600)` moves it by an hour."""
    with time_machine.travel(time.time(), tick=True) as traveller:
        yield traveller


@pytest.fixture
def count_queries(app: CRM) -> Callable[[], Any]:
    """Count the statements inside a `with` block."""
    return lambda: counting(app)
