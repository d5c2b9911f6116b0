"""Two years of notes for the demo company: stories told with its people and places.

The same company comes out every time: each customer has a random generator of its own,
begun with its key, and what counts from today only moves with the day.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from plugins.interactions.demo_words import (
    LONG_AGO,
    Firm,
    Step,
    Words,
    arcs_of,
    filling_of,
    minute,
    singles_of,
    time_of_day,
    working_day,
)

_DATA = Path(__file__).parent / "data"
# Who answers for support, the warehouse and the house, by the language they write.
_STAFF: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {"s": ("sami", "emma"), "w": ("olli",), "m": ("helena",)},
    "fi": {"s": ("noora",), "w": ("kalle",), "m": ("helena",)},
    "zh": {"s": ("yating",), "w": ("olli",), "m": ("helena",)},
}
# Colleagues have whole stories to tell of this many in a hundred entries.
_IN_ARCS = 55


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
            # Single notes only: the stories have been told once already.
            spare = replace(words[second], arcs=())
            teller.tell(firm, spare, count - here)


def _read_words(language: str) -> Words:
    file = tomllib.loads((_DATA / f"stories_{language}.toml").read_text("utf-8"))
    return Words(language, file["goods"], file["arcs"], file["singles"])


def _firm(demo: Demo, key: str, places: Sequence[str] | None) -> Firm:
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
    return Firm(
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
        self.packers = {demo.users[key].id for key in ("olli", "kalle")}
        self._specs: dict[tuple[int, str, int], AudienceSpec | None] = {}

    def tell(self, firm: Firm, words: Words, count: int) -> None:
        """Tell about `count` entries on `firm`: stories first, then single notes."""
        left = count
        for arc in arcs_of(firm, words):
            if left * 100 < count * (100 - _IN_ARCS):
                break
            left -= self._tell_arc(firm, words, arc)
        for step in singles_of(firm, words, left):
            self._write(firm, words, step, filling_of(firm, words, step.day, self.demo))

    def _tell_arc(self, firm: Firm, words: Words, arc: Mapping[str, Any]) -> int:
        start = firm.random.randint(LONG_AGO, -8)
        filling = filling_of(firm, words, start, self.demo)
        before: Interaction | None = None
        told = 0
        for after, how, text in arc["steps"]:
            if start + after >= 0:
                break
            step = Step(start + after, how.split(), text)
            before = self._write(firm, words, step, filling, before) or before
            told += 1
        return told

    def _write(
        self,
        firm: Firm,
        words: Words,
        step: Step,
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
        day = working_day(self.demo, step.day, firm.random)
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
                occurred_at=self.demo.day(day, time_of_day(author, firm.random)),
                parent=answers,
            )
            if "pin" in rest:
                pin_interaction(entry)
        return entry

    def _hear(
        self, firm: Firm, step: Step, kind: str, filling: Mapping[str, Any], day: int
    ) -> Interaction:
        """Write down the customer's own words: their message, or their mail."""
        person = filling["people"][0]
        body = step.words.format(**filling)
        account = self.accounts.get(person.id)
        at = f"{firm.random.choice((7, 8, 9, 11, 14, 16, 20))}:{minute(firm.random)}"
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

    def _colleague(self, firm: Firm, words: Words, who: str) -> str:
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
            teams = ["Purchasing", "Sales"] if buys else ["Sales", "Support"]
            return choose_audience(author, "teams", teams=teams)
        if code == "S" or (not code and author.id in self.packers):
            # What the warehouse notes is for everybody.
            return choose_audience(author, "staff")
        if code == "P":
            users = [self.demo.users["helena"].id]
            return choose_audience(author, "private", users=users)
        return choose_audience(author, "shared" if code else None, contact=contact)
