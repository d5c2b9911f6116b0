"""How a person is called in others' words, and which rows say so.

The database finds what may be meant, by LIKE; what is meant is judged here, as words:
a name within a longer name and a number within a longer number are somebody else's.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from core.contacts.erasing.emptying import personal_columns
from core.contacts.finding import fold
from core.contacts.models import Contact, ContactKey
from core.db import db
from core.users.models import User

# A shorter number is an extension, a room or a quantity as well.
_FEWEST_DIGITS = 7
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_BEFORE_WORD, _AFTER_WORD = r"(?<![\w-])", r"(?!-?\w)"
_BEFORE_ADDRESS, _AFTER_ADDRESS = r"(?<![\w.+@-])", r"(?![\w@-]|\.\w)"


@dataclass(frozen=True)
class Called:
    """What names a person: names, e-mail addresses and telephone numbers."""

    names: frozenset[str]
    addresses: frozenset[str]
    numbers: frozenset[str]

    @cached_property
    def telling(self) -> "Called":
        """Leave out names of one word: they mean others as well."""
        names = {one for one in self.names if _is_telling(one)}
        return Called(frozenset(names), self.addresses, self.numbers)

    @cached_property
    def spellings(self) -> frozenset[str]:
        """Give how it may stand in a column: as it is, and as JSON writes it."""
        plain = {*self.names, *self.addresses, *self.numbers}
        plain |= {_digits(one) for one in self.numbers}
        return frozenset(spelling for one in plain for spelling in _spellings(one))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = [_name_pattern(one) for one in self.names]
        parts += [
            f"{_BEFORE_ADDRESS}{re.escape(one)}{_AFTER_ADDRESS}"
            for one in self.addresses
        ]
        parts += [rf"(?<!\d){_number_pattern(one)}(?!\d)" for one in self.numbers]
        return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)

    def is_in(self, value: Any) -> bool:
        """Say whether a cell, text or JSON, names the person."""
        if isinstance(value, str):
            return self._pattern.search(value) is not None
        if isinstance(value, dict):
            return any(self.is_in(one) for pair in value.items() for one in pair)
        return isinstance(value, list) and any(self.is_in(one) for one in value)


def called(contacts: Iterable[Contact], accounts: Iterable[User] = ()) -> Called:
    """Say how contacts and their accounts are called, short numbers left out."""
    names: set[str] = set()
    addresses: set[str] = set()
    numbers: set[str] = set()
    for one in contacts:
        names.add(one.name.strip())
        addresses |= {str(mail["address"]).strip() for mail in one.emails}
        numbers |= {str(phone["number"]).strip() for phone in one.phones}
    for account in accounts:
        names.add(account.name.strip())
        addresses.add(account.email.strip())
    numbers = {one for one in numbers if len(_digits(one)) >= _FEWEST_DIGITS}
    return Called(
        frozenset(names - {""}), frozenset(addresses - {""}), frozenset(numbers)
    )


def theirs_alone(what: Called, ids: Iterable[int]) -> Called:
    """Leave out what names another contact too, as an office's number does."""
    mine = list(ids)
    key = ContactKey
    others = sa.select(key.value).join(Contact, Contact.id == key.contact_id)
    others = others.where(
        Contact.id.not_in(mine),
        Contact.erased_at.is_(None),
        Contact.merged_into_id.is_(None),
    )
    small = [one.lower() for one in what.addresses]
    own = sa.select(key.value).where(key.contact_id.in_(mine), key.kind == "phone")
    addresses = set(
        db.session.scalars(others.where(key.kind == "email", key.value.in_(small)))
    )
    numbers = {
        _end(one)
        for one in db.session.scalars(
            others.where(key.kind == "phone", key.value.in_(own))
        )
    }
    folded = [fold(one) for one in what.names]
    alike = sa.select(Contact.sort_name).where(
        Contact.sort_name.in_(folded),
        Contact.id.not_in(mine),
        Contact.merged_into_id.is_(None),
    )
    names = set(db.session.scalars(alike))
    return Called(
        frozenset(one for one in what.names if fold(one) not in names),
        frozenset(one for one in what.addresses if one.lower() not in addresses),
        frozenset(one for one in what.numbers if _end(one) not in numbers),
    )


def mentioning(
    table: sa.Table, what: Called, *wanted: sa.Column[Any]
) -> list[tuple[Any, ...]]:
    """Give the `wanted` columns of the rows that name somebody in a personal one."""
    columns = personal_columns(table)
    if not columns or not what.spellings:
        return []
    query = sa.select(*wanted, *columns).where(
        sa.or_(*(_has_one_of(one, what.spellings) for one in columns))
    )
    return [
        tuple(row[: len(wanted)])
        for row in db.session.execute(query.execution_options(yield_per=200))
        if any(what.is_in(value) for value in row[len(wanted) :])
    ]


def _has_one_of(
    column: sa.Column[Any], spellings: Iterable[str]
) -> sa.ColumnElement[bool]:
    text = sa.func.lower(sa.cast(column, sa.Text))
    return sa.or_(*(text.contains(one, autoescape=True) for one in sorted(spellings)))


def _is_telling(name: str) -> bool:
    if _IDEOGRAPH.search(name):
        return len(name) > 1
    return len(name.split()) > 1


def _name_pattern(name: str) -> str:
    words = r"\s+".join(re.escape(one) for one in name.split())
    if len(_IDEOGRAPH.findall(name)) > 2:
        # Chinese puts no space between words; two characters are within many others.
        return words
    return f"{_BEFORE_WORD}{words}{_AFTER_WORD}"


def _digits(number: str) -> str:
    return "".join(one for one in number if one.isascii() and one.isdigit())


def _end(number: str) -> str:
    # However the country is written before it.
    return _digits(number)[-_FEWEST_DIGITS:]


def _number_pattern(number: str) -> str:
    return r"[\s()./-]*".join(_digits(number))


def _spellings(name: str) -> Iterator[str]:
    # SQLite makes only ASCII small.
    ascii_only = "".join(one.lower() if one.isascii() else one for one in name)
    for one in {ascii_only, name.lower()}:
        yield one
        for plain in (True, False):
            yield json.dumps(one, ensure_ascii=plain)[1:-1].lower()
