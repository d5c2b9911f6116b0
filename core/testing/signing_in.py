"""Test browsers that are signed in, and what they cost in statements."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.engine import Engine

from core.app import CRM
from core.db import db
from core.users.services import find_user
from core.users.sessions import open_session


def browser_of(app: CRM, email: str) -> FlaskClient:
    """Give a browser in which the account with this address is signed in."""
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


@contextmanager
def counting(app: CRM) -> Iterator[Counter]:
    """Count the statements that `app` sends inside a `with` block."""
    counter = Counter()
    engine: Engine = app.extensions["rapport_engine"]
    sa.event.listen(engine, "before_cursor_execute", counter.listen)
    try:
        yield counter
    finally:
        sa.event.remove(engine, "before_cursor_execute", counter.listen)
