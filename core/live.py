"""Live updates: server-sent events that say *what* changed, never its content.

One watcher per process notices new events and wakes the streams; each stream asks the
database, as its user, which of them it may name. Browsers then fetch the fragment
through the door. Protocol: Server-Sent Events (WHATWG HTML, section 9.2).
"""

import json
import logging
import re
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy.engine import Engine

from core.cursors import MOST, events_after, latest_cursor
from core.db import db
from core.errors import BadRequest, TooMany
from core.event_visibility import learned
from core.events import CHANNEL, Event
from core.i18n import _
from core.live_readers import KNOWN_FOR, Readers
from core.permissions import me, signed_in
from core.users.models import User
from core.users.sessions import SignedIn

log = logging.getLogger("rapport.live")

# Seconds between looks at SQLite's change counter, and between signs of life.
LOOK_EVERY, ALIVE_EVERY, SIGNED_IN_EVERY = 0.2, 15.0, 30.0
# Streams of one process that read at a time; the others wait for their turn.
LOOK_AT_ONCE = 4

_CURSOR = re.compile(r"[0-9]{1,18}\.[0-9]{1,18}")

# The oldest transaction under way, and whether an event waits for it to end.
_EDGE = """
    SELECT edge, EXISTS (SELECT FROM event WHERE xid >= edge) FROM (
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS edge
    ) AS snapshot
"""


class Watcher:
    """Notices commits of any process and wakes who waits; one thread per process."""

    def __init__(self, engine: Engine):
        """Watch the database of `engine`; the thread starts when somebody waits."""
        self.engine = engine
        self.changed = threading.Condition()
        self.turn = 0
        # Up to where everything could be read at that turn.
        self.edge: str | None = None
        # The secret of the sign-in of each stream, by its place.
        self.streams: dict[object, str] = {}
        self._readers = Readers()
        # A change wakes all streams at once, and each looks with a connection.
        self.looking = threading.Semaphore(LOOK_AT_ONCE)
        self._stopped = threading.Event()
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

    def stop(self) -> None:
        """End the thread soon; for applications that are thrown away."""
        self._stopped.set()

    def enter(self, most: int, secret: str) -> object | None:
        """Take one of `most` places for streams; None when all are taken."""
        with self.changed:
            if len(self.streams) >= most:
                return None
            place = object()
            self.streams[place] = secret
            return place

    def leave(self, place: object) -> None:
        """Give a place back; doing it twice is harmless."""
        with self.changed:
            self.streams.pop(place, None)

    def who(
        self, app: Flask, secret: str, known_for: float = KNOWN_FOR
    ) -> SignedIn | None:
        """Say who is signed in with `secret`, or was at most `known_for` seconds ago.

        After a change it is never who was signed in before it.
        """
        with self.changed:
            turn, streams = self.turn, frozenset(self.streams.values())
        return self._readers.who(app, secret, turn, streams, known_for)

    def wait(self, turn: int, seconds: float) -> int:
        """Wait until something was committed after `turn`; give the turn reached."""
        with self.changed:
            self.changed.wait_for(lambda: self.turn != turn, seconds)
            return self.turn

    def _wake(self, edge: str) -> None:
        with self.changed:
            self.turn += 1
            self.edge = edge
            self.changed.notify_all()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            try:
                with self.engine.connect() as connection:
                    raw: Any = connection.connection.driver_connection
                    try:
                        if self.engine.dialect.name == "postgresql":
                            self._listen(raw)
                        else:
                            self._look(raw)
                    finally:
                        # It listens, or stands outside every transaction: not for
                        # anybody else.
                        connection.invalidate()
            except Exception as error:
                # The driver's own errors come here too, and whatever it was: without
                # this thread no page is live any more.
                if not self._stopped.is_set():
                    log.warning(
                        "live updates lost the database: %s", type(error).__name__
                    )
                    self._stopped.wait(2.0)

    def _listen(self, raw: Any) -> None:
        """Wake who waits when NOTIFY says that more events can be read."""
        raw.autocommit = True
        raw.execute(f"LISTEN {CHANNEL}")
        last, waits, told = None, False, True
        while not self._stopped.is_set():
            edge, held_back = raw.execute(_EDGE).fetchone()
            # Transactions without an event, such as a worker's sign of life, move the
            # edge too: that is news only to who waits for one to end.
            if told or (waits and edge != last):
                self._wake(f"{edge}.0")
            last, waits, told = edge, held_back, False
            if held_back:
                # An older transaction hides events that are committed. It ends
                # without a NOTIFY when it has nothing to tell.
                self._stopped.wait(LOOK_EVERY)
            else:
                told = bool(list(raw.notifies(timeout=ALIVE_EVERY, stop_after=1)))

    def _look(self, raw: Any) -> None:
        """Compare SQLite's counter of other connections' commits, again and again."""
        version = last = None
        while not self._stopped.wait(LOOK_EVERY if version is not None else 0):
            [(seen,)] = raw.execute("PRAGMA data_version").fetchall()
            if seen == version:
                continue
            version = seen
            # A sign of life or of presence is no news: hundreds of streams would ask.
            [(seen,)] = raw.execute("SELECT max(id) FROM event").fetchall()
            if seen != last:
                last = seen
                self._wake(f"0.{seen or 0}")


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
    place = watcher.enter(app.config["LIVE_STREAMS"], me().get_id() or "")
    if place is None:
        said = _("Too many live pages are open. This page asks again by itself.")
        raise TooMany(said, retry_after=60)
    watcher.start()
    response = Response(
        _messages(app, watcher, me().get_id() or "", cursor),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    # Not in the generator: one that nobody begins to read never ends either.
    response.call_on_close(lambda: watcher.leave(place))
    return response


def check_cursor(cursor: str) -> None:
    """Refuse a cursor that is not ours; raises `BadRequest`."""
    if not _CURSOR.fullmatch(cursor):
        raise BadRequest(_("This cursor is not of this list. Start again."))


def _messages(app: Flask, watcher: Watcher, secret: str, cursor: str) -> Iterator[str]:
    """Write the stream; no database session is held while it waits.

    It ends when the sign-in with `secret` does.
    """
    yield f"retry: 2000\nid: {cursor}\nevent: hello\ndata: {{}}\n\n"
    turn, spoke, looked = -1, monotonic(), 0.0
    while True:
        before = turn
        turn = watcher.wait(turn, max(spoke + ALIVE_EVERY - monotonic(), 0))
        # Where nothing was committed there is nothing to read.
        full = turn != before
        if not full and monotonic() - looked >= SIGNED_IN_EVERY:
            # But a sign-in ends also by the clock alone. Who asks first asks for all.
            if watcher.who(app, secret, SIGNED_IN_EVERY / 2) is None:
                return
            looked = monotonic()
        while full:
            with watcher.looking:
                signed_in = watcher.who(app, secret)
                if signed_in is None:
                    return
                news = _news(app, signed_in, cursor, watcher.edge)
            (messages, cursor, full), looked = news, monotonic()
            yield from messages
            spoke = monotonic() if messages else spoke
        if monotonic() - spoke >= ALIVE_EVERY:
            # Only by writing is it noticed that the browser has gone.
            yield ": still here\n\n"
            spoke = monotonic()


def _news(
    app: Flask, signed_in: SignedIn, cursor: str, edge: str | None = None
) -> tuple[list[str], str, bool]:
    """Write what somebody learns, where to go on, and whether there is more."""
    with app.app_context():
        with db.read_only():
            user = signed_in.remember()
            events, cursor = events_after(cursor, learned(user).scalars, edge=edge)
            messages = [_message(one, user) for one in events]
        return messages, cursor, len(events) == MOST


def _message(event: Event, user: User) -> str:
    cursor = f"{event.xid}.{event.id}"
    data = describe_event(event, user) | {"cursor": cursor}
    return f"id: {cursor}\nevent: change\ndata: {json.dumps(data)}\n\n"


def describe_event(event: Event, user: User) -> dict[str, object]:
    """Say what changed and whose page it concerns, and nothing of its content.

    To people outside every page is that of their own organisation: which other
    contact an entry was written on is not their business.
    """
    contact = event.contact_id
    if user.kind != "staff" and contact not in {user.contact_id, user.person_id}:
        contact = user.contact_id or user.person_id
    return {"type": event.type, "ref": event.subject, "contact": contact}
