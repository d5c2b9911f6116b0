"""What differs between readers, as statements that are built once are told it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

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
    if not _preparing.get():
        return value
    return sa.bindparam(f"sight_{name}", expanding=isinstance(value, list))
