"""Planning follow-ups, doing them, and putting them off."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db, now
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.notifications.services import may_see
from core.users.models import User
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.moments import (
    MOST_EVERY,
    UNITS,
    after,
    following,
)

# Nothing is planned for later than this.
FARTHEST = timedelta(days=3660)
_PLANNED = ("text", "due_at", "after_minutes", "repeat_every", "repeat_unit")


def plan_follow_up(
    contact: Contact,
    *,
    author: User,
    text: str,
    owner: User | None = None,
    due_at: datetime | None = None,
    entry: Interaction | None = None,
    after_minutes: int | None = None,
    repeat_every: int | None = None,
    repeat_unit: str = "",
) -> FollowUp:
    """Plan something to do about `contact`, by default for its author.

    It is due at `due_at`, or `after_minutes` after `entry` happens. Raises `Invalid`
    for what has no words or no moment, and for an owner who may not see it.
    """
    planned = FollowUp(
        contact_id=contact.id,
        interaction_id=entry.id if entry else None,
        author_id=author.id,
        owner_id=(owner or author).id,
        # Until the moment is worked out below.
        due_at=now(),
        remind_at=now(),
    )
    _plan(
        planned,
        text=text,
        due_at=due_at,
        after_minutes=after_minutes,
        repeat_every=repeat_every,
        repeat_unit=repeat_unit,
    )
    if owner is not None and owner.id != author.id:
        check_owner(owner, contact, entry)
    db.session.add(planned)
    db.session.flush()
    return planned


def change_follow_up(
    follow_up: FollowUp, values: Mapping[str, Any], *, owner: User | None = None
) -> None:
    """Change what is planned; `owner` hands it to a colleague, who is told.

    `values` are among text, due_at, after_minutes, repeat_every and repeat_unit; what
    is left out stays. Raises `Invalid` like `plan_follow_up`.
    """
    given = {name: getattr(follow_up, name) for name in _PLANNED} | dict(values)
    if "due_at" in values and "after_minutes" not in values:
        given["after_minutes"] = None
    if owner is not None and owner.id != follow_up.owner_id:
        check_owner(owner, follow_up.contact, entry_of(follow_up))
        follow_up.owner_id = owner.id
        follow_up.told_at = None
    _plan(follow_up, **given)
    db.session.flush()


def _plan(follow_up: FollowUp, **given: Any) -> None:
    errors: dict[str, list[str]] = {}
    if not given["text"].strip():
        errors["text"] = [_("Say what is to be done.")]
    if given["after_minutes"] is not None:
        moment = _after_entry(follow_up, given["after_minutes"])
    else:
        moment = given["due_at"]
    if moment is None:
        errors["due_at"] = [_("Say when you want to be reminded.")]
        if given["after_minutes"] is not None:
            # There is no entry after which it could be.
            errors["after_minutes"] = errors["due_at"]
    elif not now() - FARTHEST < moment < now() + FARTHEST:
        errors["due_at"] = [_("Choose a day within ten years.")]
    every, unit = given["repeat_every"], given["repeat_unit"]
    if every and not (0 < every <= MOST_EVERY and unit in UNITS):
        errors["repeat"] = [_("Repeat every so many days, weeks or months.")]
    if errors or moment is None:
        raise Invalid(errors=errors)
    follow_up.text = given["text"].strip()
    follow_up.after_minutes = given["after_minutes"]
    follow_up.repeat_every = every or None
    follow_up.repeat_unit = unit if every else ""
    if moment != follow_up.due_at:
        follow_up.due_at, follow_up.snoozed_until = moment, None
    _remind(follow_up)


def _after_entry(follow_up: FollowUp, minutes: int) -> datetime | None:
    entry = entry_of(follow_up)
    owner = db.session.get(User, follow_up.owner_id) if follow_up.owner_id else None
    if entry is None or owner is None:
        return None
    return after(entry.occurred_at, minutes, owner)


def _remind(follow_up: FollowUp) -> None:
    """Work out when it comes up; its owner is told anew when that has changed."""
    moment = follow_up.snoozed_until or follow_up.due_at
    if moment != follow_up.remind_at:
        follow_up.remind_at, follow_up.told_at = moment, None


def entry_of(follow_up: FollowUp) -> Interaction | None:
    """Give the entry it hangs on, whoever may see that."""
    if follow_up.interaction_id is None:
        return None
    return db.session.get(Interaction, follow_up.interaction_id)


def check_owner(owner: User, contact: Contact, entry: Interaction | None) -> None:
    """Refuse with `Invalid` an owner who could not see what they are to do."""
    said = ""
    if owner.kind != "staff" or not owner.active:
        said = _("Choose a colleague.")
    elif not may_see(owner, contact):
        said = _("%(name)s does not see this contact.", name=owner.name)
    elif entry is not None and not may_see(owner, entry):
        said = _("%(name)s may not read the entry.", name=owner.name)
    if said:
        raise Invalid(errors={"owner": [said]})


def finish_follow_up(follow_up: FollowUp) -> FollowUp | None:
    """Say that it is done; gives the next one of what repeats."""
    if follow_up.done_at is not None:
        return None
    follow_up.done_at = now()
    db.session.flush()
    return _next_of(follow_up) if follow_up.repeat_every else None


def _next_of(done: FollowUp) -> FollowUp | None:
    known = _made_of(done)
    if known is not None:
        # It was done, taken back, and done again.
        known.trashed_at = None
        db.session.flush()
        return known
    owner = db.session.get(User, done.owner_id) if done.owner_id else None
    if owner is None or not done.repeat_every:
        return None
    due = following(_dues(done), done.repeat_every, done.repeat_unit, owner)
    made = FollowUp(
        text=done.text,
        contact_id=done.contact_id,
        interaction_id=done.interaction_id,
        author_id=done.author_id,
        owner_id=done.owner_id,
        due_at=due,
        remind_at=due,
        repeat_every=done.repeat_every,
        repeat_unit=done.repeat_unit,
        previous_id=done.id,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _dues(done: FollowUp) -> list[datetime]:
    """Give when it was due, after when those before it were, a year back at most."""
    dues, one = [done.due_at], done
    while one.previous_id is not None and len(dues) < 12:
        before = db.session.get(FollowUp, one.previous_id)
        if before is None:
            break
        dues.insert(0, before.due_at)
        one = before
    return dues


def _made_of(done: FollowUp) -> FollowUp | None:
    query = sa.select(FollowUp).where(FollowUp.previous_id == done.id)
    return db.session.scalar(query)


def reopen_follow_up(follow_up: FollowUp) -> None:
    """Say that it is not done after all; what came of it goes, unless done itself."""
    if follow_up.done_at is None:
        return
    follow_up.done_at = None
    made = _made_of(follow_up)
    if made is not None and made.done_at is None:
        made.trashed_at = now()
    db.session.flush()


def snooze_follow_up(follow_up: FollowUp, until: datetime | None) -> None:
    """Put it off; None is back to what was planned. Raises `Invalid` for the past."""
    if until is not None and not now() < until < now() + FARTHEST:
        said = _("Choose a moment that is still to come.")
        raise Invalid(errors={"until": [said]})
    follow_up.snoozed_until = until
    _remind(follow_up)
    db.session.flush()


def trash_follow_up(follow_up: FollowUp, *, back: bool = False) -> None:
    """Put it into the trash, or take it out again."""
    follow_up.trashed_at = None if back else follow_up.trashed_at or now()
    db.session.flush()


def move_with_entry(entry: Interaction) -> None:
    """Move what hangs on the time of `entry` to where that is now."""
    query = sa.select(FollowUp).where(
        FollowUp.interaction_id == entry.id,
        FollowUp.after_minutes.is_not(None),
        FollowUp.done_at.is_(None),
    )
    for one in db.session.scalars(query):
        moment = _after_entry(one, one.after_minutes or 0)
        if moment is not None and moment != one.due_at:
            one.due_at, one.snoozed_until = moment, None
            _remind(one)
    db.session.flush()


def put_back_follow_up(
    follow_up: FollowUp, values: Mapping[str, Any], actor: User
) -> None:
    """Give it former values again; refuses what the other services refuse."""
    del actor
    rest = dict(values)
    if "trashed_at" in rest:
        trash_follow_up(follow_up, back=rest.pop("trashed_at") is None)
    if "done_at" in rest:
        undone = rest.pop("done_at") is None
        (reopen_follow_up if undone else finish_follow_up)(follow_up)
    owner = rest.pop("owner_id", None)
    snoozed = rest.pop("snoozed_until", False)
    if rest or owner:
        change_follow_up(
            follow_up, rest, owner=db.session.get(User, owner) if owner else None
        )
    if snoozed is not False:
        # What it was put off to may have gone by: then it comes up at once.
        follow_up.snoozed_until = snoozed
        _remind(follow_up)
        db.session.flush()
