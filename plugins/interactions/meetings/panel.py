"""What an entry's page, and "my day", show of an invitation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.db import db
from core.i18n import _, ngettext
from core.interactions.models import Interaction
from core.users.models import User
from plugins.interactions.meetings.guests import hidden_guests
from plugins.interactions.meetings.mails import arrived, is_on, time_of, when
from plugins.interactions.meetings.models import (
    ACCEPTED,
    DECLINED,
    TENTATIVE,
    WAITING,
    Attendee,
    Meeting,
)
from plugins.interactions.meetings.services import may_invite, meeting_of


@dataclass(frozen=True)
class GuestLine:
    """A guest as colleagues see them; `notes` say what is wrong with their mail."""

    id: int
    name: str
    address: str
    kind: str
    state: str
    words: str
    tint: str
    answered_at: Any
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """An invitation as a page shows it."""

    meeting: Meeting
    when: str
    on: bool
    lines: Sequence[GuestLine]
    summary: str


def panel_of(entry: Interaction, user: User, language: str) -> dict[str, Any]:
    """Give an entry's page its invitation, and whether one can be sent."""
    meeting = meeting_of(entry)
    return {
        "invitation": facts_of(meeting, entry, user, language) if meeting else None,
        "may_invite": may_invite(user, entry),
    }


def facts_of(meeting: Meeting, entry: Interaction, user: User, language: str) -> Facts:
    """Put an invitation and its guests into words for `user`."""
    time, mails = time_of(meeting, entry), arrived(meeting)
    hidden = hidden_guests(user, meeting)
    lines = [
        _line(one, time, mails.get(one.id, ""), hidden=one.id in hidden)
        for one in meeting.expected
    ]
    return Facts(
        meeting,
        when(meeting, entry, language),
        is_on(meeting, entry),
        lines,
        summary_of(Counter(one.state for one in lines)),
    )


def _line(one: Attendee, time: str, mail: str, *, hidden: bool) -> GuestLine:
    state = one.answer_for(time)
    words, tint = _words(state)
    notes = []
    if mail in {"held", "waiting"}:
        notes.append(_("the mail is on its way"))
    if mail == "parked":
        notes.append(_("the mail did not arrive"))
    if mail == "cancelled":
        notes.append(_("the mail was taken back"))
    if one.erased:
        notes.append(_("is sent nothing"))
    elif one.contact is not None and one.contact.trashed_at is not None:
        notes.append(_("in the trash: is sent nothing"))
    return GuestLine(
        one.id,
        str(_("A guest")) if hidden else one.shown_name,
        "" if hidden or not one.name or one.erased else one.address,
        _kind(one),
        state,
        words,
        tint,
        one.answered_at if state != WAITING else None,
        [str(one) for one in notes],
    )


def _kind(one: Attendee) -> str:
    if one.user_id is not None:
        return str(_("Colleague"))
    return str(_("Contact") if one.contact_id is not None else _("Outside"))


def _words(state: str) -> tuple[str, str]:
    """Say a state in a word, and in which tint it stands."""
    return {
        ACCEPTED: (str(_("Comes")), "ok"),
        TENTATIVE: (str(_("Maybe")), "warn"),
        DECLINED: (str(_("Does not come")), "danger"),
    }.get(state, (str(_("No answer yet")), ""))


def summary_of(states: Counter[str]) -> str:
    """Count the answers in one line."""
    said = []
    if states[ACCEPTED]:
        said.append(ngettext("%(num)d comes", "%(num)d come", states[ACCEPTED]))
    if states[TENTATIVE]:
        said.append(ngettext("%(num)d maybe", "%(num)d maybe", states[TENTATIVE]))
    if states[DECLINED]:
        said.append(
            ngettext("%(num)d does not come", "%(num)d do not come", states[DECLINED])
        )
    if states[WAITING]:
        said.append(
            ngettext("%(num)d not answered", "%(num)d not answered", states[WAITING])
        )
    return " · ".join(said)


def answers_to(entries: Iterable[Interaction]) -> dict[int, str]:
    """Count the answers to each of these entries, in one statement."""
    by_id = {one.id: one for one in entries}
    if not by_id:
        return {}
    query = (
        sa.select(Meeting, Attendee.answer, Attendee.answered_for)
        .join(Attendee, Attendee.meeting_id == Meeting.id)
        .where(Meeting.interaction_id.in_(by_id), Meeting.cancelled_at.is_(None))
        .where(Attendee.removed_at.is_(None))
    )
    counted: dict[int, Counter[str]] = {}
    for meeting, answer, answered_for in db.session.execute(query):
        entry = by_id[meeting.interaction_id]
        counts = counted.setdefault(entry.id, Counter())
        known = answered_for == time_of(meeting, entry)
        counts[answer if known else WAITING] += 1
    return {entry_id: summary_of(counts) for entry_id, counts in counted.items()}
