"""What a column's values look like in a backup, the same from both databases.

A row is one JSON list. Moments are `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, exact decimals
and JSON are strings, bytes are base64; the rest is as JSON has it.
"""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

Kind: TypeAlias = Literal[
    "integer", "numeric", "float", "boolean", "moment", "json", "bytes", "text"
]

# The first that fits counts: what is no number nor one of these is text to both.
_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Float, "float"),
    (sa.Numeric, "numeric"),
    (sa.DateTime, "moment"),
    (sa.JSON, "json"),
    (sa.LargeBinary, "bytes"),
)
# SQLite keeps `Amount` as a whole number of ten-thousandths.
_PLACES = 4


def kind_of(column_type: TypeEngine[Any]) -> Kind:
    """Name the kind of a column by the type the database says it has."""
    for known, kind in _KINDS:
        if isinstance(column_type, known):
            return kind
    return "text"


def from_sqlite(value: Any, kind: Kind) -> Any:
    """Write a value as SQLite's driver gives it."""
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "bytes":
        return b64encode(value).decode()
    return str(value) if kind == "numeric" else value


def from_postgresql(value: str | None, kind: Kind) -> Any:
    r"""Write a value as PostgreSQL's COPY gives it: as text, bytes as `\x…`."""
    if value is None:
        return None
    if kind == "integer":
        return int(value)
    if kind == "float":
        return float(value)
    if kind == "boolean":
        return value == "t"
    if kind == "bytes":
        return b64encode(bytes.fromhex(value[2:])).decode()
    if kind == "moment":
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(" ", "microseconds")
    return value


def to_sqlite(value: Any, kind: Kind) -> Any:
    """Give a value of a backup to SQLite's driver."""
    if value is None:
        return None
    return b64decode(value) if kind == "bytes" else value


def to_postgresql(value: Any, kind: Kind) -> str | None:
    """Give a value of a backup to PostgreSQL's COPY."""
    if value is None:
        return None
    if kind == "boolean":
        return "t" if value else "f"
    if kind == "bytes":
        return "\\x" + b64decode(value).hex()
    return f"{value}+00" if kind == "moment" else str(value)


def converted(value: Any, kind: Kind, target: Kind) -> Any:
    """Turn a value of one database's kind into that of the other's column."""
    if value is None or kind == target:
        return value
    if kind == "integer" and target == "numeric":
        return str(Decimal(value).scaleb(-_PLACES))
    if kind == "numeric" and target == "integer":
        return int(Decimal(value).scaleb(_PLACES))
    return value
