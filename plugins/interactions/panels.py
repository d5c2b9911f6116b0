"""What notes put on other pages: the timeline of a contact, "my day", the palette."""

from datetime import timedelta
from typing import Any

import flask_babel
from flask import request, url_for

from core.contacts.models import Contact
from core.db import Record, now
from core.i18n import lazy_gettext as _l
from core.interactions import timeline
from core.interactions.entries import show_entries
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.pages import Action, DayItem, MenuItem, PaletteItem, Panel
from core.permissions import can
from core.users.models import User
from plugins.interactions import linking
from plugins.interactions.answers import asked_for
from plugins.interactions.composer import composer_for
from plugins.interactions.meetings.panel import answers_to
from plugins.interactions.readers import choices
from plugins.interactions.story import story

SHOWN = 3


def for_record(record: Record, user: User) -> list[Panel]:
    """Give a contact's page its story, with the place to write on top."""
    if user.kind != "staff":
        return []
    if not isinstance(record, Contact):
        return linking.panel_of(record, user)
    offered = choices(user, record, follow_ups=True)
    context = story(record, user, offered=offered)
    # What is seldom asked for comes when it is.
    context["lazy"] = url_for("interactions.story", contact_id=record.id)
    context |= {"follow_ups": offered.follow_ups, "handed": offered.handed}
    if can(WRITE) and record.trashed_at is None:
        # A call that was begun before its caller was known goes on here.
        begun = asked_for(record) if "since" in request.args else {}
        context["composer"] = composer_for(
            record, user, offered=offered, target="#timeline", **begun
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
        ),
        *_following(record),
    ]


def _following(contact: Contact) -> list[Panel]:
    """Give the strip its place for who follows; the page fetches that when drawn."""
    if contact.trashed_at is not None:
        return []
    url = url_for("interactions.contact_followers", contact_id=contact.id)
    context = {"url": url, "contact": contact}
    template = "interactions/follow_slot.html"
    title = _l("Following")
    return [
        Panel(
            "interactions.following",
            title,
            template,
            context,
            READ,
            weight=90,
            place="strip",
        )
    ]


def menu(user: User) -> list[MenuItem]:
    """Give the line of the main menu; the portal has one by another name."""
    page, icon = "interactions.index", "chat-left-text"
    if user.kind != "staff":
        title = _l("Shared with you")
        return [MenuItem(title, page, READ, icon, weight=80, portal=True)]
    return [MenuItem(_l("Interactions"), page, READ, icon, weight=30, key="i")]


def palette(_user: User) -> list[PaletteItem]:
    """Give what Ctrl-K can do here."""
    call = url_for("interactions.new", kind="call")
    return [
        PaletteItem(_l("Write note"), url_for("interactions.new"), WRITE, "new"),
        PaletteItem(_l("Log call"), call, WRITE, "new"),
    ]


def actions(record: Record, user: User) -> list[Action]:
    """Give a contact's page, and its line on "my day", the way to log a call."""
    if user.kind != "staff":
        return []
    if not isinstance(record, Contact):
        return linking.actions_on(record, user)
    address = url_for("interactions.new", contact=record.id, kind="call")
    title = _l("Log call")
    dossier = url_for("interactions.dossier", contact_id=record.id)
    return [
        Action(title, address, WRITE, "telephone-outbound", 10, day=True, key="c"),
        Action(_l("Dossier"), dossier, READ, "printer", 90),
    ]


def day(user: User) -> list[DayItem]:
    """Give "my day" today's meetings, and what colleagues wrote on one's customers."""
    if user.kind != "staff":
        return []
    here = flask_babel.to_user_timezone(now())
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    planned, found, count = timeline.for_my_day(
        user, midnight - timedelta(days=1), midnight + timedelta(days=1), limit=SHOWN
    )
    items = []
    if planned:
        template, context = "interactions/day_now.html", _shown(planned, user)
        context["answers"] = answers_to(planned)
        items.append(
            DayItem("interactions.now", _l("Now"), template, context, READ, weight=5)
        )
    if found:
        context = {**_shown(found, user), "count": count}
        items.append(
            DayItem(
                "interactions.news",
                _l("Since yesterday"),
                "interactions/news.html",
                context,
                READ,
                weight=95,
                waits=False,
            )
        )
    return items


def _shown(entries: list[Interaction], user: User) -> dict[str, Any]:
    return {"entries": show_entries(entries, user)}
