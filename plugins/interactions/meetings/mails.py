"""Telling guests what they do not know yet: one mail each, with the last state.

What somebody was told is kept in words: `REQUEST:<time>:<rest>` or `CANCEL`. Whatever
happens to a meeting, `settle` compares that with what is so. A mail that says something
else and has not gone out is taken back first, so it does not matter how often a meeting
moves within the time to undo, or while the mail server is down.
"""

import hashlib
import io
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from babel import dates

from core import settings
from core.db import db, now
from core.errors import Conflict
from core.files import file_store
from core.interactions.models import Interaction
from core.mail.models import HELD, SENT, OutgoingMail
from core.mail.services import (
    Attachment,
    Recipient,
    cancel_mail,
    queue_mail,
    sealed_place,
)
from core.mail.setup import mail_setup
from core.mail.words import Words, from_template, house_name, public_url
from core.users.models import User
from plugins.interactions.meetings.ical import (
    Appointment,
    Person,
    in_zone,
    write_calendar,
)
from plugins.interactions.meetings.models import Attendee, Meeting
from plugins.interactions.meetings.wishes import Guest, Wish, one_line

REQUEST, CANCEL = "REQUEST", "CANCEL"


def time_of(meeting: Meeting | Wish, entry: Interaction) -> str:
    """Write when a meeting is in one word: what answers are given to."""
    start = entry.occurred_at.astimezone(UTC)
    return f"{start:%Y%m%dT%H%M%SZ}/{meeting.minutes}"


def ends_at(meeting: Meeting, entry: Interaction) -> datetime:
    """Say when a meeting is over."""
    return entry.occurred_at + timedelta(minutes=meeting.minutes)


def is_on(meeting: Meeting, entry: Interaction) -> bool:
    """Say whether a meeting takes place: not called off, its entry not in the trash."""
    return meeting.cancelled_at is None and entry.trashed_at is None


def _words_of(meeting: Meeting | Wish, entry: Interaction) -> str:
    rest = "\x00".join([meeting.title, meeting.place, meeting.text, meeting.zone])
    mark = hashlib.sha256(rest.encode()).hexdigest()[:20]
    return f"{REQUEST}:{time_of(meeting, entry)}:{mark}"


def written_to(
    meeting: Meeting | None, entry: Interaction, wish: Wish
) -> tuple[list[Guest], list[Attendee]]:
    """Say who would get a mail if the wish came true: asked, or told not to come."""
    rows = {one.address.lower(): one for one in meeting.guests} if meeting else {}
    news, wanted = _words_of(wish, entry), {one.key for one in wish.guests}
    asked = [
        one
        for one in wish.guests
        if one.key not in rows or _learns(rows[one.key], news)
    ]
    gone = [
        row
        for key, row in rows.items()
        if key not in wanted and row.removed_at is None and _learns(row, CANCEL)
    ]
    return asked, gone


def _learns(one: Attendee, news: str) -> bool:
    return (one.queued or one.sent) != news and not _is_trashed(one)


def _is_trashed(one: Attendee) -> bool:
    return one.contact is not None and one.contact.trashed_at is not None


def settle(meeting: Meeting, entry: Interaction, *, by: User | None) -> int:
    """Write each guest the mail that is missing; give how many were written.

    Running twice is harmless. A guest in the trash of contacts is sent nothing, and
    nobody is told of what lies in the past.
    """
    db.session.flush()
    fresh = {"populate_existing": True}
    query = sa.select(Meeting.id).where(Meeting.id == meeting.id).with_for_update()
    db.session.execute(query)
    db.session.refresh(meeting)
    guests = db.session.scalars(
        sa.select(Attendee)
        .where(Attendee.meeting_id == meeting.id)
        .order_by(Attendee.id)
        .execution_options(**fresh)
    ).all()
    written = 0
    for one in guests:
        written += _settle_one(one, meeting, entry, by)
    db.session.flush()
    return written


def _settle_one(
    one: Attendee, meeting: Meeting, entry: Interaction, by: User | None
) -> bool:
    if _is_trashed(one):
        if one.queued:
            _take_back(one, by)
        return False
    wanted = _wanted(one, meeting, entry)
    if one.queued and one.queued != wanted:
        _take_back(one, by)
    elif one.queued:
        return False
    unknown = wanted == CANCEL and not one.sent.startswith(REQUEST)
    if one.sent == wanted or unknown or ends_at(meeting, entry) <= now():
        return False
    _write(one, meeting, entry, wanted, by)
    return True


def _wanted(one: Attendee, meeting: Meeting, entry: Interaction) -> str:
    """Say what this guest is to know."""
    if is_on(meeting, entry) and one.removed_at is None:
        return _words_of(meeting, entry)
    return CANCEL


def _take_back(one: Attendee, by: User | None) -> None:
    """Take back the mail on its way; one that is gone is what they know now."""
    mail = db.session.get(OutgoingMail, one.mail_id) if one.mail_id else None
    gone = mail is None
    if mail is not None:
        try:
            cancel_mail(mail, by=by.id if by else None)
        except Conflict:
            gone = True
    if gone:
        one.sent, one.sent_sequence = one.queued, one.queued_sequence
    one.queued, one.queued_sequence, one.mail_id = "", -1, None


def can_be_taken_back(meeting: Meeting) -> bool:
    """Say whether every mail on its way can still be taken back."""
    ids = [one.mail_id for one in meeting.guests if one.queued and one.mail_id]
    query = sa.select(sa.func.count()).select_from(OutgoingMail)
    held = sa.and_(
        OutgoingMail.id.in_(ids),
        OutgoingMail.state == HELD,
        OutgoingMail.taken_at.is_(None),
    )
    return bool(ids) and db.session.scalar(query.where(held)) == len(ids)


def arrived(meeting: Meeting) -> dict[int, str]:
    """Say of the mails of a meeting what became of them: their state by guest."""
    ids = {one.mail_id: one.id for one in meeting.guests if one.mail_id}
    query = sa.select(OutgoingMail.id, OutgoingMail.state).where(
        OutgoingMail.id.in_(ids), OutgoingMail.state != SENT
    )
    return {ids[row.id]: row.state for row in db.session.execute(query)} if ids else {}


# -- One mail ----------------------------------------------------------------------


def _write(
    one: Attendee, meeting: Meeting, entry: Interaction, wanted: str, by: User | None
) -> None:
    # A guest never gets a number twice for two things: RFC 5546, section 2.1.4.
    sequence = max(meeting.sequence, one.sent_sequence + 1)
    meeting.sequence = sequence
    method = wanted.partition(":")[0]
    organiser = organiser_of(meeting, entry)
    mail = queue_mail(
        [Recipient(one.address, one_line(one.name))],
        words=_mail_words(one, meeting, entry, method, organiser),
        reply_to=Recipient(organiser.email, one_line(organiser.name))
        if organiser
        else None,
        attachments=[_attachment(one, meeting, entry, method, organiser)],
        author_id=by.id if by else meeting.organiser_id,
        about=entry.ref,
        seal=one.seal,
    )
    one.queued, one.queued_sequence, one.mail_id = wanted, sequence, mail.id


def organiser_of(meeting: Meeting, entry: Interaction) -> User | None:
    """Give whose meeting it is: who invited, or who wrote the entry."""
    if meeting.organiser_id is not None:
        return db.session.get(User, meeting.organiser_id)
    return entry.author


def _mail_words(
    one: Attendee,
    meeting: Meeting,
    entry: Interaction,
    method: str,
    organiser: User | None,
) -> Words:
    news = "off" if method == CANCEL else "changed" if one.sent else "new"
    return from_template(
        "interactions/mail/invitation.txt",
        language=one.language,
        news=news,
        name=one.name,
        organiser=organiser.name if organiser else house_name(),
        title=meeting.title,
        place=meeting.place,
        words=meeting.text,
        when=when(meeting, entry, one.language),
        url=public_url("interactions.invitation", secret=sealed_place(one.seal)),
    )


def when(meeting: Meeting, entry: Interaction, language: str) -> str:
    """Write day, time and zone of a meeting, by the clock it is meant in."""
    start = in_zone(entry.occurred_at, meeting.zone)
    end = in_zone(ends_at(meeting, entry), meeting.zone)
    day = dates.format_date(start, "full", locale=language)
    begins, ends = (
        dates.format_time(one, "short", locale=language) for one in (start, end)
    )
    zone = dates.get_timezone_name(start, locale=language)
    last = ""
    if end.date() != start.date():
        last = f"{dates.format_date(end, 'full', locale=language)} "
    return f"{day} {begins} – {last}{ends} ({zone})"


def _attachment(
    one: Attendee,
    meeting: Meeting,
    entry: Interaction,
    method: str,
    organiser: User | None,
) -> Attachment:
    house = mail_setup().sender or f"calendar@{mail_setup().domain}"
    person = Person(house, house_name())
    if organiser is not None:
        person = Person(organiser.email, one_line(organiser.name), sent_by=house)
    answer = one.answer_for(time_of(meeting, entry))
    content = write_calendar(
        [
            Appointment(
                uid=meeting.uid,
                start=in_zone(entry.occurred_at, meeting.zone),
                minutes=meeting.minutes,
                title=meeting.title,
                stamp=now(),
                place=meeting.place,
                text=meeting.text,
                sequence=meeting.sequence,
                off=method == CANCEL,
                organiser=person,
                guest=Person(one.address, one_line(one.name), answer=answer),
            )
        ],
        method=method,
    )
    stored = file_store().put(io.BytesIO(content), limit=None)
    name = "invite.ics" if method == REQUEST else "cancelled.ics"
    return Attachment(stored.sha256, name, f"text/calendar; method={method}")


def hold_seconds() -> int:
    """Say for how many seconds a mail waits for second thoughts."""
    seconds: int = settings.get("mail")["hold_seconds"]
    return seconds
