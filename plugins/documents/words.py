"""Words on screen that several pages of documents say."""

from typing import Any

from core.i18n import lazy_gettext as _l

# States of a text as a word and its kind; what was read needs no word.
STATES: dict[str, tuple[Any, str]] = {
    "pending": (_l("being read"), ""),
    "empty": (_l("no text"), ""),
    "unsupported": (_l("text not read"), ""),
    "encrypted": (_l("encrypted"), "warn"),
    "failed": (_l("not readable"), "danger"),
}
