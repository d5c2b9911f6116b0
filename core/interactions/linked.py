"""What an entry is linked to: the ticket, the order or the document it speaks of.

A link adds no reader: it is shown to whoever reads both the entry and the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from core.contacts.models import Contact
from core.db import Record, db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.pages import EntryPart
from core.permissions import can
from core.records import Link, RecordType, record_types
from core.references import seen_by
from core.users.models import User
from core.visibility import visible_conditions, visible_to

# Links of one entry.
MOST = 20
# Links to one record that are looked at for the few entries its page shows.
_LOOKED_AT = 200
_BEGINNING = f"{Interaction.record_name()}/"


@dataclass(frozen=True)
class Linked:
    """A record that an entry is linked to, as its reader knows it."""

    ref: str
    kind: object
    title: str
    icon: str
    url: str | None


def linkable(user: User) -> dict[str, RecordType]:
    """Give the types of records that `user` may link to; outside there are none."""
    if user.kind != "staff":
        return {}
    found = _types()
    return {name: kind for name, kind in found.items() if can(kind.permission, user)}


def _types() -> dict[str, RecordType]:
    # What the search finds, but for contacts: whom an entry is about is no mere link.
    return {
        name: kind
        for name, kind in record_types().items()
        if kind.document is not None and kind.model is not Contact
    }


def linked_records(refs: Iterable[str], user: User) -> list[Linked]:
    """Name those of the records `refs` that `user` sees, in this order."""
    types, named = linkable(user), []
    for ref, one in _seen(refs, user).items():
        kind = types[one.record_name()]
        title, url = kind.label(one), kind.url(one, user)
        named.append(Linked(ref, kind.title, title, kind.icon, url))
    return named


def _seen(refs: Iterable[str], user: User) -> dict[str, Record]:
    types = linkable(user)
    return seen_by(user, [one for one in refs if one.rpartition("/")[0] in types])


def links_of(entries: Sequence[Interaction], user: User) -> dict[int, list[str]]:
    """Name what `user` sees linked to each entry by references, in one statement."""
    ids = [one.id for one in entries]
    query = sa.select(Interaction.id, _rows(user)).where(Interaction.id.in_(ids))
    rows = db.session.execute(query).all() if ids else []
    return {id_: _read(text, user) for id_, text in rows}


def link_records(
    entry: Interaction, refs: Iterable[str], actor: User | None
) -> tuple[set[str], set[str]]:
    """Link an entry to the records `refs` alone, as far as `actor` sees them.

    What they do not see stays linked. Gives what is linked no more and what is from
    now on; raises `Invalid` for `links` when a record is not there for them, or there
    are too many.
    """
    wanted = list(dict.fromkeys(refs))
    if len(wanted) > MOST:
        raise Invalid(errors={"links": [_("No more than %(n)s.", n=MOST)]})
    query = sa.select(Link.to_ref).where(Link.from_ref == entry.ref)
    before = set(db.session.scalars(query.where(Link.kind == "about")))
    # Also what is linked already is asked for: who cannot see it must not find out.
    known = set(_seen(wanted, actor)) if actor else set(wanted)
    for ref in wanted:
        if ref not in known or ref == entry.ref:
            said = _("There is no record “%(ref)s” to link to.", ref=ref)
            raise Invalid(errors={"links": [said]})
    new, gone = set(wanted) - before, before - set(wanted)
    if actor is not None:
        gone &= set(_seen(gone, actor))
    if new:
        make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
        rows = [{"from_ref": entry.ref, "to_ref": one} for one in sorted(new)]
        # Somebody else may link it to the same at the same time.
        db.session.execute(make(Link).on_conflict_do_nothing(), rows)
    if gone:
        leaving = sa.delete(Link).where(Link.from_ref == entry.ref)
        db.session.execute(leaving.where(Link.to_ref.in_(gone)))
    return gone, new


def entries_linked_to(record: Record, user: User, *, most: int) -> list[Interaction]:
    """Give the latest entries that are linked to a record, as `user` reads them."""
    linked = sa.select(Link.from_ref).where(
        Link.to_ref == record.ref, Link.from_ref.startswith(_BEGINNING)
    )
    # Thousands may speak of one product; the latest links are those of late entries.
    linked = linked.order_by(Link.id.desc()).limit(_LOOKED_AT)
    ids = [int(one.removeprefix(_BEGINNING)) for one in db.session.scalars(linked)]
    if not ids:
        return []
    query = visible_to(user, Interaction).where(Interaction.id.in_(ids))
    latest = query.order_by(Interaction.occurred_at.desc(), Interaction.id.desc())
    return list(db.session.scalars(latest.limit(most)).unique())


def _rows(user: User) -> sa.ScalarSelect[Any]:
    """Select the references of the records that an entry is linked to.

    The statement is one for many readers; whose role may read which of these types is
    asked when it is read.
    """
    seen = [_is_seen(user, kind) for kind in _types().values()]
    query = sa.select(sa.func.aggregate_strings(Link.to_ref, " ")).where(
        Link.from_ref == _BEGINNING + sa.cast(Interaction.id, sa.String),
        Link.kind == "about",
        sa.or_(sa.false(), *seen),
    )
    return query.correlate(Interaction).scalar_subquery()


def _is_seen(user: User, kind: RecordType) -> sa.ColumnElement[bool]:
    model: Any = kind.model
    if model is Interaction:
        # The statement around it reads entries of its own.
        model = aliased(Interaction)
    beginning = f"{kind.name}/"
    # Only what begins like this has a number there.
    number = sa.cast(sa.func.substr(Link.to_ref, len(beginning) + 1), sa.Integer)
    linked_id = sa.case((Link.to_ref.startswith(beginning), number))
    conditions = [model.id == linked_id, *visible_conditions(user, model)]
    if hasattr(model, "trashed_at"):
        conditions.append(model.trashed_at.is_(None))
    return sa.exists().where(*conditions).correlate(Link)


def _read(text: str | None, user: User) -> list[str]:
    if not text:
        return []
    open_to = linkable(user)
    return sorted(one for one in text.split(" ") if one.rpartition("/")[0] in open_to)


PART = EntryPart("links", _rows, _read)
