"""Private calendars: an address that shows the meetings of one colleague."""

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core.db import db, now
from core.i18n import _, in_language
from core.interactions.entries import EntryView, show_entries
from core.interactions.models import Interaction
from core.interactions.permissions import READ
from core.mail.words import house_name
from core.permissions import can
from core.users.models import User
from core.users.sessions import hash_secret
from core.visibility import visible_to
from plugins.interactions.meetings.ical import Appointment, in_zone, write_calendar
from plugins.interactions.meetings.mails import time_of
from plugins.interactions.meetings.models import (
    DECLINED,
    Attendee,
    CalendarFeed,
    Meeting,
)
from plugins.interactions.meetings.services import KINDS

BEFORE, AFTER = timedelta(days=92), timedelta(days=366)
# A calendar with more is not a person's.
MOST = 2000
MINUTES = 60


def feed_of(user: User) -> CalendarFeed | None:
    """Give what is known of somebody's calendar address."""
    return db.session.get(CalendarFeed, user.id)


def renew_feed(user: User) -> str:
    """Make a new address for somebody's calendar; the old one opens nothing more.

    Gives its secret, which is not kept.
    """
    secret = secrets.token_urlsafe(32)
    row = feed_of(user)
    if row is None:
        row = CalendarFeed(user_id=user.id)
        db.session.add(row)
    row.secret_hash, row.ending = hash_secret(secret), secret[-4:]
    row.created_at = row.changed_at = now()
    row.content_hash = ""
    db.session.flush()
    return secret


def end_feed(user: User) -> None:
    """Take somebody's calendar address away; without one it is harmless."""
    row = feed_of(user)
    if row is not None:
        db.session.delete(row)
        db.session.flush()


def open_feed(secret: str) -> tuple[CalendarFeed, User] | None:
    """Give whose calendar this is; None when it opens nothing, or not any more."""
    row = db.session.execute(
        sa.select(CalendarFeed, User)
        .join(User, User.id == CalendarFeed.user_id)
        .where(CalendarFeed.secret_hash == hash_secret(secret), User.active)
        .where(User.kind == "staff")
    ).first()
    if row is None or not can(READ, row[1]):
        return None
    return row[0], row[1]


def write_feed(user: User, base: str) -> bytes:
    """Write the meetings somebody organises or attends, as far as they may read them.

    `base` is the address of this server, for the links.
    """
    entries = _entries(user)
    shown = {one.id: one for one in show_entries(entries, user)}
    meetings = _meetings([one.id for one in entries])
    with in_language(user.language):
        found = [
            _appointment(one, shown[one.id], meetings.get(one.id), user, base)
            for one in entries
            if not _declined(one, meetings.get(one.id), user)
        ]
        name = _("Meetings · %(house)s", house=house_name())
    return write_calendar(found, method="", name=str(name))


def _entries(user: User) -> list[Interaction]:
    moment = now()
    attends = (
        sa.select(Meeting.interaction_id)
        .join(Attendee, Attendee.meeting_id == Meeting.id)
        .where(Attendee.user_id == user.id, Attendee.removed_at.is_(None))
    )
    organises = sa.select(Meeting.interaction_id).where(Meeting.organiser_id == user.id)
    own = sa.and_(Interaction.author_id == user.id, Interaction.kind.in_(KINDS))
    query = (
        visible_to(user, Interaction)
        .where(Interaction.occurred_at.between(moment - BEFORE, moment + AFTER))
        .where(
            sa.or_(own, Interaction.id.in_(attends), Interaction.id.in_(organises)),
            Interaction.id.not_in(
                sa.select(Meeting.interaction_id).where(
                    Meeting.cancelled_at.is_not(None)
                )
            ),
        )
        .order_by(Interaction.occurred_at, Interaction.id)
        .limit(MOST)
    )
    return list(db.session.scalars(query).unique())


def _meetings(ids: list[int]) -> dict[int, Meeting]:
    query = sa.select(Meeting).where(Meeting.interaction_id.in_(ids))
    rows = db.session.scalars(query.options(selectinload(Meeting.guests)))
    return {one.interaction_id: one for one in rows}


def _declined(entry: Interaction, meeting: Meeting | None, user: User) -> bool:
    """Say whether somebody does not come; whose meeting it is has it all the same."""
    if meeting is None or user.id in {meeting.organiser_id, entry.author_id}:
        return False
    time = time_of(meeting, entry)
    mine = [one for one in meeting.expected if one.user_id == user.id]
    return any(one.answer_for(time) == DECLINED for one in mine)


def _appointment(
    entry: Interaction,
    view: EntryView,
    meeting: Meeting | None,
    user: User,
    base: str,
) -> Appointment:
    # Nothing of the clock goes in: the same meetings make the same bytes.
    stamp: datetime = entry.updated_at
    url = f"{base}{view.url}" if view.url else ""
    if meeting is not None:
        return Appointment(
            uid=meeting.uid,
            start=in_zone(entry.occurred_at, meeting.zone),
            minutes=meeting.minutes,
            title=meeting.title,
            stamp=max(stamp, meeting.updated_at),
            place=meeting.place,
            text=meeting.text,
            url=url,
            sequence=meeting.sequence,
        )
    whom = ", ".join(name for name, _url in view.contacts[:3])
    title = f"{view.kind_title} · {whom}" if whom else str(view.kind_title)
    return Appointment(
        uid=f"entry-{entry.id}-{int(entry.created_at.timestamp())}@rapport",
        start=in_zone(entry.occurred_at, user.timezone),
        minutes=MINUTES,
        title=title,
        stamp=stamp,
        url=url,
    )


def note_content(user_id: int, digest: str) -> None:
    """Keep which content the calendar has, and since when; run aside of a request."""
    db.session.execute(
        sa.update(CalendarFeed)
        .where(CalendarFeed.user_id == user_id, CalendarFeed.content_hash != digest)
        .values(content_hash=digest, changed_at=now())
    )
