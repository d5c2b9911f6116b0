"""Record types: how a record is titled, linked, shown and found; links between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.base import ExecutableOption

from core.columns import id_in
from core.db import Model, Record, db, now
from core.permissions import Permission

# A column that names a record as `contact/7`, and moves along when two are merged.
REFERENCE = {"merging": "reference"}


@dataclass(frozen=True)
class SearchDocument:
    """What the search index learns of a record; who may find it is not its business.

    `body` is plain text; `identifiers` are SKUs, numbers, e-mail addresses, phones;
    `tags` narrow a search of colleagues and are not found as words.
    """

    title: str
    body: str = ""
    identifiers: tuple[str, ...] = ()
    contact_id: int | None = None
    date: datetime | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class UndoFact:
    """How an announced fact is taken back, from what its event says.

    `stands(record, data)` says whether it still is so; `take_back(record, data, user)`
    ends that, or raises what the services raise.
    """

    title: object
    stands: Callable[[Any, dict[str, Any]], bool]
    take_back: Callable[[Any, dict[str, Any], Any], None]


@dataclass(frozen=True)
class Undo:
    """How changes of a record are taken back by whoever made them.

    `fields` are the columns that can be put back, by their titles on screen.
    `put_back(record, values, user)` writes former values through the services, which
    refuse what this user may not do. `facts` are event types beyond plain changes.
    `beside` are lists that `core.changes.tell_beside` told of, by their titles: they
    come to `put_back` as what left and what came, to be looked at there.
    """

    permission: Permission
    fields: Mapping[str, object]
    put_back: Callable[[Any, dict[str, Any], Any], None]
    facts: Mapping[str, UndoFact] = field(default_factory=dict)
    beside: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordType:
    """One declaration for search, timeline, links, history, palette, notifications.

    `url(record, user)` is the address this user opens it at, or None. Readers need
    `permission` besides being able to see the record. `unhappy(record)` says in words
    why a customer is unhappy with it, '' when nobody is. `loads` is what `document`
    needs loaded along when many records are read, as options of SQLAlchemy. On the
    page of a record that may be `alike` to others they are named: by its title and
    body, or by its body alone where the title says only of which kind it is.
    """

    model: type[Record]
    title: object
    icon: str
    permission: Permission
    label: Callable[[Any], str]
    url: Callable[[Any, Any], str | None]
    document: Callable[[Any], SearchDocument | None] | None = None
    undo: Undo | None = None
    unhappy: Callable[[Any], str] | None = None
    loads: tuple[ExecutableOption, ...] = ()
    alike: Literal["", "title", "body"] = ""

    @property
    def name(self) -> str:
        """The name in refs, events and `type:` filters: `documents.document`."""
        return self.model.record_name()

    @property
    def short(self) -> str:
        """The last word of the name, as the API's `type`: `document`."""
        return self.name.rpartition(".")[2]


class Link(Model):
    """Somebody linked two records: "this note is about that order"."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_ref: Mapped[str] = mapped_column(sa.String(100), info=REFERENCE)
    to_ref: Mapped[str] = mapped_column(sa.String(100), index=True, info=REFERENCE)
    kind: Mapped[str] = mapped_column(sa.String(40), default="about")
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (sa.UniqueConstraint("from_ref", "to_ref", "kind"),)


def record_types() -> dict[str, RecordType]:
    """Give the record types of the current application by name."""
    found: dict[str, RecordType] = current_app.extensions["rapport_records"]
    return found


def record_type_of(record: Record) -> RecordType | None:
    """Give the declaration of a record's type, if a plugin made one."""
    return record_types().get(record.record_name())


def parse_ref(ref: str) -> tuple[str, int] | None:
    """Take `documents.document/7` apart; None when it is not a reference."""
    name, slash, number = ref.rpartition("/")
    id_ = id_in(number) if slash else None
    return None if id_ is None else (name, id_)


def load_ref(ref: str) -> Record | None:
    """Load a record by reference, whoever may see it; for the worker's eyes only."""
    parsed = parse_ref(ref)
    if parsed is None or parsed[0] not in record_types():
        return None
    return db.session.get(record_types()[parsed[0]].model, parsed[1])
