"""What the words of an entry ask for: "remind me in 3 days", "3天后提醒我"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.dates import MORNING, read_date
from core.db import now
from core.i18n import reader
from core.interactions.models import Interaction
from core.markup import excerpt, to_text
from core.users.models import User
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import FARTHEST, plan_follow_up

# Where such words begin; pages look for them before they ask the server.
ASKED = r"remind me|muistuta m|提醒"
_ASKED = re.compile(
    r"\b(?P<en>remind me)\b|\bmuistuta (?:minua|mua)\b|(?P<zh>提醒(?:一下)?我)",
    re.IGNORECASE,
)
# A dot ends a clause, but not one behind a figure: that is a date.
_END = re.compile(r"[;!?,\n。；！？，、]|(?<!\d)\.(?=\s|$)")
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_WHOLE_DAYS = re.compile(
    r"(?:days?|weeks?|päivän|viikon|[天日周]|星期)\b|[天日周期]以?[后後]"
)
_CHINESE_DATE = re.compile(r"[天日号周期月点點时小分:：]")
_FIGURES = re.compile(r"[\d.,:]+")
# Weekdays in short, which are words of another kind in an English sentence.
_NO_DAYS = {"ma", "ti", "ke", "to", "pe", "la", "su"}
# "Where he sat", at the end of one.
_NO_LAST_DAYS = _NO_DAYS | {"sat", "sun"}
# No moment has more words, and no Chinese one more signs.
_MOST_WORDS, _MOST_SIGNS = 6, 14


@dataclass(frozen=True)
class Asked:
    """A moment that the words of an entry ask to be reminded at."""

    words: str
    at: datetime


def asked_in(body: str) -> Asked | None:
    """Read the first reminder that a text asks for, as its writer means it now.

    Nothing is guessed: it has to name a moment to come, right after the words that
    ask for it or at the end of the clause; in Chinese also before them.
    """
    here = now().astimezone(reader()[0])
    text = _QUOTED.sub("", body)
    for found in _ASKED.finditer(text):
        for words in _moments(text, found):
            at = _read(words, here)
            if at is not None:
                return Asked(words, at)
    return None


def _moments(text: str, found: re.Match[str]) -> Iterator[str]:
    """Give what may be the moment, the longest first."""
    after = _END.split(text[found.end() : found.end() + 300], maxsplit=1)[0].strip()
    if found["zh"]:
        before = _END.split(text[max(0, found.start() - 50) : found.start()])[-1]
        before = before.strip()[-_MOST_SIGNS:]
        tries = [before[at:] for at in range(len(before))]
        tries += [after[:end] for end in range(min(len(after), _MOST_SIGNS), 0, -1)]
        yield from (one for one in tries if _CHINESE_DATE.search(one))
        return
    words = [one.rstrip(".") for one in after.split()]
    first, last = (_NO_DAYS, _NO_LAST_DAYS) if found["en"] else (set(), set())
    for end in range(min(len(words), _MOST_WORDS), 0, -1):
        if first.isdisjoint(one.casefold() for one in words[:end]):
            yield " ".join(words[:end])
    for begin in range(max(0, len(words) - _MOST_WORDS), len(words)):
        some = words[begin:]
        if last.isdisjoint(one.casefold() for one in some):
            said = " ".join(some)
            if _FIGURES.fullmatch(said) is None:
                yield said


def _read(words: str, here: datetime) -> datetime | None:
    if words.isdecimal():
        # "Remind me 3 things": a figure alone is no time of day here.
        return None
    found = read_date(words, here, quick=True)
    if found is None or not here < found < here + FARTHEST:
        return None
    same = found.time() == here.time().replace(second=0, microsecond=0)
    if same and found.date() != here.date() and _WHOLE_DAYS.search(words.casefold()):
        # In three days is in the morning of that day, not at this minute.
        return datetime.combine(found.date(), MORNING, found.tzinfo)
    return found


def plan_asked(entry: Interaction, *, author: User, without: str) -> FollowUp | None:
    """Plan the reminder that the words of a new entry ask for, for its author.

    `without` are the words whose reminder they took away before saving.
    """
    asked = asked_in(entry.body)
    if asked is None or asked.words == without or entry.contact is None:
        return None
    text = excerpt(to_text(entry.body), 200)
    return plan_follow_up(
        entry.contact, author=author, text=text, due_at=asked.at, entry=entry
    )
