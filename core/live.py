"""Live updates: server-sent events that say *what* changed, never its content.

One watcher per process notices new events and wakes the streams; each stream asks the
database, as its user, which of them it may name. Browsers then fetch the fragment
through the door. Protocol: Server-Sent Events (WHATWG HTML, section 9.2).
"""

import json
import logging
import threading
from collections.abc import Iterator

import sqlalchemy as sa
from flask import Flask, Response, current_app, request
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, joinedload

from core.db import db
from core.errors import BadRequest, TooMany
from core.events import CHANNEL, Event, events_after, latest_cursor
from core.i18n import _
from core.permissions import me, signed_in
from core.users.models import User
from core.visibility import visible_events

log = logging.getLogger("rapport.live")

# Seconds between looks at SQLite's change counter, and between signs of life.
LOOK_EVERY, ALIVE_EVERY = 0.2, 15.0
MOST_AT_ONCE = 200


class Watcher:
    """Notices commits of any process and wakes who waits; one thread per process."""

    def __init__(self, engine: Engine):
        """Watch the database of `engine`; the thread starts when somebody waits."""
        self.engine = engine
        self.changed = threading.Condition()
        self.turn = 0
        self.streams = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, once."""
        with self.changed:
            if self._thread is None or not self._thread.is_alive():
                name = "rapport-live"
                self._thread = threading.Thread(
                    target=self._watch, name=name, daemon=True
                )
                self._thread.start()

    def wait(self, turn: int, seconds: float) -> int:
        """Wait until something was committed after `turn`; give the turn reached."""
        with self.changed:
            self.changed.wait_for(lambda: self.turn != turn, seconds)
            return self.turn

    def _wake(self) -> None:
        with self.changed:
            self.turn += 1
            self.changed.notify_all()

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            try:
                if self.engine.dialect.name == "postgresql":
                    self._listen()
                else:
                    self._look(pause)
            except sa.exc.DBAPIError as error:
                log.warning("live updates lost the database: %s", error.orig)
                pause.wait(2.0)
            self._wake()

    def _listen(self) -> None:
        """Wait for NOTIFY; returns when the connection is lost."""
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            raw.autocommit = True  # type: ignore[union-attr]
            raw.execute(f"LISTEN {CHANNEL}")  # type: ignore[union-attr]
            try:
                while True:
                    for _note in raw.notifies(timeout=ALIVE_EVERY, stop_after=1):  # type: ignore[union-attr]
                        self._wake()
            finally:
                connection.invalidate()

    def _look(self, pause: threading.Event) -> None:
        """Compare SQLite's counter of other connections' commits, again and again."""
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            last = None
            while True:
                [(seen,)] = raw.execute("PRAGMA data_version").fetchall()  # type: ignore[union-attr]
                if seen != last:
                    last = seen
                    self._wake()
                pause.wait(LOOK_EVERY)


def init_live(app: Flask) -> None:
    """Open /live on `app`."""
    app.extensions["rapport_watcher"] = Watcher(app.extensions["rapport_engine"])
    app.add_url_rule("/live", "live.stream", signed_in(stream))


def stream() -> Response:
    """Tell one browser what changes, from its cursor on.

    Raises `TooMany` when this process holds as many streams as it may: the browser
    then polls /api/v1/events.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    watcher: Watcher = app.extensions["rapport_watcher"]
    cursor = request.headers.get("Last-Event-ID") or request.args.get("cursor")
    cursor = cursor or latest_cursor()
    check_cursor(cursor)
    if watcher.streams >= app.config["LIVE_STREAMS"]:
        said = _("Too many live pages are open. This page asks again by itself.")
        raise TooMany(said, retry_after=60)
    watcher.start()
    return Response(
        _messages(app, watcher, me().id, cursor),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def check_cursor(cursor: str) -> None:
    """Refuse a cursor that is not ours; raises `BadRequest`."""
    xid, dot, number = cursor.partition(".")
    if not (dot and xid.isdigit() and number.isdigit() and len(cursor) < 40):
        raise BadRequest(_("This cursor is not of this list. Start again."))


def _messages(app: Flask, watcher: Watcher, user_id: int, cursor: str) -> Iterator[str]:
    """Write the stream; no database session is held while it waits."""
    watcher.streams += 1
    try:
        yield f"retry: 2000\nid: {cursor}\nevent: hello\ndata: {{}}\n\n"
        turn = -1
        while True:
            reached = watcher.wait(turn, ALIVE_EVERY)
            if reached == turn:
                yield ": still here\n\n"
                continue
            turn = reached
            events: list[Event] | None = None
            while events is None or len(events) == MOST_AT_ONCE:
                found = _news(app, user_id, cursor)
                if found is None:
                    return
                events, cursor = found
                yield from map(_message, events)
    finally:
        watcher.streams -= 1


def _news(app: Flask, user_id: int, cursor: str) -> tuple[list[Event], str] | None:
    """Read what `user_id` may learn of since `cursor`; None when they may not look."""
    with app.app_context(), db.read_only():
        user = _load_user(db.session, user_id)
        if user is None:
            return None
        return events_after(cursor, visible_events(user), limit=MOST_AT_ONCE)


def _load_user(session: Session, user_id: int) -> User | None:
    query = (
        sa.select(User)
        .where(User.id == user_id, User.active)
        .options(joinedload(User.roles), joinedload(User.teams))
    )
    return session.scalars(query).unique().one_or_none()


def _message(event: Event) -> str:
    cursor = f"{event.xid}.{event.id}"
    data = describe_event(event) | {"cursor": cursor}
    return f"id: {cursor}\nevent: change\ndata: {json.dumps(data)}\n\n"


def describe_event(event: Event) -> dict[str, object]:
    """Say what changed and whose page it concerns, and nothing of its content."""
    return {"type": event.type, "ref": event.subject, "contact": event.contact_id}
