"""Who reads the open pages: asked once for all that a change wakes.

Two hundred statements of their own would keep the last page waiting.
"""

import threading
from dataclasses import dataclass
from time import monotonic

from flask import Flask

from core.db import db
from core.users.sessions import SignedIn, users_of_sessions

# Who was signed in a moment ago still is, in seconds.
KNOWN_FOR = 1.0


@dataclass(frozen=True)
class _Asked:
    """Who was signed in at a turn, by secret; at a moment of the monotonic clock."""

    turn: int
    at: float
    secrets: frozenset[str]
    found: dict[str, SignedIn]


class Readers:
    """The sign-ins of all streams of a process, as they were a moment ago."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._asked = _Asked(-1, 0.0, frozenset(), {})

    def who(
        self,
        app: Flask,
        secret: str,
        turn: int,
        streams: frozenset[str],
        known_for: float,
    ) -> SignedIn | None:
        """Say who is signed in with `secret`.

        At a new turn, and when the answer is older than `known_for` seconds, it is
        asked for all `streams`.
        """
        with self._asking:
            asked = self._asked
            if asked.turn < turn or monotonic() - asked.at > known_for:
                every = streams | {secret}
                asked = _Asked(turn, monotonic(), every, _ask(app, every))
            elif secret not in asked.secrets:
                # After a restart all pages come within a second: each asks for itself.
                alone = frozenset({secret})
                both = asked.found | _ask(app, alone)
                asked = _Asked(turn, asked.at, asked.secrets | alone, both)
            self._asked = asked
        return asked.found.get(secret)


def _ask(app: Flask, secrets: frozenset[str]) -> dict[str, SignedIn]:
    """Ask the database who is signed in, by secret; in a transaction of its own."""
    with app.app_context():
        with db.read_only():
            found = users_of_sessions(sorted(secrets))
        db.run_asides()
    return found
