"""Bringing in follow-ups: those that are done stay so, and nobody is told of any."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from core.bulk import record_many
from core.contacts.models import Contact
from core.contacts.permissions import IMPORT
from core.db import Record, db, now
from core.errors import CRMError, Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, KeyedRow, Made, Row
from core.interactions.called import (
    CONTACTS,
    INTERACTIONS,
    account_called,
    contact_called,
)
from core.interactions.models import Interaction
from core.schemas import Moment, Schema, Text
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.follow_ups.exports import TABLE, rows_of_follow_ups
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.moments import MOST_EVERY, UNITS
from plugins.interactions.follow_ups.services import FARTHEST, change_follow_up

FOLLOW_UPS = "follow-ups"
_REPEAT = re.compile(rf"(?P<every>[1-9]\d{{0,2}}) (?P<unit>{'|'.join(UNITS)})\Z")
_FAR = 3650 * 24 * 60


class FollowUpRow(Schema):
    """A follow-up. `contact` is a name or an e-mail address; the keys are the source's.

    `owner` and `author` are colleagues, by address or name; `repeat` is such as
    `2 week`; `previous_key` is the one that was done before it. One with `done_at` is
    done, whoever did it. `remind_at` goes out only: it follows from the others.
    """

    text = Text(most=500, least=1, required=True)
    contact = Text()
    contact_key = Text()
    interaction_key = Text()
    owner = Text()
    author = Text()
    due_at = Moment(required=True)
    after_minutes = fields.Integer(validate=validate.Range(-_FAR, _FAR))
    snoozed_until = Moment()
    done_at = Moment()
    repeat = Text(most=20)
    previous_key = Text()


@dataclass
class _Step:
    """What rows refer to, and what each owner among them may see of it."""

    context: ImportContext
    entries: Collection[int]
    contacts: Collection[int]
    held: Sequence[Record]
    # By owner: contacts and entries they may see.
    seen: dict[int, tuple[set[int], set[int]]] = field(default_factory=dict)
    accounts: dict[str, User | None] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)

    def account(self, said: str) -> User | None:
        """Find an account once for all rows."""
        if said not in self.accounts:
            self.accounts[said] = account_called(said)
        return self.accounts[said]

    def check_owner(self, owner: User, contact: int, entry: int | None) -> None:
        """Refuse with `Invalid` an owner who could not see what they are to do."""
        said = ""
        if owner.kind != "staff" or not owner.active:
            said = _("Choose a colleague.")
        else:
            if owner.id not in self.seen:
                self.seen[owner.id] = (
                    _ids_seen(owner, Contact, {contact, *self.contacts}),
                    _ids_seen(owner, Interaction, self.entries),
                )
            contacts, entries = self.seen[owner.id]
            if contact not in contacts and not _ids_seen(owner, Contact, {contact}):
                said = _("%(name)s does not see this contact.", name=owner.name)
            elif entry is not None and entry not in entries:
                said = _("%(name)s may not read the entry.", name=owner.name)
        if said:
            raise Invalid(errors={"owner": [said]})


def _ids_seen(user: User, model: Any, ids: Collection[int]) -> set[int]:
    query = visible_to(user, model).with_only_columns(model.id)
    return set(db.session.scalars(query.where(model.id.in_(ids)))) if ids else set()


def _look_up(rows: Sequence[Row], context: ImportContext) -> _Step:
    entries = _ids(rows, "interaction_key", INTERACTIONS, Interaction, context)
    contacts = _ids(rows, "contact_key", CONTACTS, Contact, context)
    # The session itself forgets what nobody holds: each row asks for its own again.
    held = [*_loaded(Interaction, entries), *_loaded(Contact, contacts)]
    return _Step(context, entries, contacts, held)


def _loaded(model: type[Record], ids: Collection[int]) -> Sequence[Record]:
    return db.session.scalars(sa.select(model).where(model.id.in_(ids))).unique().all()


def _ids(
    rows: Sequence[Row],
    name: str,
    kind: str,
    model: type[Record],
    context: ImportContext,
) -> set[int]:
    keys = {row[name] for row in rows if name in row}
    context.keys.look_up(kind, keys)
    ids = {context.keys.record_id(kind, key, model) for key in keys}
    return {one for one in ids if one is not None}


def bring_follow_ups(
    rows: Sequence[KeyedRow], context: ImportContext
) -> list[Made | CRMError]:
    """Make the follow-ups of the leading rows that are plainly new."""
    new = _plainly_new(rows, context)
    step = _look_up([one.fields for one in new], context)
    outcomes: list[Row | CRMError] = []
    for row in new:
        try:
            outcomes.append(_prepare(row.fields, step))
        except CRMError as refused:
            outcomes.append(refused)
    made = [one for one in outcomes if not isinstance(one, CRMError)]
    ids = iter(record_many(FollowUp, made))
    return [
        one if isinstance(one, CRMError) else Made(f"{_NAME}/{next(ids)}")
        for one in outcomes
    ]


_NAME = FollowUp.record_name()


def _plainly_new(
    rows: Sequence[KeyedRow], context: ImportContext
) -> Sequence[KeyedRow]:
    """Give the rows before the first that means, or follows, one that is here."""
    seen: set[str] = set()
    for at, row in enumerate(rows):
        known = row.key is not None and (
            row.key in seen or context.keys.record_id(FOLLOW_UPS, row.key, FollowUp)
        )
        if known or "previous_key" in row.fields:
            return rows[:at]
        if row.key is not None:
            seen.add(row.key)
    return rows


def bring_follow_up(row: Row, context: ImportContext) -> FollowUp:
    """Make the follow-up of a row, or change what was brought in before."""
    found = context.existing(FollowUp)
    if found is not None:
        return _changed(found, row)
    made = FollowUp(**_prepare(row, _look_up([row], context)))
    if "previous_key" in row:
        key = row["previous_key"]
        before = context.need(FollowUp, FOLLOW_UPS, key, field="previous_key")
        made.previous_id = before.id
    db.session.add(made)
    db.session.flush()
    return made


def _changed(found: FollowUp, row: Row) -> FollowUp:
    """Change what the file says otherwise; what was done here stays done."""
    if found.trashed_at is not None:
        raise Invalid(_("This is in the trash. Take it out first."))
    names = ("text", "due_at", "after_minutes")
    given: Row = {name: row[name] for name in names if name in row}
    given |= _repeat(row)
    changes = {k: v for k, v in given.items() if v != getattr(found, k)}
    if changes:
        change_follow_up(found, changes)
        if found.remind_at <= now():
            found.told_at = now()
    if found.done_at is None and "done_at" in row:
        # The file has what comes next of what repeats: nothing new is planned.
        found.done_at = row["done_at"]
    db.session.flush()
    return found


def _prepare(row: Row, step: _Step) -> Row:
    """Read a row as the columns of a new one; raises `Invalid`."""
    context = step.context
    entry = contact = None
    if "interaction_key" in row:
        found = context.need(
            Interaction,
            INTERACTIONS,
            row["interaction_key"],
            field="interaction_key",
        )
        entry, contact = found.id, found.contact_id
    contact = _contact(row, step) or contact
    if contact is None:
        raise Invalid(errors={"contact": [_("Say whom this is about.")]})
    done, due = row.get("done_at"), row["due_at"]
    moment = row.get("snoozed_until") or due
    if done is None and not now() - FARTHEST < moment < now() + FARTHEST:
        raise Invalid(errors={"due_at": [_("Choose a day within ten years.")]})
    author = step.account(row["author"]) if "author" in row else context.actor
    owner = _owner(row, author, step)
    if done is None and owner is not None:
        step.check_owner(owner, contact, entry)
    return {
        "text": row["text"],
        "contact_id": contact,
        "interaction_id": entry,
        "author_id": author.id if author else None,
        "owner_id": owner.id if owner else None,
        "due_at": due,
        "after_minutes": row.get("after_minutes") if entry else None,
        "snoozed_until": row.get("snoozed_until"),
        "remind_at": moment,
        # What came up before the file was read is in the list, and no news.
        "told_at": now() if moment <= now() else None,
        "done_at": done,
        **({"repeat_every": None, "repeat_unit": ""} | _repeat(row)),
    }


def _contact(row: Row, step: _Step) -> int | None:
    if "contact_key" in row:
        key = row["contact_key"]
        found = step.context.need(Contact, CONTACTS, key, field="contact_key")
        return found.id
    said = row.get("contact")
    if said and said not in step.named:
        step.named[said] = contact_called(said, step.context.actor)
    return step.named.get(said) if said else None


def _owner(row: Row, author: User | None, step: _Step) -> User | None:
    if "owner" not in row:
        return None if row.get("done_at") else author or step.context.actor
    owner = step.account(row["owner"])
    if owner is None and "done_at" not in row:
        said = _("There is no colleague %(name)s.", name=row["owner"][:100])
        raise Invalid(errors={"owner": [said]})
    return owner


def _repeat(row: Row) -> Row:
    if not row.get("repeat"):
        return {}
    found = _REPEAT.match(row["repeat"])
    if found is None or int(found["every"]) > MOST_EVERY:
        said = _("Repeat every so many days, weeks or months.")
        raise Invalid(errors={"repeat": [said]})
    return {"repeat_every": int(found["every"]), "repeat_unit": found["unit"]}


KIND = ImportKind(
    name=FOLLOW_UPS,
    title=_l("Follow-ups"),
    schema=FollowUpRow,
    bring=bring_follow_up,
    permission=IMPORT,
    bring_many=bring_follow_ups,
    after=("previous_key",),
    export=Export(FollowUp, rows_of_follow_ups, TABLE),
)
