"""What differs between readers, as statements that are built once are told it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import db

_preparing: ContextVar[bool] = ContextVar("rapport_preparing", default=False)


@dataclass(frozen=True)
class Sight:
    """How far somebody sees: alike for many in `shape`, apart in `values`."""

    shape: tuple[str, str, bool]
    values: dict[str, Any]


@contextmanager
def preparing() -> Iterator[None]:
    """Have the conditions made in the block name what differs between readers."""
    token = _preparing.set(True)
    try:
        yield
    finally:
        _preparing.reset(token)


def told(name: str, value: Any) -> Any:
    """Give a value of the reader, or in a prepared statement its name."""
    return sa.bindparam(f"sight_{name}") if _preparing.get() else value


def told_among(column: Any, name: str, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Say that a column has one of the reader's values, or of what they are named."""
    if _preparing.get():
        return among(column, f"sight_{name}")
    # As below.
    return column.in_(values)  # type: ignore[no-any-return]


def among(column: Any, name: str) -> sa.ColumnElement[bool]:
    """Say that a column of ids or words has one of those told as the list `name`."""
    if db.dialect == "postgresql":
        # One parameter however many there are: as many of them as values are text that
        # is taken apart anew on each page, and a plan of its own for each number.
        kind: Any = sa.Integer if isinstance(column.type, sa.Integer) else sa.String
        told_list: Any = sa.bindparam(name, type_=ARRAY(kind()))
        return sa.type_coerce(column == sa.any_(told_list), sa.Boolean)
    # The column may be any model's, so its condition has no type of its own.
    return column.in_(sa.bindparam(name, expanding=True))  # type: ignore[no-any-return]
