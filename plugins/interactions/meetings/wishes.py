"""What a meeting is to be: its words for guests, and who they are."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.i18n import LANGUAGES
from plugins.interactions.meetings.models import PLACE_LENGTH, TITLE_LENGTH, Meeting


@dataclass(frozen=True)
class Guest:
    """Somebody to invite, by the address the mail goes to."""

    address: str
    name: str = ""
    user_id: int | None = None
    contact_id: int | None = None
    language: str = "en"
    # What whoever sends it should see first: the words are for them.
    marks: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Give what makes two of them the same: the address in small letters."""
        return self.address.lower()

    @property
    def outside(self) -> bool:
        """Say whether the mail leaves the house."""
        return self.user_id is None


@dataclass(frozen=True)
class Wish:
    """An invitation as somebody wants it to be: `wished` makes one."""

    title: str
    place: str = ""
    minutes: int = 60
    text: str = ""
    zone: str = "UTC"
    guests: tuple[Guest, ...] = field(default=())


def wished(
    *,
    title: str,
    place: str,
    minutes: int,
    text: str,
    zone: str,
    guests: Iterable[Guest],
) -> Wish:
    """Clean what was typed, so that it is what will be told."""
    return Wish(
        one_line(title)[:TITLE_LENGTH],
        one_line(place)[:PLACE_LENGTH],
        minutes,
        lines(text),
        zone,
        tuple(guests),
    )


def one_line(text: str) -> str:
    """Make one line of words: nothing in it can begin another line of a mail."""
    return " ".join(_printable(text, keep="").split())


def lines(text: str) -> str:
    """Keep the lines of a text, and nothing else that controls."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _printable(plain, keep="\n").strip()


def _printable(text: str, *, keep: str) -> str:
    # Line and paragraph separators too: to some programs they begin a line; and the
    # mark of byte order, which reading takes away.
    controls = {"Cc", "Zl", "Zp", "Cs"}
    return "".join(
        one if one in keep or unicodedata.category(one) not in controls else " "
        for one in text.replace("\ufeff", "")
    )


def language_of(*codes: str) -> str:
    """Give the first of these that is a language of ours."""
    return next((one for one in codes if one in LANGUAGES), "en")


def remember(meeting: Meeting) -> dict[str, Any]:
    """Write down how a meeting is, so that it can be so again."""
    return {
        "title": meeting.title,
        "place": meeting.place,
        "minutes": meeting.minutes,
        "text": meeting.text,
        "zone": meeting.zone,
        "off": meeting.cancelled_at is not None,
        "guests": [one.id for one in meeting.expected],
    }
