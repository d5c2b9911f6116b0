"""What the benchmark serves: Rapport as it is, and the floor it is compared with.

Both run under the same server and tell the same about each answer: the statements sent
to the database (`X-Bench-Sql`) and the CPU time of its thread (`X-Bench-Cpu`, ms).
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, render_template_string
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.app import create_app
from core.db import make_engine

_here = threading.local()


class _Telling:
    """A WSGI application that says what each of its answers cost."""

    def __init__(self, app: Callable[..., Iterable[bytes]], engine: Engine):
        self.app = app
        sa.event.listen(engine, "before_cursor_execute", _count)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        _here.sql, began = 0, time.thread_time()

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            spent = 1000 * (time.thread_time() - began)
            cost = [("X-Bench-Sql", str(_here.sql)), ("X-Bench-Cpu", f"{spent:.3f}")]
            return start_response(status, headers + cost, *more)

        return self.app(environ, start)


def _count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
    if not statement.startswith("BEGIN"):
        _here.sql = getattr(_here, "sql", 0) + 1


def rapport() -> Any:
    """Give Gunicorn the application, as `core.wsgi` does."""
    app = create_app()
    return _Telling(app, app.extensions["rapport_engine"])


class _Base(DeclarativeBase):
    """The floor's one table."""


class _Team(_Base):
    """A row to read: small, by its key."""

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]


# About 2 kB of HTML, with a loop, a condition and escaping, as pages have them.
_PAGE = """<!doctype html>
<html lang="en"><head><title>{{ row.name }}</title></head><body>
<h1>{{ row.name }}</h1><p>{% if row.version %}Version {{ row.version }}{% endif %}</p>
<ul>{% for n in range(24) %}<li><a href="/teams/{{ row.id }}/{{ n }}">{{ row.name }}
number {{ n }}</a> <span class="meta">{{ word }}</span></li>{% endfor %}</ul>
</body></html>
"""


def floor() -> Any:
    """Give Gunicorn a bare Flask view: one row by key, one page of 2 kB."""
    app = Flask("floor")
    engine = make_engine(os.environ["RAPPORT_DATABASE_URL"])

    @app.get("/")
    def page() -> str:
        g.session = Session(engine)
        row = g.session.get_one(_Team, 1)
        return render_template_string(_PAGE, row=row, word="<ready>")

    @app.teardown_request
    def close(_error: BaseException | None) -> None:
        g.session.close()

    return _Telling(app, engine)
