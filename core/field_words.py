"""What marshmallow says of a field, in the reader's language and for people."""

import re
from typing import Any

from core.i18n import _
from core.i18n import lazy_gettext as _l

# It speaks English only, and of programs' data.
_WORDS = {
    "Missing data for required field.": _l("Fill this in."),
    "Field may not be null.": _l("Fill this in."),
    "Not a valid integer.": _l("Write a whole number."),
    "Not a valid number.": _l("Write a number."),
    "Not a valid date.": _l("Write a date."),
    "Not a valid datetime.": _l("Write a day and a time."),
    "Not a valid email address.": _l(
        "Write an e-mail address, such as name@example.com."
    ),
    "Not a valid URL.": _l("Write an address that begins with https://"),
}
_LENGTH = re.compile(
    r"Length must be between (\d+) and (\d+)\."
    r"|Longer than maximum length (\d+)\."
    r"|Shorter than minimum length (\d+)\."
)
_RANGE = re.compile(
    r"Must be greater than or equal to (\S+?) and less than or equal to (\S+?)\."
    r"|Must be less than or equal to (\S+?)\."
    r"|Must be greater than or equal to (\S+?)\."
)


def in_words(said: Any) -> str:
    """Say for people what marshmallow says; anything else stays as it is."""
    text = str(said)
    if length := _LENGTH.fullmatch(text):
        return _of_length(*length.groups(default=""))
    if span := _RANGE.fullmatch(text):
        return _of_range(*span.groups(default=""))
    return str(_WORDS.get(text, text))


def _of_length(least: str, most: str, only_most: str, only_least: str) -> str:
    if only_least:
        return _("This is shorter than %(num)d characters.", num=int(only_least))
    if least not in {"", "0"}:
        return _(
            "Write between %(least)s and %(most)s characters.", least=least, most=most
        )
    return _("This is longer than %(num)d characters.", num=int(most or only_most))


def _of_range(least: str, most: str, only_most: str, only_least: str) -> str:
    if only_least:
        return _("Write a number of %(least)s or more.", least=only_least)
    if only_most:
        return _("Write a number of %(most)s or less.", most=only_most)
    return _("Write a number from %(least)s to %(most)s.", least=least, most=most)
