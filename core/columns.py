"""Column types that mean the same on both databases."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from core.i18n import lazy_gettext as _l

# What a primary key holds on PostgreSQL.
_LARGEST = 2**31 - 1


def now() -> datetime:
    """Tell the time, in UTC, with its zone."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps it without a zone, Python always has one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Turn any zone into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Amount(TypeDecorator[Decimal]):
    """An exact decimal with four places: money, or a discount.

    SQLite has no exact decimal, so there it is an integer of ten-thousandths;
    sums in SQL stay exact on both databases.
    """

    impl = sa.Numeric(18, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type of the database in use."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.Numeric(18, 4))

    def process_bind_param(
        self, value: Decimal | int | None, dialect: Dialect
    ) -> Decimal | int | None:
        """Scale for SQLite."""
        if value is None:
            return None
        exact = Decimal(value).quantize(Decimal("0.0001"))
        return int(exact * 10_000) if dialect.name == "sqlite" else exact

    def process_result_value(
        self, value: Decimal | int | None, dialect: Dialect
    ) -> Decimal | None:
        """Scale back."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(value).scaleb(-4)
        return Decimal(value)


def id_in(text: object) -> int | None:
    """Read the id of a row as somebody sent it; None for what can be none."""
    digits = str(text)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        return None
    return int(digits) if int(digits) <= _LARGEST else None


# JSON that PostgreSQL can also look into. Assign a new value to change it: what is
# altered in place is not noticed.
JSONType = sa.JSON().with_variant(JSONB(), "postgresql")


# What stands in a column whose words were erased for good, where NULL or nothing would
# mean something else; nobody can type it into a field by accident.
_ERASED = "\u2400erased"
ERASED_PERSON = f"{_ERASED} person"
ERASED_ORGANISATION = f"{_ERASED} organisation"
ERASED_WORDS = f"{_ERASED} words"
_SHOWN = {
    ERASED_PERSON: _l("Erased person"),
    ERASED_ORGANISATION: _l("Erased organisation"),
    ERASED_WORDS: _l("Erased"),
}


def _shown(value: str | None) -> str | None:
    if value is not None and value.startswith(_ERASED):
        return str(_SHOWN.get(value, value))
    return value


class Erasable(TypeDecorator[str]):
    """Text that says, once it was erased, that it was: in the reader's language.

    `erased` is what the column then holds, by default `ERASED_PERSON`: for names.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int, erased: str = ERASED_PERSON) -> None:
        """Take at most `length` characters."""
        super().__init__(length)
        self.erased = erased

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Say it in the reader's language."""
        return _shown(value)


class ErasableText(TypeDecorator[str]):
    """The same for a long text."""

    impl = sa.Text
    cache_ok = True
    erased = ERASED_WORDS

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Say it in the reader's language."""
        return _shown(value)
