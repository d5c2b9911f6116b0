"""What every template can use: the shell's menu, the house, filters for the reader."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import flask_babel
from flask import Flask, current_app, g, request
from flask_login import current_user
from werkzeug.routing import BuildError

from core import cursors, settings
from core.audiences import Audience
from core.cells import draw_avatar, draw_name, draw_pick
from core.house import house_currency, opening_words
from core.i18n import LANGUAGES, locale_code, show_number, show_percent
from core.links import init_links, url_for
from core.markup import excerpt, to_html
from core.moments import show_ago, show_date, show_datetime
from core.notifications.services import MOST_COUNTED, readable, unread_count
from core.pages import MenuItem, allowed
from core.permissions import can
from core.plugin_manager import (
    contained,
    contributions,
    plugin_of,
    report_failure,
)
from core.readers import describe
from core.records import record_types
from core.statements import Prepared, at_once, prepared
from core.users import viewing
from core.users.desk import keys_setting


@dataclass(frozen=True)
class MenuLine:
    """One line of the menu as the shell draws it."""

    title: object
    url: str
    icon: str
    current: bool
    count: int | None
    key: str


@dataclass(frozen=True)
class House:
    """Whose CRM this is, as its pages show it."""

    name: str
    logo_url: str | None = None
    brand: str | None = None

    @property
    def hours(self) -> str:
        """When it is open, in the reader's language."""
        return opening_words()


def init_shell(app: Flask) -> None:
    """Give the templates of `app` their context and filters."""
    app.jinja_env.filters.update(
        datetime=show_datetime,
        date=show_date,
        ago=show_ago,
        money=show_money,
        number=show_number,
        percent=show_percent,
        markdown=to_html,
        excerpt=excerpt,
    )
    app.jinja_env.globals.update(
        can=can,
        audience_view=audience_view,
        draw_avatar=draw_avatar,
        draw_name=draw_name,
        draw_pick=draw_pick,
        languages=LANGUAGES,
        live_cursor=live_cursor,
        record_url=record_url,
    )
    init_links(app)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    return {
        # The account itself: through the proxy each of its names is looked up anew.
        "me": current_user._get_current_object(),
        "house": _house(),
        "locale": locale_code(),
        "menu": _Menu(),
        "notifications": _Bell(),
        "keys": _keys,
        "viewing": viewing.strip(),
    }


def _keys() -> dict[str, str] | str:
    """Give the keys of the reader; without a database they are the usual ones."""
    if not current_user.is_authenticated:
        return {}
    with contained("core.users", "keys"):
        return keys_setting(current_user._get_current_object())
    return {}


@dataclass(frozen=True)
class _Reading:
    """What every page reads of its reader, in one statement: `counts` by endpoint."""

    cursor: str
    unread: int
    counts: dict[str, int]


def _reading() -> _Reading:
    found: _Reading | None = g.get("rapport_reading")
    if found is None:
        counts: list[Prepared] = []
        counted: list[str] = []
        if current_user.is_authenticated:
            user = current_user._get_current_object()
            counts.append(prepared(user, unread_count, readable(user)))
            for item in _menu_items():
                if isinstance(item.count, Prepared):
                    counted.append(item.endpoint)
                    counts.append(item.count)
        edge, *numbers = at_once(cursors.edge_now, counts)
        by_endpoint: dict[str, int] = {}
        for endpoint, number in zip(counted, numbers[1:], strict=True):
            by_endpoint[endpoint] = by_endpoint.get(endpoint, 0) + number
        found = _Reading(
            cursors.written_cursor(edge), numbers[0] if numbers else 0, by_endpoint
        )
        g.rapport_reading = found
    return found


class _Bell:
    """The bell of the shell; the number is asked for only where it is drawn."""

    @property
    def url(self) -> str:
        """Where the notifications are."""
        return url_for("notifications.index")

    @property
    def live_url(self) -> str:
        """Where the number alone is drawn again."""
        return url_for("notifications.bell")

    @property
    def count(self) -> int:
        """How many are new."""
        return _reading().unread

    @property
    def words(self) -> str:
        """The number as it is drawn: nothing, 7, 99+."""
        most = MOST_COUNTED
        return f"{most}+" if self.count > most else str(self.count or "")


def _house() -> House:
    """Read the settings of the house; most pages have read them already."""
    found = settings.get("house")
    logo = found["logo"]
    url = url_for("admin.logo", sha256=logo) if logo else None
    return House(found["name"], url, found["brand"] or None)


class _Menu:
    """The menu lines, asked for only when a template draws a menu."""

    def __iter__(self) -> Any:
        return iter(menu())

    def __len__(self) -> int:
        return len(menu())


def menu() -> list[MenuLine]:
    """Collect the lines of the main menu of the current user."""
    if not current_user.is_authenticated:
        return []
    if "rapport_menu" in g:
        lines: list[MenuLine] = g.rapport_menu
        return lines
    firsts = {one.endpoint: one for one in reversed(_menu_items())}
    found = [
        line
        for one in _menu_items()
        if firsts[one.endpoint] is one and (line := _line(one)) is not None
    ]
    g.rapport_menu = found
    return found


def _menu_items() -> list[MenuItem]:
    if "rapport_menu_items" not in g:
        found = contributions("menu_items", user=current_user)
        in_portal = current_user.kind != "staff"
        g.rapport_menu_items = allowed(
            [
                one
                for one in found
                if isinstance(one, MenuItem) and one.portal == in_portal
            ]
        )
    items: list[MenuItem] = g.rapport_menu_items
    return items


def _line(item: MenuItem) -> MenuLine | None:
    """Draw one line; in production one that leads nowhere is left out."""
    try:
        url = item.url
    except BuildError as error:
        if current_app.testing or current_app.debug:
            raise
        report_failure(plugin_of(item), f"menu_items {item.endpoint}", error)
        return None
    count = item.count
    if isinstance(count, Prepared):
        count = _reading().counts.get(item.endpoint)
    here = _is_current(url)
    return MenuLine(item.title, url, item.icon, here, count or None, item.key)


def _is_current(url: str) -> bool:
    if url in {"/", url_for("core.home")} or (url.count("/") == 1 and url == "/portal"):
        return request.path == url
    return request.path == url or request.path.startswith(f"{url}/")


def audience_view(audience: Audience) -> Any:
    """Say in words who reads an entry, for the current reader."""
    return describe([audience], current_user)[audience.id]


def record_url(ref_or_record: Any) -> str | None:
    """Give the address at which the current user opens a record, or None."""
    kind = record_types().get(ref_or_record.record_name())
    return kind.url(ref_or_record, current_user) if kind else None


def live_cursor() -> str:
    """Mark this moment, so that live updates begin where the page was drawn."""
    return _reading().cursor


def show_money(amount: Decimal | None, currency: str | None = None) -> str:
    """Write money in the reader's way."""
    if amount is None:
        return ""
    return str(flask_babel.format_currency(amount, currency or house_currency()))
