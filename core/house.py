"""The house: its name, logo, colour, currency, language, zone and business hours."""

import re
from datetime import date, time
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import marshmallow as ma
from babel.core import get_global
from flask_babel import format_time, get_locale
from marshmallow import fields, validate

from core import settings
from core.colours import ENOUGH, WHITE, contrast, darkened_enough, is_colour
from core.i18n import LANGUAGES, _
from core.i18n import lazy_gettext as _l
from core.kinds import MOST_KINDS, KindOfHouse

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DAYS = {
    1: _l("Monday"),
    2: _l("Tuesday"),
    3: _l("Wednesday"),
    4: _l("Thursday"),
    5: _l("Friday"),
    6: _l("Saturday"),
    7: _l("Sunday"),
}


@lru_cache(maxsize=1)
def currencies() -> list[str]:
    """Name the currencies in use today (ISO 4217)."""
    uses = get_global("territory_currencies").values()
    return sorted(
        {
            code
            for use in uses
            for code, _start, end, tender in use
            if tender and not end
        }
    )


@lru_cache(maxsize=1)
def zones() -> list[str]:
    """Name the zones of the tz database."""
    return sorted(available_timezones())


def _check_brand(value: str) -> None:
    if not value:
        return
    if not is_colour(value):
        raise ma.ValidationError(_("Write a colour such as #0E6655."))
    ratio = contrast(value, WHITE)
    if ratio < ENOUGH:
        raise ma.ValidationError(
            _(
                "White words on this colour are hard to read (%(ratio)s:1, 4.5:1 is "
                "needed). The nearest shade that works is %(shade)s.",
                ratio=f"{ratio:.1f}",
                shade=darkened_enough(value),
            )
        )


def _check_clock(value: str) -> None:
    if not _CLOCK.fullmatch(value):
        raise ma.ValidationError(_("Write a time such as 09:00."))


def _check_currency(value: str) -> None:
    if value not in currencies():
        raise ma.ValidationError(_("Write a currency such as EUR, USD or CNY."))


def _check_zone(value: str) -> None:
    if value not in zones():
        raise ma.ValidationError(_("This time zone is not known."))


class HouseSettings(ma.Schema):
    """Who we are, to colleagues and in the portal."""

    class Meta:
        """Refuse what is not declared, so that a misspelt field is noticed."""

        unknown = ma.RAISE

    name = fields.String(
        load_default="Rapport",
        validate=validate.Length(min=1, max=80),
        metadata={
            "title": _l("Name of the house"),
            "description": _l("In the title of every page, and in the portal."),
            "pin": "HOUSE_NAME",
        },
    )
    # The SHA-256 of the picture; `core.admin` takes and shows it.
    logo = fields.String(
        load_default="",
        validate=validate.Regexp(r"([0-9a-f]{64})?\Z"),
        metadata={"title": _l("Logo"), "hidden": True},
    )
    brand = fields.String(
        load_default="",
        validate=_check_brand,
        metadata={
            "title": _l("Brand colour"),
            "description": _l(
                "For buttons and links of the portal, such as #0E6655; empty is ours."
            ),
        },
    )
    currency = fields.String(
        load_default="EUR",
        validate=_check_currency,
        metadata={
            "title": _l("Currency"),
            "description": _l("Amounts written so far keep their numbers."),
            "offers": currencies,
            "pin": "CURRENCY",
        },
    )
    language = fields.String(
        load_default="en",
        validate=validate.OneOf(list(LANGUAGES), labels=list(LANGUAGES.values())),
        metadata={
            "title": _l("Language"),
            "description": _l("New accounts begin with it; each reader may change."),
        },
    )
    timezone = fields.String(
        load_default="UTC",
        validate=_check_zone,
        metadata={
            "title": _l("Time zone"),
            "description": _l("New accounts begin with it; business hours are in it."),
            "offers": zones,
        },
    )
    open_days = fields.List(
        fields.Integer(
            strict=True, validate=validate.OneOf(list(_DAYS), list(_DAYS.values()))
        ),
        load_default=lambda: [1, 2, 3, 4, 5],
        validate=validate.Length(min=1),
        metadata={
            "title": _l("Working days"),
            "description": _l("Delivery days of orders are counted in them."),
        },
    )
    opens = fields.String(
        load_default="09:00",
        validate=_check_clock,
        metadata={"title": _l("Opens at"), "clock": True},
    )
    closes = fields.String(
        load_default="17:00",
        validate=_check_clock,
        metadata={
            "title": _l("Closes at"),
            "description": _l("Customers read the hours at the foot of the portal."),
            "clock": True,
        },
    )
    # Both have a page of their own: /admin/kinds.
    entry_kinds = fields.List(
        fields.Nested(KindOfHouse),
        load_default=list,
        validate=validate.Length(max=MOST_KINDS),
        metadata={"title": _l("Kinds of entries"), "hidden": True},
    )
    entry_templates = fields.Dict(
        keys=fields.String(validate=validate.Length(max=40)),
        values=fields.String(validate=validate.Length(max=10_000)),
        load_default=dict,
        metadata={"title": _l("Beginnings of entries"), "hidden": True},
    )


def house_currency() -> str:
    """Name the currency the house writes its amounts in (ISO 4217)."""
    currency: str = settings.get("house")["currency"]
    return currency


def is_working_day(day: date) -> bool:
    """Say whether the house works on `day`, by the days of its week."""
    return day.isoweekday() in settings.get("house")["open_days"]


def opening_words() -> str:
    """Say when the house is open, for its customers: "Mon–Fri 9:00–17:00"."""
    found: dict[str, Any] = settings.get("house")
    names = get_locale().days["format"]["abbreviated"]
    runs: list[list[int]] = []
    for day in sorted(found["open_days"]):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    days = ", ".join(
        names[run[0] - 1]
        if len(run) == 1
        else f"{names[run[0] - 1]}–{names[run[-1] - 1]}"
        for run in runs
    )
    opens, closes = (
        format_time(time.fromisoformat(found[key]), "short", rebase=False)
        for key in ("opens", "closes")
    )
    return f"{days} {opens}–{closes}"
