"""Passing a customer on, and taking it over item by item."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.contacts.models import Contact
from core.contacts.services import change_contact, rollup_of
from core.db import Record, db, now
from core.errors import Forbidden, Invalid, NotFound
from core.events import announce
from core.i18n import _
from core.records import record_type_of
from core.references import seen_by
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.events import ACKNOWLEDGED
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import change_follow_up, check_owner
from plugins.interactions.hand_overs.models import HandOver, HandOverItem

MOST_WORDS = 5_000
# More than so much is not looked at one by one.
MOST_ITEMS = 100


@dataclass(frozen=True)
class Shown:
    """An item as its reader sees it; `record` is None for what is on the contact."""

    item: HandOverItem
    record: Record | None


def hand_over(
    contact: Contact,
    receiver: User,
    *,
    actor: User,
    word: str = "",
    waiting: Iterable[Record] = (),
) -> HandOver:
    """Make `receiver` the owner of `contact`, with what is open and `word` for them.

    The open follow-ups of its owner go along, and `waiting` are other records to look
    at. What the receiver may not read by themselves stays where it is, unnamed. Raises
    `Invalid` for a receiver who cannot own it.
    """
    giver = contact.owner or actor
    if len(word) > MOST_WORDS:
        raise Invalid(errors={"word": [_("Fewer words: at most 5,000 characters.")]})
    if receiver.id == contact.owner_id:
        raise Invalid(errors={"receiver": [_("It is theirs already.")]})
    if receiver.kind != "staff" or not receiver.active:
        raise Invalid(errors={"receiver": [_("Choose a colleague.")]})
    passed = open_follow_ups(contact, giver, actor)
    change_contact(contact, {"owner": receiver.id}, actor=actor)
    try:
        check_owner(receiver, contact, None)
    except Invalid as error:
        raise Invalid(errors={"receiver": error.errors["owner"]}) from error
    made = HandOver(
        contact_id=contact.id,
        giver_id=giver.id,
        receiver_id=receiver.id,
        word=word.strip(),
    )
    made.items = [HandOverItem(kind=kind) for kind in kinds_of(contact, made.word)]
    records = seen_by(receiver, [*(one.ref for one in passed), *_refs(waiting)])
    made.items += [HandOverItem(kind="record", ref=ref) for ref in records]
    del made.items[MOST_ITEMS:]
    db.session.add(made)
    db.session.flush()
    for one in passed:
        if one.ref in records:
            change_follow_up(one, {}, owner=receiver)
    _finish(made, receiver)
    return made


def kinds_of(contact: Contact, word: str) -> list[str]:
    """Name what there is to look at besides records."""
    found = {
        "word": bool(word),
        "know": bool(contact.know_first or contact.do_not_contact),
        "step": bool(contact.next_step),
    }
    return [kind for kind, there in found.items() if there]


def _refs(records: Iterable[Record]) -> list[str]:
    return [one.ref for one in records]


def open_follow_ups(contact: Contact, giver: User, actor: User) -> Sequence[FollowUp]:
    """Give what `giver` has to do about `contact` and its story, as `actor` sees it."""
    query = visible_to(actor, FollowUp).where(
        FollowUp.contact_id.in_(rollup_of(contact.kind, contact.id)),
        FollowUp.owner_id == giver.id,
        FollowUp.done_at.is_(None),
    )
    return db.session.scalars(
        query.order_by(FollowUp.remind_at).limit(MOST_ITEMS)
    ).all()


def shown_to(user: User, made: HandOver) -> list[Shown]:
    """Give the items of a hand-over that `user` may know of."""
    return items_shown(user, [made])[made.id]


def items_shown(user: User, found: Sequence[HandOver]) -> dict[int, list[Shown]]:
    """Give of each hand-over the items that `user` may know of."""
    shown: dict[int, list[Shown]] = {one.id: [] for one in found}
    items = sa.select(HandOverItem).where(HandOverItem.hand_over_id.in_(shown))
    all_items = db.session.scalars(items.order_by(HandOverItem.id)).all()
    records = seen_by(user, [one.ref for one in all_items if one.ref])
    for one in all_items:
        if not one.ref or one.ref in records:
            shown[one.hand_over_id].append(Shown(one, records.get(one.ref)))
    return shown


def unhappy_with(record: Record | None) -> str:
    """Say in words why the customer is unhappy with a record; '' when they are not."""
    kind = record_type_of(record) if record is not None else None
    if record is None or kind is None or kind.unhappy is None:
        return ""
    return kind.unhappy(record)


def may_acknowledge(user: User, made: HandOver) -> bool:
    """Say whether `user` takes it over, for themselves or as somebody's deputy."""
    return made.receiver_id in looked_after_by(user)


def acknowledge(made: HandOver, item_id: int, *, actor: User) -> None:
    """Say that the receiver has looked at an item; the last one ends the hand-over.

    Raises `Forbidden` for anybody else, `NotFound` for what they may not see.
    """
    if not may_acknowledge(actor, made):
        raise Forbidden(_("Only who takes it over may do that."))
    shown = {one.item.id: one.item for one in shown_to(actor, made)}
    if item_id not in shown:
        raise NotFound
    if shown[item_id].acknowledged_at is not None:
        return
    shown[item_id].acknowledged_at = now()
    db.session.flush()
    announce(ACKNOWLEDGED.name, made)
    # Whoever stands in may see less than is handed over.
    _finish(made, made.receiver or actor)


def end_what_is_looked_at() -> None:
    """End the hand-overs of which the last thing left was put away otherwise."""
    open_ones = sa.select(HandOver).where(HandOver.finished_at.is_(None))
    for made in db.session.scalars(open_ones.order_by(HandOver.id)):
        if made.receiver is not None:
            _finish(made, made.receiver)


def _finish(made: HandOver, user: User) -> None:
    """End it when nothing is left that the receiver can see and has not looked at."""
    left = [one for one in shown_to(user, made) if one.item.acknowledged_at is None]
    if not left and made.finished_at is None:
        made.finished_at = now()
        db.session.flush()


def open_hand_overs(user: User) -> Sequence[HandOver]:
    """List what is being handed over to `user`, or by them, and is not finished."""
    query = visible_to(user, HandOver).where(
        HandOver.finished_at.is_(None),
        sa.or_(
            HandOver.receiver_id.in_(looked_after_by(user)),
            HandOver.giver_id == user.id,
        ),
    )
    return db.session.scalars(query.order_by(HandOver.id.desc()).limit(10)).all()
