"""What hand-overs put on other pages: "my day", a contact's page and its buttons."""

from core.contacts.models import Contact
from core.contacts.permissions import READ, WRITE
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.pages import Action, DayItem
from core.users.deputies import looked_after_by
from core.users.models import User
from plugins.interactions.follow_ups.words import know_of
from plugins.interactions.hand_overs.services import open_hand_overs


def actions(record: Record, user: User) -> list[Action]:
    """Give a contact's page the way to pass it on."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    address = url_for("interactions.hand_over_new", contact=record.id)
    return [Action(_l("Hand over"), address, WRITE, "arrow-left-right", 80)]


def day(user: User) -> list[DayItem]:
    """Give "my day" what was handed to its reader, and what they handed on."""
    found = open_hand_overs(user)
    if not found:
        return []
    desks = looked_after_by(user)
    mine = [one for one in found if one.receiver_id in desks]
    context = {
        "mine": [(one, know_of(one.contact)) for one in mine],
        "given": [one for one in found if one.receiver_id not in desks],
    }
    return [
        DayItem(
            "interactions.hand_overs",
            _l("Handed over"),
            "interactions/hand_over_day.html",
            context,
            READ,
            weight=8,
            waits=bool(mine),
        )
    ]
