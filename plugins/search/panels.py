"""What search puts on other pages: the palette's answers, the portal's menu."""

from typing import Any

from core.db import Record
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.pages import MenuItem, PaletteItem, Panel
from core.permissions import can
from core.records import record_type_of
from core.users.models import User
from plugins.search.permissions import MANAGE, READ
from plugins.search.suggesting import suggest


def menu(_user: User) -> list[MenuItem]:
    """Search in the portal's menu; the house has it on top of every page."""
    return [MenuItem(_l("Search"), "search.index", READ, "search", 80, portal=True)]


def places(_user: User) -> list[PaletteItem]:
    """Where Ctrl-K can go: administrators to the health of the index."""
    address = url_for("search.health_page")
    return [PaletteItem(_l("Search index"), address, MANAGE, "places")]


def related(record: Record, user: User) -> list[Panel]:
    """What else is about the same, beside a record; asked for when it is seen."""
    kind = record_type_of(record)
    if user.kind != "staff" or kind is None or not kind.alike:
        return []
    return [
        Panel(
            "search.related",
            _l("Like this"),
            "search/related_panel.html",
            {"url": url_for("search.related_to", ref=record.ref)},
            READ,
            weight=80,
        )
    ]


def palette(user: User, query: str) -> list[dict[str, Any]]:
    """What Ctrl-K finds while somebody types."""
    return list(suggest(user, query)) if can(READ) else []
