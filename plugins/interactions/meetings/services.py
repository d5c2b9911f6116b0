"""Inviting, changing, calling off, and what guests answer: the only code that does."""

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core.db import db, now
from core.errors import Conflict, Forbidden, Invalid
from core.events import announce
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE, WRITE
from core.interactions.rules import check_may_change, may_change
from core.mail.services import new_seal, seal_secret
from core.mail.setup import mail_setup
from core.notifications.services import notify
from core.permissions import can
from core.users.models import User
from core.users.sessions import hash_secret
from plugins.interactions.meetings.events import ANSWERED, CALLED_OFF, INVITED, TOLD
from plugins.interactions.meetings.mails import (
    can_be_taken_back,
    ends_at,
    is_on,
    organiser_of,
    settle,
    time_of,
    written_to,
)
from plugins.interactions.meetings.models import (
    ACCEPTED,
    ANSWERS,
    TENTATIVE,
    Attendee,
    Meeting,
)
from plugins.interactions.meetings.wishes import (
    Guest,
    Wish,
    one_line,
    remember,
)

# The kinds of entries that people meet in.
KINDS = ("meeting", "visit")
MOST_GUESTS = 100


def meeting_of(entry: Interaction) -> Meeting | None:
    """Give the invitation of an entry, if anybody was ever invited."""
    query = sa.select(Meeting).where(Meeting.interaction_id == entry.id)
    return db.session.scalar(query.options(selectinload(Meeting.guests)))


def invite(entry: Interaction, wish: Wish, *, actor: User) -> Meeting:
    """Invite people to an entry, or change what they were invited to.

    Raises `Forbidden` for somebody who may not change the entry, or not write to
    people outside, and `Invalid` for what is no meeting, lies in the past, or when no
    mail can go out.
    """
    check_may_change(actor, entry)
    meeting = meeting_of(entry)
    check_wish(entry, wish, meeting, actor)
    if meeting is None:
        meeting = _begin(entry, actor)
    else:
        meeting.before = remember(meeting)
    meeting.title, meeting.place = wish.title, wish.place
    meeting.text, meeting.zone = wish.text, wish.zone
    meeting.minutes, meeting.cancelled_at = wish.minutes, None
    _expect(meeting, wish.guests)
    _touch(meeting)
    settle(meeting, entry, by=actor)
    announce(INVITED.name, entry)
    return meeting


def check_wish(
    entry: Interaction, wish: Wish, meeting: Meeting | None, actor: User
) -> None:
    """Refuse with `Invalid` or `Forbidden` what cannot be sent as it is wished."""
    if entry.trashed_at is not None:
        raise Invalid(_("This entry is in the trash. Take it out first."))
    if meeting is None and entry.kind not in KINDS:
        raise Invalid(_("People are invited to meetings and visits only."))
    if entry.occurred_at <= now():
        said = _("This lies in the past. Give the entry a later time first.")
        raise Invalid(errors={"form": [said]})
    lacking = mail_setup().lacks_for_links()
    if lacking is not None:
        raise Invalid(errors={"form": [lacking]})
    if not wish.title:
        raise Invalid(errors={"title": [_("Say what it is about.")]})
    if not wish.guests:
        raise Invalid(errors={"guests": [_("Choose at least one guest.")]})
    if len(wish.guests) > MOST_GUESTS:
        said = _("At most %(num)d guests can be invited.", num=MOST_GUESTS)
        raise Invalid(errors={"guests": [said]})
    asked, told_off = written_to(meeting, entry, wish)
    users = [one.user_id for one in asked] + [one.user_id for one in told_off]
    if None in users and not can(SHARE, actor):
        raise Forbidden(_("Your role may not write to customers or vendors."))


def _begin(entry: Interaction, actor: User) -> Meeting:
    meeting = Meeting(
        interaction_id=entry.id,
        uid=f"{secrets.token_hex(16)}@{mail_setup().domain}",
        organiser_id=actor.id,
        title="",
    )
    db.session.add(meeting)
    return meeting


def _expect(meeting: Meeting, guests: tuple[Guest, ...]) -> None:
    known = {one.address.lower(): one for one in meeting.guests}
    wanted = {one.key: one for one in guests}
    for key, row in known.items():
        if key in wanted:
            row.removed_at = None
        elif row.removed_at is None:
            row.removed_at = now()
    for key, guest in wanted.items():
        if key not in known:
            meeting.guests.append(_new_guest(guest))


def _new_guest(guest: Guest) -> Attendee:
    seal = new_seal()
    return Attendee(
        user_id=guest.user_id,
        contact_id=guest.contact_id,
        address=guest.address,
        name=one_line(guest.name)[:200],
        language=guest.language,
        seal=seal,
        secret_hash=hash_secret(seal_secret(seal)),
    )


def _touch(meeting: Meeting) -> None:
    """Give a meeting a new version when only its guests have changed."""
    meeting.updated_at = now()
    db.session.flush()


def call_off(entry: Interaction, *, actor: User) -> Meeting:
    """Call a meeting off and tell its guests; twice is harmless.

    Raises `Forbidden` for somebody who may not change the entry, and `Invalid` where
    nobody was invited.
    """
    check_may_change(actor, entry)
    meeting = meeting_of(entry)
    if meeting is None:
        raise Invalid(_("Nobody was invited to this."))
    if meeting.cancelled_at is None:
        meeting.before = remember(meeting)
        meeting.cancelled_at = now()
        _touch(meeting)
        settle(meeting, entry, by=actor)
        announce(CALLED_OFF.name, entry)
    return meeting


def take_back(entry: Interaction, version: int, *, actor: User) -> None:
    """Take back the last act on an invitation while its mails can be taken back.

    Raises `Conflict` when they have gone out, or somebody changed it since.
    """
    check_may_change(actor, entry)
    meeting = meeting_of(entry)
    if meeting is None or meeting.version != version:
        raise Conflict(_("This was changed since. Look at it first."))
    if not can_be_taken_back(meeting):
        raise Conflict(_("The mails have gone out. Change the invitation instead."))
    before = meeting.before
    if before is None:
        meeting.cancelled_at = now()
        settle(meeting, entry, by=actor)
        if not any(one.sent or one.queued for one in meeting.guests):
            db.session.delete(meeting)
            db.session.flush()
        return
    _restore(meeting, before)
    settle(meeting, entry, by=actor)
    for one in [one for one in meeting.guests if one.removed_at and not one.sent]:
        meeting.guests.remove(one)
    db.session.flush()


def _restore(meeting: Meeting, before: dict[str, Any]) -> None:
    for name in ("title", "place", "minutes", "text", "zone"):
        setattr(meeting, name, before[name])
    meeting.cancelled_at = now() if before["off"] else None
    for one in meeting.guests:
        one.removed_at = None if one.id in before["guests"] else now()
    meeting.before = None
    _touch(meeting)


# -- Guests ------------------------------------------------------------------------


def find_invitation(secret: str) -> Attendee | None:
    """Give whose link this is; None for one that nobody was sent."""
    query = sa.select(Attendee).where(Attendee.secret_hash == hash_secret(secret))
    return db.session.scalar(query)


def why_closed(guest: Attendee, entry: Interaction) -> str:
    """Say why a link takes no answer any more: `off`, `removed`, `over`, or ''."""
    if not is_on(guest.meeting, entry):
        return "off"
    if guest.removed_at is not None:
        return "removed"
    return "over" if ends_at(guest.meeting, entry) <= now() else ""


def answer_invitation(guest: Attendee, entry: Interaction, answer: str) -> None:
    """Keep what a guest answers, and tell whose meeting it is.

    Raises `Invalid` for an answer that is none, and `Conflict` for a closed link.
    """
    if answer not in ANSWERS:
        raise Invalid(errors={"answer": [_("Choose one of the answers.")]})
    if why_closed(guest, entry):
        raise Conflict(_("This link takes no answer any more."))
    meeting, time = guest.meeting, time_of(guest.meeting, entry)
    if guest.answer_for(time) == answer:
        return
    guest.answer, guest.answered_for, guest.answered_at = answer, time, now()
    _touch(meeting)
    announce(ANSWERED.name, entry)
    organiser = organiser_of(meeting, entry)
    if organiser is None or organiser.id == guest.user_id:
        return
    notify(
        [organiser],
        kind=TOLD.name,
        text=_said(answer, name=guest.shown_name, title=meeting.title),
        record=entry,
        key=f"{TOLD.name}:{guest.id}:{guest.answered_at.isoformat()}",
    )


def _said(answer: str, **names: str) -> Any:
    if answer == ACCEPTED:
        return _l("%(name)s comes: %(title)s", **names)
    if answer == TENTATIVE:
        return _l("%(name)s may come: %(title)s", **names)
    return _l("%(name)s does not come: %(title)s", **names)


def may_invite(user: User, entry: Interaction) -> bool:
    """Say whether `user` may send invitations to this entry."""
    open_to = entry.kind in KINDS and entry.trashed_at is None
    to_come = entry.occurred_at > now()
    return open_to and to_come and can(WRITE, user) and may_change(user, entry)
