"""What follow-ups put on other pages: "my day", the menu, a contact's buttons."""

from core.contacts.models import Contact
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.interactions.permissions import READ, WRITE
from core.links import url_for
from core.pages import Action, DayItem, DayLine, MenuItem
from core.users.models import User
from plugins.interactions.follow_ups.reading import MOST_OF_DAY, count_due, due_for
from plugins.interactions.follow_ups.words import line_of


def menu(user: User) -> list[MenuItem]:
    """Add what is due to the number beside "my day"."""
    if user.kind != "staff":
        return []
    count = count_due(user)
    title = _l("My day")
    return [MenuItem(title, "core.home", READ, "sun", 11, count=count, key="d")]


def actions(record: Record, user: User) -> list[Action]:
    """Give a contact's page the way to be reminded."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    address = url_for("interactions.follow_up_new", contact=record.id)
    return [Action(_l("Remind me"), address, WRITE, "alarm", 45)]


def day(user: User) -> list[DayItem]:
    """Give "my day" what is due, in one list with the next steps of contacts."""
    found = due_for(user, most=MOST_OF_DAY + 1)
    if not found:
        return []
    context = {}
    if len(found) > MOST_OF_DAY:
        context = {"more_url": url_for("interactions.follow_up_index")}
    return [
        DayItem(
            "interactions.follow_ups",
            _l("Follow up"),
            "interactions/follow_up_line.html",
            context,
            READ,
            weight=11,
            joins="follow_up",
            lines=[
                DayLine(one.remind_at, {"line": line_of(one, user)})
                for one in found[:MOST_OF_DAY]
            ],
        )
    ]
