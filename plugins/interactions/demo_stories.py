"""Two years of notes for the demo company: stories told with its people and places.

The same company comes out every time: each customer has a random generator of its own,
begun with its key, and what counts from today only moves with the day.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Affiliation, Contact
from core.db import db
from core.demo import Demo
from core.interactions.models import Interaction
from core.interactions.services import pin_interaction, write_interaction
from core.readers import choose_audience
from core.users.models import User

_DATA = Path(__file__).parent / "data"
_LONG_AGO = -728
# Who answers for support, the warehouse and the house, by the language they write.
_STAFF = {
    "en": {"s": ("sami", "emma"), "w": ("olli",), "m": ("helena",)},
    "fi": {"s": ("noora",), "w": ("kalle",), "m": ("helena",)},
    "zh": {"s": ("yating",), "w": ("olli",), "m": ("helena",)},
}
# Office hours as the clock in Vantaa shows them.
_HOURS = {"Asia/Shanghai": (3, 11), "Asia/Taipei": (3, 11), "Europe/London": (10, 18)}
_USUAL_HOURS = (8, 16)
# Colleagues have whole stories to tell of this many in a hundred entries.
_IN_ARCS = 55


@dataclass(frozen=True)
class _Words:
    """What can be told in one language."""

    language: str
    goods: Mapping[str, Sequence[str]]
    arcs: Sequence[Mapping[str, Any]]
    singles: Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True)
class _Step:
    """One entry to write: by whom, how, on which day, and the words with gaps."""

    day: int
    how: Sequence[str]
    words: str


@dataclass
class _Firm:
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


def tell_stories(demo: Demo) -> None:
    """Write what the story files tell about everybody who is in `stories.toml`."""
    plan = tomllib.loads((_DATA / "stories.toml").read_text("utf-8"))
    words = {name: _read_words(name) for name in _STAFF}
    teller = _Teller(demo)
    said: dict[int, set[str]] = {}
    for key, count in plan["count"].items():
        firm = _firm(demo, key, plan["places"].get(key))
        firm.said = said.setdefault(firm.contact.parent_id or firm.contact.id, set())
        written = demo.users[firm.owner].language
        second = plan["second"].get(key)
        here = count * 65 // 100 if second else count
        teller.tell(firm, words[written], here)
        if second:
            firm.people = [one for one in firm.people if one.id not in teller.accounts]
            teller.tell(firm, words[second], count - here)


def _read_words(language: str) -> _Words:
    file = tomllib.loads((_DATA / f"stories_{language}.toml").read_text("utf-8"))
    return _Words(language, file["goods"], file["arcs"], file["singles"])


def _firm(demo: Demo, key: str, places: Sequence[str] | None) -> _Firm:
    contact = demo.contacts[key]
    joined = sa.select(Affiliation.person_id).where(
        Affiliation.organisation_id == contact.id
    )
    people = db.session.scalars(
        sa.select(Contact)
        .where(Contact.id.in_(joined), Contact.do_not_contact.is_(False))
        .order_by(Contact.id)
    )
    owners = (key for key, one in demo.users.items() if one.id == contact.owner_id)
    trade = "vendor" if contact.roles == ["vendor"] else contact.tags[0]
    city = contact.addresses[0]["city"]
    return _Firm(
        key=key,
        contact=contact,
        owner=next(one for one in sorted(owners) if one not in {"sales", "admin"}),
        people=list(people),
        places=places or [city],
        trade=trade,
        random=Random(f"Lehto Supply, {key}"),  # noqa: S311 - a tale, no secret
    )


class _Teller:
    """Writes entries and keeps the audiences it has asked for."""

    def __init__(self, demo: Demo):
        self.demo = demo
        self.accounts = {
            one.person_id: key for key, one in demo.users.items() if one.person_id
        }
        self._specs: dict[tuple[int, str, int], AudienceSpec | None] = {}

    def tell(self, firm: _Firm, words: _Words, count: int) -> None:
        """Tell about `count` entries on `firm`: stories first, then single notes."""
        left = count
        for arc in _arcs(firm, words):
            if left * 100 < count * (100 - _IN_ARCS):
                break
            left -= self._tell_arc(firm, words, arc)
        for step in _singles(firm, words, left):
            self._write(firm, words, step, _filling(firm, words, step.day, self.demo))

    def _tell_arc(self, firm: _Firm, words: _Words, arc: Mapping[str, Any]) -> int:
        start = firm.random.randint(_LONG_AGO, -8)
        filling = _filling(firm, words, start, self.demo)
        before: Interaction | None = None
        told = 0
        for after, how, text in arc["steps"]:
            if start + after >= 0:
                break
            step = _Step(start + after, how.split(), text)
            before = self._write(firm, words, step, filling, before) or before
            told += 1
        return told

    def _write(
        self,
        firm: _Firm,
        words: _Words,
        step: _Step,
        filling: Mapping[str, Any],
        before: Interaction | None = None,
    ) -> Interaction | None:
        both = "{p}" in step.words and "{q}" in step.words
        if not firm.people or (both and len(firm.people) == 1):
            return None
        people = [p for k, p in zip("pq", filling["people"], strict=False)
                  if f"{{{k}}}" in step.words]  # fmt: skip
        firm.said.add(step.words)
        who, kind, *rest = step.how
        code = next((one for one in rest if one in "TSCP"), "")
        day = _working_day(self.demo, step.day, firm.random)
        if who == "c":
            return self._hear(firm, step, kind, filling, day)
        key = self._colleague(firm, words, who)
        author = self.demo.users[key]
        answers = before if "re" in rest and code != "P" else None
        if answers is not None and answers.audience.kind == "shared":
            answers = None
        with self.demo.acting(key):
            entry = write_interaction(
                [firm.contact, *people],
                author=author,
                body=step.words.format(**filling),
                kind=kind,
                audience=None if answers else self._spec(author, code, firm.contact),
                occurred_at=self.demo.day(day, _time(author, firm.random)),
                parent=answers,
            )
            if "pin" in rest:
                pin_interaction(entry)
        return entry

    def _hear(
        self, firm: _Firm, step: _Step, kind: str, filling: Mapping[str, Any], day: int
    ) -> Interaction:
        """Write down the customer's own words: their message, or their mail."""
        person = filling["people"][0]
        body = step.words.format(**filling)
        account = self.accounts.get(person.id)
        at = f"{firm.random.choice((7, 8, 9, 11, 14, 16, 20))}:{_minute(firm.random)}"
        moment = self.demo.day(day, at.zfill(5))
        owner = self.demo.users[firm.owner]
        if account is not None:
            with self.demo.acting(account):
                return write_interaction(
                    firm.contact,
                    author=self.demo.users[account],
                    body=body,
                    kind="message",
                    occurred_at=moment,
                )
        with self.demo.acting(firm.owner):
            return write_interaction(
                [firm.contact, person],
                author=None,
                author_name=person.name,
                body=body,
                kind="email",
                direction="in",
                audience=self._spec(owner, "T", firm.contact),
                occurred_at=moment,
            )

    def _colleague(self, firm: _Firm, words: _Words, who: str) -> str:
        if who == "o":
            # A second language is another colleague's.
            same = self.demo.users[firm.owner].language == words.language
            return firm.owner if same else "juho"
        chosen = firm.random.choice(_STAFF[words.language][who])
        return "wei" if chosen == firm.owner == "yating" else chosen

    def _spec(self, author: User, code: str, contact: Contact) -> AudienceSpec | None:
        key = (author.id, code, contact.id)
        if key not in self._specs:
            self._specs[key] = self._chosen(author, code, contact)
        return self._specs[key]

    def _chosen(self, author: User, code: str, contact: Contact) -> AudienceSpec | None:
        if code == "T":
            buys = contact.roles == ["vendor"]
            teams = ["Purchasing", "Warehouse"] if buys else ["Sales", "Support"]
            return choose_audience(author, "teams", teams=teams)
        if code == "S":
            return choose_audience(author, "staff")
        if code == "P":
            users = [self.demo.users["helena"].id]
            return choose_audience(author, "private", users=users)
        return choose_audience(author, "shared" if code else None, contact=contact)


def _arcs(firm: _Firm, words: _Words) -> Iterator[Mapping[str, Any]]:
    """Give the stories that fit the firm's trade, in its own order."""
    fitting = [
        arc
        for arc in words.arcs
        if firm.trade != "vendor" and firm.trade in arc.get("trades", [firm.trade])
    ]
    for arc in firm.random.sample(fitting, len(fitting)):
        if arc["steps"][0][2] not in firm.said:
            yield arc


def _singles(firm: _Firm, words: _Words, count: int) -> Iterator[_Step]:
    """Give `count` single notes nobody has said on this firm, oldest first."""
    usual = [] if firm.trade == "vendor" else list(words.singles["any"])
    own = list(words.singles.get(firm.trade, []))
    fresh = [one for one in (*own, *usual) if one[1] not in firm.said]
    chosen = firm.random.sample(fresh, min(max(count, 0), len(fresh)))
    days = sorted(firm.random.randint(_LONG_AGO, -1) for _one in chosen)
    for day, (how, text) in zip(days, chosen, strict=True):
        yield _Step(day, how.split(), text)


def _filling(firm: _Firm, words: _Words, day: int, demo: Demo) -> dict[str, Any]:
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


def _working_day(demo: Demo, day: int, random: Random) -> int:
    """Move a day off a weekend, Christmas, and half of July's days out of July."""
    on = demo.today + timedelta(days=day)
    if on.month == 7 and random.random() < 0.5:
        day -= 24
    elif (on.month, on.day) in {(12, 24), (12, 25), (12, 26), (1, 1), (1, 6), (5, 1)}:
        day -= 5
    weekday = (demo.today + timedelta(days=day)).weekday()
    return day - max(0, weekday - 4)


def _time(author: User, random: Random) -> str:
    first, last = _HOURS.get(author.timezone, _USUAL_HOURS)
    return f"{random.randint(first, last):02}:{_minute(random)}"


def _minute(random: Random) -> str:
    return f"{random.randint(0, 59):02}"
