"""Bringing in hand-overs: who had a customer before, and what they said of them.

It is history: nobody becomes the owner by it, and nobody is told. One that is not
finished goes on here with the words, and with what stands on the contact.
"""

from core.contacts.models import Contact
from core.contacts.permissions import IMPORT
from core.db import db, now
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, Row
from core.interactions.called import CONTACTS, account_called, contact_called
from core.schemas import Moment, Schema, Text
from core.users.models import User
from plugins.interactions.follow_ups.services import check_owner
from plugins.interactions.hand_overs.exports import TABLE, rows_of_hand_overs
from plugins.interactions.hand_overs.models import HandOver, HandOverItem
from plugins.interactions.hand_overs.services import MOST_WORDS, kinds_of

HAND_OVERS = "hand-overs"


class HandOverRow(Schema):
    """A hand-over. `contact` is a name or an e-mail address, `contact_key` a key.

    `giver` and `receiver` are colleagues, by address or name; a giver who has no
    account here is left out. `items` and `left` go out only: how many things there
    are to look at, and how many nobody has looked at.
    """

    contact = Text()
    contact_key = Text()
    giver = Text()
    receiver = Text(required=True)
    word = Text(most=MOST_WORDS)
    created_at = Moment()
    finished_at = Moment()


def bring_hand_over(row: Row, context: ImportContext) -> HandOver:
    """Write down the hand-over of a row, or end one that was brought in before."""
    found = context.existing(HandOver)
    if found is not None:
        if found.finished_at is None and "finished_at" in row:
            _end(found, row)
        return found
    contact = _contact(row, context)
    receiver = _colleague(row["receiver"])
    word = row.get("word", "").strip()
    finished = row.get("finished_at")
    if finished is None:
        _check(receiver, contact)
    made = HandOver(
        contact_id=contact.id,
        giver_id=_id(account_called(row["giver"])) if "giver" in row else None,
        receiver_id=receiver.id,
        word=word,
        created_at=row.get("created_at") or now(),
    )
    kinds = kinds_of(contact, word) if finished is None else ["word"] if word else []
    made.items = [HandOverItem(kind=kind) for kind in kinds]
    db.session.add(made)
    if finished is not None or not kinds:
        _end(made, row)
    db.session.flush()
    return made


def _end(made: HandOver, row: Row) -> None:
    made.finished_at = row.get("finished_at") or now()
    for item in made.items:
        item.acknowledged_at = item.acknowledged_at or made.finished_at
    db.session.flush()


def _contact(row: Row, context: ImportContext) -> Contact:
    if "contact_key" in row:
        key = row["contact_key"]
        found: Contact = context.need(Contact, CONTACTS, key, field="contact_key")
        return found
    if not row.get("contact"):
        raise Invalid(errors={"contact": [_("Say whom this is about.")]})
    return db.session.get_one(Contact, contact_called(row["contact"], context.actor))


def _colleague(said: str) -> User:
    found = account_called(said)
    if found is None or found.kind != "staff":
        problem = _("There is no colleague %(name)s.", name=said[:100])
        raise Invalid(errors={"receiver": [problem]})
    return found


def _check(receiver: User, contact: Contact) -> None:
    if not receiver.active:
        raise Invalid(errors={"receiver": [_("Choose a colleague.")]})
    try:
        check_owner(receiver, contact, None)
    except Invalid as error:
        raise Invalid(errors={"receiver": error.errors["owner"]}) from error


def _id(user: User | None) -> int | None:
    return user.id if user is not None and user.kind == "staff" else None


KIND = ImportKind(
    name=HAND_OVERS,
    title=_l("Hand-overs"),
    schema=HandOverRow,
    bring=bring_hand_over,
    permission=IMPORT,
    export=Export(HandOver, rows_of_hand_overs, TABLE),
)
