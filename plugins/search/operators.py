"""What narrows a search in words: `type:ticket team:sales from:2026-03 tag:prices`.

Each is understood in every language of the house. What is none, or makes no sense,
is looked for like any other word: no query is ever an error.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from core.dates import read_date
from core.i18n import lazy_gettext as _l
from plugins.search.tokenising import straighten

Name = Literal["type", "team", "tag", "has", "customer", "from", "to"]

#: More than so many are not read; the rest are words.
MOST = 12

# A name, a colon (also the wide one of Chinese), and a value that may stand in quotes.
_OPERATOR = re.compile(
    r'(?<!\S)(?P<minus>-?)(?P<name>[^\W\d_]+)[:：](?P<value>"[^"]*"?|[^\s"]\S*)'
)
# The last one while it is still being typed.
_BEGUN = re.compile(r"(?<!\S)-?([^\W\d_]+)[:：]\s*$")
_YEAR = re.compile(r"(\d{4})")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")

#: What is offered while typing, in the reader's language.
OFFERED: Mapping[Name, object] = {
    "type": _l("type:"),
    "customer": _l("customer:"),
    "tag": _l("tag:"),
    "team": _l("team:"),
    "has": _l("has:"),
    "from": _l("from:"),
    "to": _l("to:"),
}
#: What people outside may narrow by: they are told nothing of teams and tags.
OUTSIDE = frozenset[Name]({"type", "from", "to"})
# The names in every language: a colleague's saved words are read by another.
_NAMES: Mapping[str, Name] = {
    **{"type": "type", "team": "team", "tag": "tag", "has": "has"},
    **{"customer": "customer", "from": "from", "to": "to"},
    **{"tyyppi": "type", "tiimi": "team", "tunniste": "tag", "sisältää": "has"},
    **{"asiakas": "customer", "alkaen": "from", "asti": "to"},
    **{"类型": "type", "团队": "team", "标签": "tag", "包含": "has"},
    **{"客户": "customer", "从": "from", "到": "to"},
}


@dataclass(frozen=True, slots=True)
class Operator:
    """One of them as it was typed; `text` is all of it."""

    name: Name
    value: str
    excluded: bool
    text: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is left of a query to look for, and what it is narrowed by.

    `since` and `until` are moments; what is dated at `until` is no longer meant.
    """

    words: str
    operators: tuple[Operator, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass
class _Reading:
    """What is read while the operators are taken out of a query."""

    allowed: frozenset[Name]
    now: datetime
    language: str
    meant: Callable[[Operator], bool]
    found: list[Operator] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None

    def take(self, match: re.Match[str]) -> str:
        """Give nothing for an operator, and anything else as it was."""
        name = _NAMES.get(match["name"].lower())
        value = match["value"].strip('"').strip()
        whole = match.group()
        if name not in self.allowed or not value or len(self.found) == MOST:
            return whole
        one = Operator(name, value, bool(match["minus"]), whole)
        if name in {"from", "to"}:
            if one.excluded or not self._period(one):
                return whole
        elif not self.meant(one):
            return whole
        self.found.append(one)
        return " "

    def _period(self, one: Operator) -> bool:
        span = period(one.value, self.now, self.language)
        if span is None:
            return False
        if one.name == "from":
            self.since = max(self.since or span[0], span[0])
        else:
            self.until = min(self.until or span[1], span[1])
        return True


def narrow(
    text: str,
    *,
    allowed: frozenset[Name],
    now: datetime,
    language: str,
    meant: Callable[[Operator], bool],
) -> Narrowed:
    """Take the operators out of a query.

    `now` is the present moment in the reader's zone, a `ZoneInfo`; `meant` says
    whether a value names anything this reader knows of, such as a team.
    """
    text = straighten(text)
    reading = _Reading(allowed, now, language, meant)
    begun = _BEGUN.search(text)
    if begun is not None and _NAMES.get(begun[1].lower()) in allowed:
        text = text[: begun.start()]
    words = _OPERATOR.sub(reading.take, text)
    return Narrowed(words, tuple(reading.found), reading.since, reading.until)


def period(text: str, now: datetime, language: str) -> tuple[datetime, datetime] | None:
    """Read a year, a month, a day or words such as "last week's Monday" as a span.

    Gives its beginning and the beginning of what follows, in the zone of `now`.
    """
    try:
        first, after = _days(text, now, language)
    except (ValueError, OverflowError, TypeError):
        return None
    begins, ends = (datetime.combine(one, time(), now.tzinfo) for one in (first, after))
    return begins, ends


def _days(text: str, now: datetime, language: str) -> tuple[date, date]:
    if found := _YEAR.fullmatch(text):
        year = int(found[1])
        return date(year, 1, 1), date(year + 1, 1, 1)
    if found := _MONTH.fullmatch(text):
        first = date(int(found[1]), int(found[2]), 1)
        return first, first + timedelta(monthrange(first.year, first.month)[1])
    if found := _DAY.fullmatch(text):
        day = date(*map(int, found.groups()))
    else:
        moment = read_date(text, now, language)
        if moment is None:
            raise ValueError(text)
        day = moment.date()
    return day, day + timedelta(1)


def offered(allowed: frozenset[Name]) -> list[str]:
    """Name those of the operators that are allowed, in the reader's language."""
    return [str(word) for name, word in OFFERED.items() if name in allowed]


def without(text: str, operator: Operator) -> str:
    """Give the query without one of its operators."""
    return " ".join(straighten(text).replace(operator.text, " ", 1).split())
