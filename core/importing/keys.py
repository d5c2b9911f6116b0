"""The keys of another system: found when asked, written at the end of a step."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.db import Record, db
from core.importing.marks import own_refs
from core.importing.models import ImportKey
from core.users.models import User

# Keys found in the database that are kept at hand; each is some hundred bytes.
KEPT = 20_000


class ComesEarlierHere(Exception):
    """A trial run would have made the record that this row refers to."""


class Keys:
    """What one source calls our records, as far as one run has asked."""

    def __init__(self, source: str, *, actor_id: int, trial: bool = False):
        """Know nothing yet; in a `trial` nothing that is remembered gets written.

        What this house itself gave away is known as far as the actor sees it.
        """
        self.source = source
        self.trial = trial
        self.actor_id = actor_id
        # Keys that no import brought in: they are this house's own.
        self._own: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], str | None] = {}
        self._fresh: dict[tuple[str, str], str] = {}
        # In a trial: what earlier rows would have made.
        self._promised: set[tuple[str, str]] = set()

    def look_up(self, kind: str, keys: Iterable[str]) -> None:
        """Find the references of a whole step with one statement."""
        wanted = [one for one in set(keys) if (kind, one) not in self._known]
        if not wanted:
            return
        if len(self._known) > KEPT:
            self._known.clear()
        rows = db.session.execute(
            sa.select(ImportKey.key, ImportKey.ref).where(
                ImportKey.source == self.source,
                ImportKey.kind == kind,
                ImportKey.key.in_(wanted),
            )
        )
        found = {row.key: row.ref for row in rows}
        own = self._given_away(set(wanted) - found.keys())
        self._own.update((kind, one) for one in own)
        found |= own
        self._known.update({(kind, one): found.get(one) for one in wanted})

    def record_id(self, kind: str, key: str, model: type[Record]) -> int | None:
        """Give the id of the record called `key`, if it is a `model`."""
        name = (kind, key)
        ref = self._fresh.get(name)
        if ref is None:
            self.look_up(kind, [key])
            ref = self._known[name]
        if ref is None:
            return None
        record_name, _slash, number = ref.rpartition("/")
        return int(number) if record_name == model.record_name() else None

    def _given_away(self, keys: Iterable[str]) -> dict[str, str]:
        return own_refs(keys, db.session.get_one(User, self.actor_id))

    def is_own(self, kind: str, key: str) -> bool:
        """Say whether `key` is this house's own word for its record."""
        return (kind, key) in self._own

    def refs_of(self, keys: Iterable[str]) -> dict[str, str]:
        """Give the references of records of whatever kind, by key."""
        wanted = set(keys)
        if not wanted:
            return {}
        rows = db.session.execute(
            sa.select(ImportKey.key, ImportKey.ref).where(
                ImportKey.source == self.source, ImportKey.key.in_(wanted)
            )
        )
        found = {row.key: row.ref for row in rows}
        found |= {key: ref for (_k, key), ref in self._fresh.items() if key in wanted}
        return self._given_away(wanted - found.keys()) | found

    def is_promised(self, kind: str, key: str) -> bool:
        """Say whether a trial would have made the record called `key`."""
        return (kind, key) in self._promised

    def expect(self, kind: str, key: str) -> None:
        """Let a trial's row pass that refers to a row which the trial took back.

        Raises `ComesEarlierHere`.
        """
        if (kind, key) in self._promised:
            raise ComesEarlierHere

    def remember(self, kind: str, key: str, ref: str) -> None:
        """Note what `key` means from now on."""
        # Our own word needs no note, and one would hide that it is ours.
        if not self.is_own(kind, key):
            self._fresh[kind, key] = ref

    def save(self) -> None:
        """Write what was noted since the last step."""
        if self._fresh and not self.trial:
            _upsert(
                [
                    {"source": self.source, "kind": kind, "key": key, "ref": ref}
                    for (kind, key), ref in self._fresh.items()
                    if self._known.get((kind, key)) != ref
                ]
            )
            self._known.update(self._fresh)
        self._promised.update(self._fresh if self.trial else ())
        self._fresh.clear()


def remember_key(source: str, kind: str, key: str, record: Record) -> None:
    """Note for good what `source` calls `record`."""
    _upsert([{"source": source, "kind": kind, "key": key, "ref": record.ref}])


def _upsert(rows: Sequence[dict[str, Any]]) -> None:
    # Two imports of one source may run at once: the later word counts.
    if not rows:
        return
    make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    statement = make(ImportKey)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "kind", "key"],
            set_={"ref": statement.excluded.ref},
        ),
        rows,
    )
