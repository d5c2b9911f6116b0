"""Statements that are built once and run many times, whoever asks.

Putting a large SELECT together costs more than running it. A page that reads the same
way for everybody says how in a function, and passes what differs as parameters.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask import current_app

from core.db import Model, db
from core.sight import preparing
from core.users.models import User
from core.visibility import sight_of

# A statement is some ten kilobytes; there are fewer shapes than this.
_MOST = 500


@dataclass(frozen=True)
class Prepared:
    """A statement, and what it must be told of its reader."""

    statement: sa.Select[Any]
    values: dict[str, Any]
    # Whether it is built for this reader alone.
    own: bool = False
    # Whether records stand among its columns.
    records: bool = True

    def told(self, **values: Any) -> "Prepared":
        """Give it with `values` for its own parameters."""
        return replace(self, values=self.values | values)

    def rows(self, **values: Any) -> Sequence[Any]:
        """Run it with `values` for its own parameters; give its rows."""
        if self.records:
            return db.session.execute(self.statement, self.values | values).all()
        return _rows(self.statement, self.values | values)

    def scalars(self, **values: Any) -> list[Any]:
        """Run it and give the first column, each record once."""
        found = db.session.scalars(self.statement, self.values | values)
        return list(found.unique())


def prepared(
    user: User, build: Callable[..., sa.Select[Any]], *shape: Hashable
) -> Prepared:
    """Give what `build(user, *shape)` says, built once for all who see alike.

    `build` is a function of a module. It may ask what kind of user it is for and use
    `visible_to` and `visible_conditions`; every other value has to be a
    `sa.bindparam`, or part of the `shape`.
    """
    sight = sight_of(user)
    if sight is None:
        return Prepared(build(user, *shape), {}, own=True)
    kept: dict[Any, Prepared]
    kept = current_app.extensions.setdefault("rapport_statements", {})
    key = (build, sight.shape, shape)
    found = kept.get(key)
    if found is None:
        if len(kept) > _MOST:
            kept.clear()
        with preparing():
            statement = build(user, *shape)
        kinds = [one["type"] for one in statement.column_descriptions]
        records = any(isinstance(one, type) and issubclass(one, Model) for one in kinds)
        found = kept[key] = Prepared(statement, {}, records=records)
    return replace(found, values=sight.values)


def at_once(
    first: Callable[[], sa.ColumnElement[Any]], counts: Sequence[Prepared]
) -> Sequence[Any]:
    """Read a column and prepared counts in one statement, put together once.

    Raises `ValueError` when two counts give a parameter of one name other values.
    """
    asked = [one.statement for one in counts]
    kept: dict[Any, Any] = current_app.extensions.setdefault("rapport_together", {})
    # A statement that is kept cannot have its identity taken by another.
    key = first, *map(id, asked)
    statement, _asked = kept.get(key, (None, None))
    if statement is None:
        statement = sa.select(first(), *(one.scalar_subquery() for one in asked))
        if not any(one.own for one in counts):
            if len(kept) > _MOST:
                kept.clear()
            kept[key] = statement, asked
    values: dict[str, Any] = {}
    for one in counts:
        for name in values.keys() & one.values.keys():
            if values[name] != one.values[name]:
                raise ValueError(f"two counts name a parameter {name!r}")
        values |= one.values
    row: Sequence[Any] = _rows(statement, values)[0]
    return row


def _rows(statement: sa.Select[Any], values: dict[str, Any]) -> Sequence[Any]:
    """Read plain columns: the session would look in each row for records to keep."""
    if db.session.autoflush:
        db.session.flush()
    rows: Sequence[Any] = db.session.connection().execute(statement, values).all()
    return rows
