"""Moving a meeting by changing its entry: who gets the new time is looked at first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.audiences import AudienceSpec
from core.db import now
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE
from core.permissions import can
from core.readers import Readers, readers_of
from core.users.models import User
from plugins.interactions.meetings.guests import as_guest, digest_of, shown_to
from plugins.interactions.meetings.mails import is_on, written_to
from plugins.interactions.meetings.services import meeting_of
from plugins.interactions.meetings.wishes import Guest, Wish

NOT_OUTSIDE = _l("Your role may not write to customers or vendors.")


class MoveUnseen(Invalid):
    """Somebody outside would get a mail whom its sender was not shown."""

    def __init__(self, told: list[Guest], seen: str, readers: Readers | None):
        """Keep who gets the mail, and who reads the entry where that was looked at."""
        said = _("Look at who gets a mail with the new time, then save and send.")
        super().__init__(said, errors={"form": [str(said)]})
        self.told, self.seen, self.readers = told, seen, readers


def why_not(entry: Interaction, user: User, changes: Mapping[str, Any]) -> str | None:
    """Say why somebody may not move a meeting, put it in the trash or take it out.

    Guests outside get a mail of it, and that is not for everybody to send.
    """
    if not {"occurred_at", "trashed_at"} & changes.keys() or can(SHARE, user):
        return None
    meeting = meeting_of(entry)
    if meeting is None or meeting.cancelled_at is not None:
        return None
    latest = max(entry.occurred_at, changes.get("occurred_at") or entry.occurred_at)
    if latest + timedelta(minutes=meeting.minutes) <= now():
        return None  # Nobody is told of what is over.
    outside = any(one.user_id is None for one in meeting.expected)
    return str(NOT_OUTSIDE) if outside else None


def check_move(
    entry: Interaction, to: datetime, spec: AudienceSpec, *, seen: str, user: User
) -> None:
    """Refuse a new time that guests outside would be told of unseen.

    `seen` names the list that was looked at, `spec` says who will read the entry.
    Raises `MoveUnseen`, and `Invalid` for who may not write to people outside.
    """
    meeting = meeting_of(entry)
    if meeting is None or not is_on(meeting, entry):
        return
    if to + timedelta(minutes=meeting.minutes) <= now():
        return  # Nobody is told of what is over.
    wish = Wish(
        meeting.title,
        meeting.place,
        meeting.minutes,
        meeting.text,
        meeting.zone,
        tuple(as_guest(one) for one in meeting.expected),
    )
    told, _gone = written_to(meeting, Interaction(occurred_at=to), wish)
    if not any(one.outside for one in told):
        return
    if not can(SHARE, user):
        raise Invalid(errors={"occurred_at": [str(NOT_OUTSIDE)]})
    if seen == digest_of(told):
        return
    readers = readers_of(spec) if spec.kind == "shared" else None
    raise MoveUnseen(shown_to(user, told, meeting), digest_of(told), readers)
