"""What search puts on other pages: the palette's answers, the portal's menu."""

from typing import Any

from core.i18n import lazy_gettext as _l
from core.pages import MenuItem
from core.permissions import can
from core.users.models import User
from plugins.search.permissions import READ
from plugins.search.suggesting import suggest


def menu(_user: User) -> list[MenuItem]:
    """Search in the portal's menu; the house has it on top of every page."""
    return [MenuItem(_l("Search"), "search.index", READ, "search", 80, portal=True)]


def palette(user: User, query: str) -> list[dict[str, Any]]:
    """What Ctrl-K finds while somebody types."""
    return list(suggest(user, query)) if can(READ) else []
