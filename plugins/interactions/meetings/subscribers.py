"""Meetings follow their entries: moved, put in the trash, taken out of it."""

from core.db import db
from core.events import Event, Subscriber
from core.interactions.models import Interaction
from core.records import parse_ref
from core.users.models import User
from plugins.interactions.meetings.mails import settle
from plugins.interactions.meetings.services import meeting_of

MATTERS = {"occurred_at", "trashed_at"}


def follow_entry(event: Event) -> None:
    """Tell guests that the time has changed, or that the meeting is off, or on again.

    Running twice is harmless: guests are told what they do not know.
    """
    if not MATTERS & set(event.data.get("fields", [])):
        return
    subject = parse_ref(event.subject)
    entry = db.session.get(Interaction, subject[1]) if subject else None
    meeting = meeting_of(entry) if entry is not None else None
    if entry is None or meeting is None:
        return
    by = db.session.get(User, event.actor_id) if event.actor_id else None
    settle(meeting, entry, by=by)


ALL = [Subscriber("interactions.meetings", ("interaction.updated",), follow_entry)]
