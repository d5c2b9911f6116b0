"""Column types that mean the same on both databases."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


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


# JSON that PostgreSQL can also look into. Assign a new value to change it: what is
# altered in place is not noticed.
JSONType = sa.JSON().with_variant(JSONB(), "postgresql")
