"""What a mapping does to the text of a cell: each is a step from text to a value."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n import _


def translate(words: Mapping[str, Any]) -> Callable[[str], Any]:
    """Replace words; `"*"` stands for all others, which else stay as they are."""
    return lambda value: words.get(value, words.get("*", value))


def split_at(sign: str) -> Callable[[str], list[str]]:
    """Make a list of what stands between the signs."""
    return lambda value: [part.strip() for part in value.split(sign) if part.strip()]


def take_words(which: str) -> Callable[[str], str | None]:
    """Take a part of a full name: its first or last word, or all but that one."""
    at = {"first": slice(0, 1), "but_first": slice(1, None)}
    at |= {"last": slice(-1, None), "but_last": slice(0, -1)}

    def take(value: str) -> str | None:
        words = value.replace(",", " ").split()
        # Of a single word there is a first one, and nothing else.
        if len(words) < 2 and which in {"last", "but_last"}:
            return value if which == "but_last" else None
        return " ".join(words[at[which]]) or None

    return take


WORDS = ("first", "last", "but_first", "but_last")


def read_date(form: str) -> Callable[[str], str]:
    """Read a day written in `form`, or in ISO 8601; the step raises `ValueError`."""

    def read(value: str) -> str:
        return _parse(value, form).date().isoformat()

    return read


def read_time(form: str, zone: ZoneInfo) -> Callable[[str], str]:
    """Read a moment written in `form`, in `zone` if it names none of its own."""

    def read(value: str) -> str:
        moment = _parse(value, form)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()

    return read


def _parse(value: str, form: str) -> datetime:
    """Read a day or time in the form the mapping names, or in ISO 8601."""
    with suppress(ValueError):
        return datetime.strptime(value, form)  # noqa: DTZ007 - the caller adds the zone
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        today = date(2026, 12, 31).strftime(form)
        said = _(
            "“%(value)s” is not a time such as %(example)s.",
            value=value[:60],
            example=today,
        )
        raise ValueError(said) from error


def read_number(sign: str) -> Callable[[str], str]:
    """Write a number with a decimal point and without what groups its thousands."""
    groups = str.maketrans("", "", " \u00a0\u202f'" + ("." if sign == "," else ","))
    return lambda value: value.translate(groups).replace(sign, ".")


# A spreadsheet runs what begins with one of these.
_RUNS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Put a ' before what a spreadsheet would run; `as_written` takes it away."""
    return f"'{text}" if text.lstrip("'").startswith(_RUNS) else text


def as_written(cell: str) -> str:
    """Take away the ' that `harmless` put there."""
    runs = cell.startswith("'") and cell.lstrip("'").startswith(_RUNS)
    return cell[1:] if runs else cell
