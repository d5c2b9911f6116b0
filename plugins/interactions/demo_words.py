"""Words for the notes of the demo company: what fits whom, and what fills the gaps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from core.contacts.models import Contact
from core.demo import Demo
from core.users.models import User

# Days from today at which the stories begin.
LONG_AGO = -728
# Office hours as the clock in Vantaa shows them.
_HOURS = {"Asia/Shanghai": (3, 11), "Asia/Taipei": (3, 11), "Europe/London": (10, 18)}
_USUAL_HOURS = (8, 16)


@dataclass(frozen=True)
class Words:
    """What can be told in one language."""

    language: str
    goods: Mapping[str, Sequence[str]]
    arcs: Sequence[Mapping[str, Any]]
    singles: Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Step:
    """One entry to write: by whom, how, on which day, and the words with gaps."""

    day: int
    how: Sequence[str]
    words: str


@dataclass
class Firm:
    """A customer or vendor whose story is told."""

    key: str
    contact: Contact
    owner: str
    people: list[Contact]
    places: Sequence[str]
    trade: str
    random: Random
    # Words that were said on this firm or its group; nothing is said twice.
    said: set[str] = field(default_factory=set)


def arcs_of(firm: Firm, words: Words) -> Iterator[Mapping[str, Any]]:
    """Give the stories that fit the firm's trade, in its own order."""
    fitting = [
        arc
        for arc in words.arcs
        if firm.trade != "vendor" and firm.trade in arc.get("trades", [firm.trade])
    ]
    for arc in firm.random.sample(fitting, len(fitting)):
        if arc["steps"][0][2] not in firm.said:
            yield arc


def singles_of(firm: Firm, words: Words, count: int) -> Iterator[Step]:
    """Give `count` single notes nobody has said on this firm, oldest first."""
    usual = [] if firm.trade == "vendor" else list(words.singles["any"])
    own = list(words.singles.get(firm.trade, []))
    fresh = [one for one in (*own, *usual) if one[1] not in firm.said]
    chosen = firm.random.sample(fresh, min(max(count, 0), len(fresh)))
    days = sorted(firm.random.randint(LONG_AGO, -1) for _one in chosen)
    for day, (how, text) in zip(days, chosen, strict=True):
        yield Step(day, how.split(), text)


def filling_of(firm: Firm, words: Words, day: int, demo: Demo) -> dict[str, Any]:
    """Choose what stands in the gaps of one story; it stays the same in it."""
    random = firm.random
    people = random.sample(firm.people, min(2, len(firm.people)))
    goods = [*words.goods.get(firm.trade, []), *words.goods["any"]]
    likely = goods[: max(4, len(words.goods.get(firm.trade, [])))]
    first, second = random.sample(likely, 2)
    week = (demo.today + timedelta(days=day + random.randint(7, 24))).isocalendar().week
    names = [one.given_name or one.name for one in people] or ["?"]
    if words.language == "zh":
        names = [one.name for one in people] or ["?"]
    eur = f"{random.randint(18, 940) * 10:,}"
    return {
        "people": people,
        "p": names[0],
        "q": names[-1],
        "g": first,
        "h": second,
        "site": random.choice(firm.places),
        "n": random.choice((24, 30, 40, 48, 60, 80, 96, 120, 150, 200, 240)),
        "k": random.randint(2, 9),
        "wk": week,
        "eur": eur.replace(",", "\N{NO-BREAK SPACE}")
        if words.language == "fi"
        else eur,
        "pct": random.choice((3, 4, 5, 6, 8)),
        "col": demo.users[firm.owner].name,
    }


def working_day(demo: Demo, day: int, random: Random) -> int:
    """Move a day off a weekend, Christmas, and half of July's days out of July."""
    on = demo.today + timedelta(days=day)
    if on.month == 7 and random.random() < 0.5:
        day -= 24
    elif (on.month, on.day) in {(12, 24), (12, 25), (12, 26), (1, 1), (1, 6), (5, 1)}:
        day -= 5
    weekday = (demo.today + timedelta(days=day)).weekday()
    return day - max(0, weekday - 4)


def time_of_day(author: User, random: Random) -> str:
    """Give a time in the office hours of `author`."""
    first, last = _HOURS.get(author.timezone, _USUAL_HOURS)
    return f"{random.randint(first, last):02}:{minute(random)}"


def minute(random: Random) -> str:
    """Give a minute, as a clock shows it."""
    return f"{random.randint(0, 59):02}"
