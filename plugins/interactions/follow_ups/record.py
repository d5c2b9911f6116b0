"""How a follow-up is titled, linked, and taken back."""

from core.i18n import lazy_gettext as _l
from core.interactions.permissions import READ, WRITE
from core.links import url_for
from core.records import RecordType, Undo
from core.users.models import User
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import put_back_follow_up


def address(follow_up: FollowUp, user: User) -> str | None:
    """Give the page of a follow-up, which only colleagues have."""
    if user.kind != "staff":
        return None
    return url_for("interactions.follow_up_show", follow_up_id=follow_up.id)


_FIELDS = {
    "text": _l("What is to be done"),
    "due_at": _l("When"),
    "after_minutes": _l("When"),
    "snoozed_until": _l("Snoozed"),
    "done_at": _l("Done"),
    "owner_id": _l("Owner"),
    "repeat_every": _l("Repeats"),
    "repeat_unit": _l("Repeats"),
    "trashed_at": _l("Trash"),
}
RECORD = RecordType(
    FollowUp,
    _l("Follow-up"),
    "alarm",
    READ,
    label=lambda follow_up: follow_up.text,
    url=address,
    undo=Undo(WRITE, _FIELDS, put_back_follow_up),
)
