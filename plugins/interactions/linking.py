"""What the pages of other records show of the entries that are linked to them."""

from flask import url_for

from core.contacts.models import Contact
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.interactions.entries import show_entries
from core.interactions.linked import entries_linked_to, linkable
from core.interactions.permissions import READ, WRITE
from core.pages import Action, Panel
from core.users.models import User
from core.visibility import contact_id_of

# Entries that a record's page shows.
SHOWN = 20


def panel_of(record: Record, user: User) -> list[Panel]:
    """Give the page of a record the entries that are linked to it."""
    if isinstance(record, Contact) or record.record_name() not in linkable(user):
        return []
    found = entries_linked_to(record, user, most=SHOWN + 1)
    shown = show_entries(found[:SHOWN], user)
    more = SHOWN if len(found) > SHOWN else 0
    return [
        Panel(
            "interactions.linked",
            _l("Notes about this"),
            "interactions/linked.html",
            {"entries": shown, "more": more, "add_url": _address(record)},
            READ,
            weight=20,
            types=("interaction.",),
            empty=not found,
        )
    ]


def actions_on(record: Record, user: User) -> list[Action]:
    """Give the page of a record the way to write about it."""
    if isinstance(record, Contact) or record.record_name() not in linkable(user):
        return []
    return [Action(_l("Write note"), _address(record), WRITE, "pencil-square", 60)]


def _address(record: Record) -> str:
    return url_for("interactions.new", contact=contact_id_of(record), link=record.ref)
