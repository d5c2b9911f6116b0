"""Writing the entries of a file: a hundred in few statements, or one alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.audiences import AudienceSpec, intern_audience
from core.bulk import record_many
from core.contacts.models import Contact
from core.db import db, now, table_of
from core.errors import CRMError
from core.imports import ImportContext, KeyedRow, Made
from core.interactions.about import link
from core.interactions.bringing import prepare
from core.interactions.called import INTERACTIONS, Ready, look_up
from core.interactions.mentions import find_mentions, find_tags, names_to_call
from core.interactions.models import Interaction, InteractionContact, InteractionTag
from core.records import Link
from core.rows import add_rows


def bring_interactions(
    rows: Sequence[KeyedRow], context: ImportContext
) -> list[Made | CRMError]:
    """Make the entries of the leading rows that are plainly new."""
    new = _plainly_new(rows, context)
    if not new:
        _hold_known(rows, context)
        return []
    step = look_up(new, context)
    outcomes: list[Ready | CRMError] = []
    for row in new:
        try:
            outcomes.append(prepare(row, step))
        except CRMError as refused:
            outcomes.append(refused)
    store([one for one in outcomes if isinstance(one, Ready)])
    return [
        Made(f"{Interaction.record_name()}/{one.id}") if isinstance(one, Ready) else one
        for one in outcomes
    ]


def _plainly_new(
    rows: Sequence[KeyedRow], context: ImportContext
) -> Sequence[KeyedRow]:
    """Give the rows before the first that may mean an entry which is here already."""
    keys, seen = context.keys, set[str]()
    for at, row in enumerate(rows):
        if row.key is not None:
            if row.key in seen or keys.record_id(INTERACTIONS, row.key, Interaction):
                return rows[:at]
            seen.add(row.key)
        named = [row.fields.get("parent_key"), *row.fields.get("links", [])]
        if any(one and keys.is_promised(INTERACTIONS, one) for one in named):
            # A trial took it back; only a row by itself is told so.
            return rows[:at]
    return rows


def _hold_known(rows: Sequence[KeyedRow], context: ImportContext) -> None:
    """Load the entries that rows mean, which are looked at one after the other."""
    keys = [one.key for one in rows if one.key is not None]
    ids = {context.keys.record_id(INTERACTIONS, one, Interaction) for one in keys}
    query = sa.select(Interaction).where(Interaction.id.in_(ids - {None}))
    # The session itself forgets what nobody holds.
    context.shared["interactions.known"] = db.session.scalars(query).unique().all()


def store(entries: Sequence[Ready]) -> None:
    """Write entries with whom they are about, what they are linked to, their tags.

    It is history: nobody is told of it, and whom it calls is kept without a word.
    """
    _fill(entries)
    left = list(entries)
    while left:
        # What others answer is made before them.
        free = [one for one in left if _parent_id(one) != 0]
        rows = [one.values | {"parent_id": _parent_id(one)} for one in free]
        for one, number in zip(free, record_many(Interaction, rows), strict=True):
            one.id = number
        left = [one for one in left if not one.id]
    _store_beside(entries)
    _note_contacts(entries)


def store_one(entry: Ready) -> Interaction:
    """Write an entry as the session knows it, which sees what a row of a file did."""
    _fill([entry])
    made = Interaction(**entry.values, parent_id=_parent_id(entry))
    link(made, entry.contacts)
    made.tags = [InteractionTag(tag=one) for one in find_tags(made.body)]
    db.session.add(made)
    db.session.flush()
    entry.id = made.id
    _store_links([entry])
    _note_contacts([entry])
    return made


def _fill(entries: Sequence[Ready]) -> None:
    """Work out the columns that need a look at what is here."""
    audiences: dict[AudienceSpec, int] = {}
    calls = [one for one in entries if one.calls and "@" in one.values["body"]]
    names = names_to_call() if calls else {}
    for one in entries:
        if one.spec not in audiences:
            audiences[one.spec] = intern_audience(one.spec).id
        found = find_mentions(one.values["body"], names=names) if one.calls else []
        one.values |= {
            "audience_id": audiences[one.spec],
            "contact_id": one.contacts[0] if one.contacts else None,
            "mentions": [mention.stored() for mention in found],
        }


def _parent_id(entry: Ready) -> int | None:
    return entry.parent.id if isinstance(entry.parent, Ready) else entry.parent


def _store_beside(entries: Sequence[Ready]) -> None:
    about = [
        {
            "interaction_id": one.id,
            "contact_id": contact,
            "occurred_at": one.values["occurred_at"],
        }
        for one in entries
        for contact in one.contacts
    ]
    tags = [
        {"interaction_id": one.id, "tag": tag}
        for one in entries
        for tag in find_tags(one.values["body"])
    ]
    add_rows(db.session, table_of(InteractionContact), about, numbered=False)
    add_rows(db.session, table_of(InteractionTag), tags, numbered=False)
    _store_links(entries)


def _store_links(entries: Sequence[Ready]) -> None:
    name = Interaction.record_name()
    links = [
        {
            "from_ref": f"{name}/{one.id}",
            "to_ref": to if isinstance(to, str) else f"{name}/{to.id}",
        }
        for one in entries
        for to in one.links
    ]
    if links:
        make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
        db.session.execute(make(Link).on_conflict_do_nothing(), links)


def _note_contacts(entries: Sequence[Ready]) -> None:
    """Tell the contacts when something last happened with them, as one entry would."""
    last: dict[int, datetime] = {}
    until = now()
    for one in entries:
        at = one.values["occurred_at"]
        if one.spec.kind in {"staff", "shared"} and at <= until:
            for contact in one.contacts:
                last[contact] = max(at, last.get(contact, at))
    if not last:
        return
    table: Any = table_of(Contact)
    later = (
        sa.update(table)
        .where(
            table.c.id == sa.bindparam("contact"),
            sa.or_(
                table.c.last_interaction_at.is_(None),
                table.c.last_interaction_at < sa.bindparam("moment"),
            ),
        )
        .values(
            last_interaction_at=sa.bindparam("moment"), updated_at=table.c.updated_at
        )
    )
    rows = [{"contact": one, "moment": at} for one, at in sorted(last.items())]
    db.session.connection().execute(later, rows)
