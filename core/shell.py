"""What every template can use: the shell's menu, the house, filters for the reader."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

import flask_babel
from babel import dates
from flask import Flask, current_app, g, request, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import BuildError

from core import events
from core.audiences import Audience
from core.db import db
from core.i18n import LANGUAGES, _, get_locale, locale_code
from core.markup import excerpt, to_html
from core.pages import MenuItem, allowed
from core.permissions import can
from core.plugin_manager import contributions
from core.readers import describe
from core.records import record_types
from core.users.desk import keys_setting

log = logging.getLogger("rapport.shell")


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
    """Whose CRM this is."""

    name: str
    logo_url: str | None = None
    brand: str | None = None


def init_shell(app: Flask) -> None:
    """Give the templates of `app` their context and filters."""
    app.jinja_env.filters.update(
        datetime=show_datetime,
        date=show_date,
        ago=show_ago,
        money=show_money,
        number=flask_babel.format_decimal,
        markdown=to_html,
        excerpt=excerpt,
    )
    app.jinja_env.globals.update(
        can=can,
        audience_view=audience_view,
        languages=LANGUAGES,
        live_cursor=live_cursor,
        record_url=record_url,
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    return {
        # The account itself: through the proxy each of its names is looked up anew.
        "me": current_user._get_current_object(),
        "house": House(current_app.config["HOUSE_NAME"]),
        "locale": locale_code(),
        "menu": _Menu(),
        "keys": _keys,
    }


def _keys() -> dict[str, str] | str:
    """Give the keys of the reader; without a database they are the usual ones."""
    if not current_user.is_authenticated:
        return {}
    try:
        with db.contained():
            return keys_setting(current_user)
    except SQLAlchemyError:
        log.exception("the keys cannot be read")
        return {}


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
    found = contributions("menu_items", user=current_user)
    in_portal = current_user.kind != "staff"
    items = [
        one for one in found if isinstance(one, MenuItem) and one.portal == in_portal
    ]
    lines = [line for one in allowed(items) if (line := _line(one)) is not None]
    g.rapport_menu = lines
    return lines


def _line(item: MenuItem) -> MenuLine | None:
    """Draw one line; in production one that leads nowhere is left out."""
    try:
        url = item.url
    except BuildError:
        if current_app.testing or current_app.debug:
            raise
        log.exception("the menu item %s leads nowhere", item.endpoint)
        return None
    return MenuLine(item.title, url, item.icon, _is_current(url), item.count, item.key)


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
    return events.latest_cursor()


def show_datetime(moment: datetime | None, form: str = "short") -> Markup:
    """Write a moment in the reader's zone and language, the exact one on hover."""
    if moment is None:
        return Markup("")
    here, locale = _for_reader(moment)
    return _time(moment, here, locale, _moment(here, form, locale))


def show_date(day: date | None, form: str = "medium") -> str:
    """Write a day in the reader's language."""
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = _for_reader(day)[0].date()
    return _day(day, form, str(get_locale()))


def show_ago(moment: datetime | None) -> Markup:
    """Write how long ago: "today 14:20", "yesterday 9:05", else the date."""
    if moment is None:
        return Markup("")
    here, locale = _for_reader(moment)
    days = (_for_reader(datetime.now(UTC))[0].date() - here.date()).days
    if days == 0:
        words = _("today %(clock)s", clock=_minute(here, locale))
    elif days == 1:
        words = _("yesterday %(clock)s", clock=_minute(here, locale))
    else:
        words = _day(here.date(), "medium", locale)
    return _time(moment, here, locale, words)


def _for_reader(moment: datetime) -> tuple[datetime, str]:
    """Give a moment in the reader's zone, and the name of their locale."""
    return moment.astimezone(flask_babel.get_timezone()), str(get_locale())


def _time(moment: datetime, here: datetime, locale: str, words: str) -> Markup:
    exact = _moment(here, "full", locale)
    machine = moment.astimezone(UTC).isoformat()
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        machine, exact, words
    )


def _moment(here: datetime, form: str, locale: str) -> str:
    """Write a moment to the minute; the full form also names its zone."""
    words = [_minute(here, locale)]
    day = _day(here.date(), form, locale)
    if form == "full":
        winter_or_summer = here.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        words.append(_zone(str(here.tzinfo), winter_or_summer, locale))
    return _together(form, locale).format(" ".join(words), day)


def _minute(here: datetime, locale: str) -> str:
    return _clock(here.time().replace(second=0, microsecond=0), locale)


# A page writes the same days and minutes over and over, and Babel thinks long. What is
# kept is named without its zone: the same moment is equal in all of them.


@lru_cache(maxsize=4096)
def _day(day: date, form: str, locale: str) -> str:
    return str(dates.format_date(day, form, locale))


@lru_cache(maxsize=4096)
def _clock(clock: time, locale: str) -> str:
    return str(dates.format_time(clock, "short", locale=locale))


@lru_cache(maxsize=4096)
def _zone(name: str, hour: datetime, locale: str) -> str:
    zone = dates.get_timezone(name)
    return str(dates.get_timezone_name(hour.replace(tzinfo=zone), locale=locale))


@lru_cache(maxsize=64)
def _together(form: Any, locale: str) -> str:
    return str(dates.get_datetime_format(form, locale))


def show_money(amount: Decimal | None, currency: str | None = None) -> str:
    """Write money in the reader's way."""
    if amount is None:
        return ""
    return str(
        flask_babel.format_currency(amount, currency or current_app.config["CURRENCY"])
    )
