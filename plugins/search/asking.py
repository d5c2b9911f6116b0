"""What a reader asks for: the words, what narrows them, and what they may see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa

from core import settings
from core.contacts.finding import fold, matching
from core.contacts.models import Affiliation, Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db, now
from core.i18n import reader
from core.permissions import can
from core.records import RecordType, record_types
from core.users.models import Team, User
from core.visibility import contact_ids_of, labels_of, visible_to
from plugins.search.analysis import Analyser
from plugins.search.attached import hanging
from plugins.search.backend import Order, SearchRequest
from plugins.search.engine import analyser
from plugins.search.house_words import HouseWords, read_words, with_house_words
from plugins.search.operators import OFFERED, OUTSIDE, Name, Narrowed, Operator, narrow
from plugins.search.planning import MAX_QUERY, plan_query

# Seconds after which what was found so far is the answer.
DEADLINE = 0.3
# `customer:` that means more contacts is words: with a part of them alone, a list
# would lack some, and one that leaves them out would show some.
MOST_CUSTOMERS = 20_000


@dataclass(frozen=True)
class Refined:
    """How a reader wants the hits: in which order, and none older than so many days.

    With `counting`, all hits are counted by type and by team.
    """

    order: Order = "best"
    days: int | None = None
    counting: bool = False


AS_FOUND = Refined()


@dataclass(frozen=True)
class Asked:
    """A query as it was understood; `request` is None when nothing is looked for.

    `too_many` are operators that mean too many contacts, and so are words.
    """

    request: SearchRequest | None
    narrowed: Narrowed
    too_many: tuple[str, ...] = ()


def house_words() -> HouseWords:
    """Give the words of this house; they are read anew when somebody changed them."""
    said = settings.get("search")
    return _read(tuple(said["synonyms"]), tuple(said["stop_words"]), analyser())


@lru_cache(maxsize=4)
def _read(
    synonyms: tuple[str, ...], stop_words: tuple[str, ...], analyser: Analyser
) -> HouseWords:
    return read_words(synonyms, stop_words, analyser)


def readable_types(user: User) -> dict[str, RecordType]:
    """Give the searched record types that `user` may read at all, by name."""
    return {
        name: kind
        for name, kind in record_types().items()
        if kind.document is not None and can(kind.permission, user)
    }


def allowed_for(user: User) -> frozenset[Name]:
    """Say which operators `user` may narrow by."""
    if user.kind != "staff":
        return OUTSIDE
    # What is found by a number or an address would tell which contact it is of.
    hidden: set[Name] = set() if can(READ_CONTACTS, user) else {"customer"}
    return frozenset(OFFERED) - hidden


def ask(
    user: User,
    text: str,
    *,
    types: Iterable[str] = (),
    limit: int = 20,
    offset: int = 0,
    typing: bool = False,
    refined: Refined = AS_FOUND,
) -> Asked:
    """Say what `text` asks for; `types` are full or short names of record types."""
    meaning = _Meaning(user)
    narrowed = _narrowed(user, text, meaning)
    plan = plan_query(narrowed.words, analyser(), typing=typing)
    plan = with_house_words(plan, house_words(), analyser())
    chosen = meaning.types(frozenset(types))
    narrows, too_many = bool(narrowed.operators), tuple(meaning.too_many)
    if not chosen or not (plan.groups or narrows):
        return Asked(None, narrowed, too_many)
    request = SearchRequest(
        plan=plan,
        labels=labels_of(user),
        types=chosen,
        contact_ids=contact_ids_of(user),
        only_contacts=meaning.customers,
        no_contacts=meaning.other_customers,
        facets=tuple(meaning.facets),
        no_facets=frozenset(meaning.no_facets),
        since=_microseconds(_later(narrowed.since, refined.days)),
        until=_microseconds(narrowed.until),
        without_words=narrows and not plan.groups,
        order=refined.order,
        counting=refined.counting,
        limit=limit,
        offset=offset,
        deadline=DEADLINE,
    )
    return Asked(request, narrowed, too_many)


def _narrowed(user: User, text: str, meaning: "_Meaning") -> Narrowed:
    zone, locale = reader()
    return narrow(
        text[:MAX_QUERY],
        allowed=allowed_for(user),
        now=now().astimezone(zone),
        language=locale.partition("_")[0],
        meant=meaning.understands,
    )


def _later(since: datetime | None, days: int | None) -> datetime | None:
    if days is None:
        return since
    # By the hour, so that pages that follow one another begin at the same moment.
    begins = now().replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    return begins if since is None else max(since, begins)


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1_000_000)


class _Meaning:
    """What the operators of one query mean to one reader."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._readable = readable_types(user)
        self._only_types: set[str] = set()
        self._no_types: set[str] = set()
        self.facets: list[frozenset[str]] = []
        self.no_facets: set[str] = set()
        self.customers: frozenset[int] | None = None
        self.other_customers: frozenset[int] = frozenset()
        self.too_many: dict[str, None] = {}

    def types(self, asked: frozenset[str]) -> frozenset[str]:
        """Give the names of the types to look at; an unknown one finds nothing."""
        chosen = {
            name
            for name, kind in self._readable.items()
            if not asked or name in asked or kind.short in asked
        }
        if self._only_types:
            chosen &= self._only_types
        return frozenset(chosen - self._no_types)

    def understands(self, one: Operator) -> bool:
        """Note what an operator means; False when it means nothing."""
        if one.name == "type":
            return self._type(one)
        if one.name == "customer":
            return self._customer(one)
        if one.name == "has":
            return self._narrow(one, self._attached(one))
        return self._narrow(one, self._values(one))

    def _type(self, one: Operator) -> bool:
        found = {kind.name for kind in self._called(one.value)}
        (self._no_types if one.excluded else self._only_types).update(found)
        return bool(found)

    def _called(self, value: str) -> list[RecordType]:
        wanted = fold(value)
        return [
            kind
            for name, kind in self._readable.items()
            if wanted in {name, kind.short} or fold(str(kind.title)).startswith(wanted)
        ]

    def _attached(self, one: Operator) -> set[str]:
        known = {kind.name for kind, _column in hanging()}
        kinds = (kind for kind in self._called(one.value) if kind.name in known)
        return {facet("has", kind.short) for kind in kinds}

    def _customer(self, one: Operator) -> bool:
        region = str(settings.get("contacts")["region"])
        query = visible_to(self._user, Contact).where(*matching(one.value, region))
        named = query.with_only_columns(Contact.id).order_by(None).cte("named")
        ids = sa.select(named.c.id)
        # What was said with the people of a firm was said with the firm.
        people = sa.select(Affiliation.person_id).where(
            Affiliation.organisation_id.in_(ids)
        )
        both = ids.union(people).limit(MOST_CUSTOMERS + 1)
        found = frozenset(db.session.scalars(both))
        if len(found) > MOST_CUSTOMERS:
            self.too_many[one.text] = None
            return False
        if not found:
            return False
        if one.excluded:
            self.other_customers |= found
        else:
            self.customers = (self.customers or frozenset()) | found
        return True

    def _narrow(self, one: Operator, wanted: set[str]) -> bool:
        if not wanted:
            return False
        if one.excluded:
            self.no_facets |= wanted
        else:
            self.facets.append(frozenset(wanted))
        return True

    def _values(self, one: Operator) -> set[str]:
        value = fold(one.value)
        if one.name == "team":
            teams: Mapping[int, str] = {
                row.id: row.name
                for row in db.session.execute(sa.select(Team.id, Team.name))
            }
            return {
                facet("team", number)
                for number, name in teams.items()
                if fold(name).startswith(value)
            }
        return {facet(one.name, value.lstrip("#"))}


def facet(name: str, value: object) -> str:
    """Write what a record can be narrowed by as the index has it."""
    return f"{name}:{fold(str(value))}"
