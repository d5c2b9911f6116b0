"""What documents put on other pages: the panel of a contact, menus, buttons."""

from flask import url_for

from core.contacts.models import Contact
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.pages import Action, MenuItem, PaletteItem, Panel
from core.readers import describe
from core.users.models import User
from plugins.documents.finding import FEW, of_contact
from plugins.documents.permissions import READ, WRITE
from plugins.documents.services import max_upload
from plugins.documents.words import STATES


def for_record(record: Record, user: User) -> list[Panel]:
    """Give the panel with a contact's newest documents."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    found = of_contact(user, record)
    shown = found[:FEW]
    all_url = url_for("documents.index", contact=record.id)
    return [
        Panel(
            "documents.list",
            _l("Documents"),
            "documents/panel.html",
            {
                "documents": shown,
                "badges": lambda: describe((one.audience for one in shown), user),
                "states": STATES,
                "max_upload": max_upload(),
                "all_url": all_url if len(found) > FEW else "",
            },
            READ,
            weight=40,
            types=("documents.document.",),
            empty=not found,
            add_url=url_for("documents.new", contact=record.id),
        )
    ]


def actions(record: Record, user: User) -> list[Action]:
    """Give the button that adds a document to a contact."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    url = url_for("documents.new", contact=record.id)
    return [Action(_l("Add document"), url, WRITE, "file-earmark-arrow-up", weight=60)]


def menu(_user: User) -> list[MenuItem]:
    """Give the lines of the main menus: the house's, and the portal's."""
    title = _l("Documents")
    return [
        MenuItem(title, "documents.index", READ, "folder2", weight=40, key="f"),
        MenuItem(
            title, "documents.portal_index", READ, "folder2", weight=60, portal=True
        ),
    ]


def palette(_user: User) -> list[PaletteItem]:
    """Give what Ctrl-K can do with documents."""
    return [
        PaletteItem(_l("Add document"), url_for("documents.new"), WRITE, "new"),
    ]
