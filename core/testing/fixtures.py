"""Pytest fixtures: a fresh application on a real database for every test.

A plugin's own tests load them with `pytest_plugins = ["core.testing.fixtures"]`.
"""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.engine import Engine

from core import migrate
from core.app import CRM, create_app
from core.db import db
from core.importing.tasks import do_waiting
from core.testing.applications import COMPILED, used_again
from core.testing.postgres import PostgresMissing, PostgresServer
from core.testing.postgres import server as postgres_server
from core.testing.server import LiveServer, free_port, live_server
from core.users.defaults import ensure_default_roles
from core.users.models import Role, User
from core.users.services import find_user
from core.users.sessions import create_token, open_session
from core.worker import deliver_due

AppMaker = Callable[..., CRM]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the PostgreSQL half of what is large to `make soak`."""
    for item in items:
        large = item.get_closest_marker("soak_on_postgresql") is not None
        if large and "postgresql" in item.name:
            item.add_marker(pytest.mark.soak)


class Counter:
    """How many statements were sent to the database, and which."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.statements: list[str] = []

    @property
    def count(self) -> int:
        """The number so far."""
        return len(self.statements)

    def listen(
        self, _c: object, _cursor: object, statement: str, *_rest: object
    ) -> None:
        """Note a statement; the beginning of a transaction is none."""
        if not statement.startswith("BEGIN"):
            self.statements.append(statement)


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium, started once for all tests of a process."""
    from playwright.sync_api import sync_playwright

    from core.testing.chromium import ChromiumMissing, launch_options

    try:
        options = launch_options()
    except ChromiumMissing as missing:
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**options)
        yield launched
        launched.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """A headless Chromium; `browser.new_context()` gives somebody's own."""
    yield chromium
    for context in chromium.contexts:
        context.close()


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
        browser = _browser(demo_app, user.email)
        return browser, lambda: _counting(demo_app)

    return sign_in


@pytest.fixture
def client(app: CRM) -> FlaskClient:
    """A browser nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def as_user(app: CRM) -> Callable[[User | str], FlaskClient]:
    """Give a browser in which somebody is signed in."""

    def sign_in(user: User | str) -> FlaskClient:
        return _browser(app, user if isinstance(user, str) else user.email)

    return sign_in


@pytest.fixture
def sign_in_to() -> Callable[[CRM, User], FlaskClient]:
    """Give a browser in which somebody is signed in to an application of one's own."""

    def sign_in(app: CRM, user: User) -> FlaskClient:
        with app.app_context():
            return _browser(app, user.email)

    return sign_in


def _browser(app: CRM, email: str) -> FlaskClient:
    with db.transaction():
        secret = open_session(find_user(email), days=1)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = secret
        cookie["_fresh"] = True
    return SignedIn.around(client)


class SignedIn(FlaskClient):
    """A test browser that sends the CSRF token, as the forms of our pages do."""

    @classmethod
    def around(cls, client: FlaskClient) -> "SignedIn":
        """Give `client` this class; its cookies stay."""
        client.__class__ = cls
        return client  # type: ignore[return-value]

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; one that changes something carries the token."""
        if kwargs.get("method", "GET") not in {"GET", "HEAD", "OPTIONS"}:
            headers = dict(kwargs.get("headers") or {})
            headers.setdefault("X-CSRFToken", self._token())
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def _token(self) -> str:
        """Make the token that belongs to this browser's cookie, as Flask-WTF does."""
        with self.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", secrets.token_hex(20))
        key = str(self.application.secret_key)
        return URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(raw)


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
    return lambda: _counting(app)


@contextmanager
def _counting(app: CRM) -> Iterator[Counter]:
    counter = Counter()
    engine: Engine = app.extensions["rapport_engine"]
    sa.event.listen(engine, "before_cursor_execute", counter.listen)
    try:
        yield counter
    finally:
        sa.event.remove(engine, "before_cursor_execute", counter.listen)
