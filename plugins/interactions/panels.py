"""What notes put on other pages: the timeline of a contact, "my day", the palette."""

from datetime import timedelta

from flask import url_for

from core.contacts.models import Contact
from core.db import Record, now
from core.i18n import lazy_gettext as _l
from core.interactions import timeline
from core.interactions.entries import show_entries
from core.interactions.permissions import READ, WRITE
from core.pages import Action, DayItem, MenuItem, PaletteItem, Panel
from core.permissions import can
from core.users.models import User
from plugins.interactions.composer import composer_for
from plugins.interactions.readers import choices
from plugins.interactions.story import story


def for_record(record: Record, user: User) -> list[Panel]:
    """Give a contact's page its story, with the place to write on top."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    offered = choices(user, record)
    context = story(record, user, offered=offered)
    if can(WRITE) and record.trashed_at is None:
        context["composer"] = composer_for(
            record, user, offered=offered, target="#timeline"
        )
    # The list of entries asks for itself when something happens: it alone knows the
    # contacts that roll up into it. So the panel as a whole listens to nothing.
    return [
        Panel(
            "interactions.timeline",
            _l("Timeline"),
            "interactions/panel.html",
            context,
            READ,
            weight=10,
            place="main",
        )
    ]


def actions(record: Record, user: User) -> list[Action]:
    """Give a contact's page the button that logs a call in its composer."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    url = url_for("interactions.new", contact=record.id, kind="call")
    return [Action(_l("Log call"), url, WRITE, "telephone-outbound", 10, key="c")]


def menu(user: User) -> list[MenuItem]:
    """Give the line of the main menu; the portal has one by another name."""
    page, icon = "interactions.index", "chat-left-text"
    if user.kind != "staff":
        title = _l("Shared with you")
        return [MenuItem(title, page, READ, icon, weight=80, portal=True)]
    return [MenuItem(_l("Interactions"), page, READ, icon, weight=30, key="i")]


def palette(_user: User) -> list[PaletteItem]:
    """Give what Ctrl-K can do here."""
    return [
        PaletteItem(_l("Write note"), url_for("interactions.new"), WRITE, "new"),
    ]


def day(user: User) -> list[DayItem]:
    """Give "my day" what colleagues wrote on one's own customers since yesterday."""
    if user.kind != "staff":
        return []
    since = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    found = timeline.on_own_contacts(user, since)
    if not found:
        return []
    return [
        DayItem(
            "interactions.news",
            _l("Since yesterday, by colleagues on your customers"),
            "interactions/news.html",
            {"entries": show_entries(found, user)},
            READ,
            weight=40,
        )
    ]
