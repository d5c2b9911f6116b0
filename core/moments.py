"""Days and moments as the reader writes them: their zone, their language."""

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import Any, Literal

from babel import dates
from markupsafe import Markup

from core.i18n import _, reader


def show_datetime(moment: datetime | None, form: str = "medium") -> Markup:
    """Write a moment in the reader's zone and language, the exact one on hover."""
    if moment is None:
        return Markup("")
    return _exact(moment, *reader(), form)


def show_date(day: date | None, form: str = "medium") -> str:
    """Write a day in the reader's language."""
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = _for_reader(day)[0].date()
    return _day(day, form, reader()[1])


def show_ago(moment: datetime | None) -> Markup:
    """Write how long ago: "today 14:20", "yesterday 9:05", else the date."""
    if moment is None:
        return Markup("")
    zone, locale = reader()
    return _ago(moment, zone, locale, datetime.now(zone).date())


def _for_reader(moment: datetime) -> tuple[datetime, str]:
    """Give a moment in the reader's zone, and the name of their locale."""
    zone, locale = reader()
    return moment.astimezone(zone), locale


def _time(moment: datetime, here: datetime, locale: str, words: str) -> Markup:
    exact = _moment(here, "full", locale)
    machine = moment.astimezone(UTC).isoformat()
    return Markup('<time datetime="%s" title="%s">%s</time>') % (machine, exact, words)


def _moment(here: datetime, form: str, locale: str) -> str:
    """Write a moment to the minute; the full form also names its zone."""
    words = [_minute(here, locale)]
    day = _day(here.date(), form, locale)
    if form == "full":
        words.append(_zone(str(here.tzinfo), bool(here.dst()), locale))
    return _together(form, locale).format(" ".join(words), day)


def _minute(here: datetime, locale: str) -> str:
    return _clock(here.time().replace(second=0, microsecond=0), locale)


# A page writes the same days and minutes over and over, and Babel thinks long. What is
# kept is named with its zone beside it: the same moment is equal in all of them.


@lru_cache(maxsize=4096)
def _exact(moment: datetime, zone: tzinfo, locale: str, form: str) -> Markup:
    here = moment.astimezone(zone)
    return _time(moment, here, locale, _moment(here, form, locale))


@lru_cache(maxsize=4096)
def _ago(moment: datetime, zone: tzinfo, locale: str, today: date) -> Markup:
    here = moment.astimezone(zone)
    days = (today - here.date()).days
    if days == 0:
        words = _("today %(clock)s", clock=_minute(here, locale))
    elif days == 1:
        words = _("yesterday %(clock)s", clock=_minute(here, locale))
    else:
        words = _day(here.date(), "medium", locale)
    return _time(moment, here, locale, words)


@lru_cache(maxsize=4096)
def _day(day: date, form: str, locale: str) -> str:
    return str(dates.format_date(day, form, locale))


@lru_cache(maxsize=4096)
def _clock(clock: time, locale: str) -> str:
    return str(dates.format_time(clock, "short", locale=locale))


@lru_cache(maxsize=4096)
def _zone(name: str, summer: bool, locale: str) -> str:
    zone = dates.get_timezone(name)
    variant: Literal["daylight", "standard"] = "daylight" if summer else "standard"
    return str(dates.get_timezone_name(zone, zone_variant=variant, locale=locale))


@lru_cache(maxsize=64)
def _together(form: Any, locale: str) -> str:
    return str(dates.get_datetime_format(form, locale))
