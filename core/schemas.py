"""What goes in and out: shared fields, and lists read page by page with a cursor."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import marshmallow as ma
import sqlalchemy as sa
from flask import request, url_for
from flask_smorest import Blueprint as _SmorestBlueprint
from marshmallow import fields, validate
from sqlalchemy.orm import lazyload

from core.db import Amount, Record, UTCDateTime, db
from core.errors import BadRequest, PreconditionFailed, PreconditionRequired
from core.house import house_currency
from core.i18n import _

LIMIT, MOST = 50, 200

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Schema(ma.Schema):
    """The base of every schema: keys nobody declared are refused by name."""

    class Meta:
        """Refuse what is not declared, so that a misspelt field is noticed."""

        unknown = ma.RAISE


class ApiBlueprint(_SmorestBlueprint):  # type: ignore[misc]
    """A JSON blueprint under /api/v1, described in the OpenAPI document."""

    def __init__(self, name: str, import_name: str, *, description: str = ""):
        """Name the blueprint `<plugin>_api`; its routes start with /api/v1."""
        super().__init__(
            name, import_name, url_prefix="/api/v1", description=description
        )

    # The same decorators, with types.
    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Serve a view at `rule`."""
        return super().route(rule, **options)  # type: ignore[no-any-return]

    def arguments(self, schema: Any, **options: Any) -> Callable[[F], F]:
        """Give the view what came in, read by `schema`, as its first argument."""
        return super().arguments(schema, **options)  # type: ignore[no-any-return]

    def response(
        self, status: int, schema: Any = None, **options: Any
    ) -> Callable[[F], F]:
        """Write what the view returns by `schema`."""
        return super().response(status, schema, **options)  # type: ignore[no-any-return]


class Text(fields.String):
    """Text from people: trimmed, without NUL characters, at most `most` characters."""

    def __init__(self, *, most: int = 200, least: int = 0, **kwargs: Any):
        """Take between `least` and `most` characters."""
        checks = [validate.Length(min=least, max=most)]
        super().__init__(validate=checks, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if "\x00" in text:
            raise ma.ValidationError(_("This contains a character that is not text."))
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ma.ValidationError(
                _("This contains a character that is not text.")
            ) from error
        return text.strip()


class Moment(fields.AwareDateTime):
    """A time: RFC 3339 in UTC on the way out, with a zone on the way in."""

    def __init__(self, **kwargs: Any):
        """Take a time without a zone as UTC."""
        super().__init__(format="iso", default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, *args, **kwargs)
        # At the ends of the calendar another zone's clock cannot be written.
        if not 1 < moment.year < 9999:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return moment

    def _serialize(
        self, value: datetime | None, *args: Any, **kwargs: Any
    ) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Money(fields.Field[Decimal]):
    """Money as `{"amount": "12.50", "currency": "EUR"}`: a decimal string, no float."""

    def _serialize(self, value: Decimal | None, *_args: Any, **_kwargs: Any) -> Any:
        if value is None:
            return None
        return {
            "amount": money_text(value),
            "currency": house_currency(),
        }

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        amount = value.get("amount") if isinstance(value, dict) else value
        if isinstance(amount, float):
            raise ma.ValidationError(_("Write the amount as text, such as 12.50."))
        here = house_currency()
        if isinstance(value, dict) and value.get("currency", here) != here:
            said = _("Amounts here are in %(currency)s.", currency=here)
            raise ma.ValidationError(said)
        try:
            number = Decimal(str(amount))
        except InvalidOperation as error:
            raise ma.ValidationError(_("Write an amount such as 12.50.")) from error
        if not number.is_finite() or abs(number) >= Decimal(10) ** 13:
            raise ma.ValidationError(_("Write an amount such as 12.50."))
        return number


def money_text(value: Decimal) -> str:
    """Write an amount with at least two places and no more than it needs."""
    exact = value.quantize(Decimal("0.0001"))
    short = value.quantize(Decimal("0.01"))
    return str(short if short == exact else exact.normalize())


class PageArguments(ma.Schema):
    """The query arguments of every list: `limit` and an opaque `cursor`."""

    class Meta:
        """Let a list add its own filters beside these."""

        unknown = ma.EXCLUDE

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(min=1, max=MOST))
    cursor = fields.String(load_default=None)


def page_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """Make the schema of a list of `item`: `{items, next}`."""
    name = item.__name__.removesuffix("Schema") + "Page"
    members = {
        "items": fields.List(fields.Nested(item)),
        "next": fields.String(allow_none=True),
    }
    return ma.Schema.from_dict(members, name=name)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `next` is the cursor of the following one, or None."""

    items: Sequence[T]
    next: str | None


def encode_cursor(values: Sequence[Any]) -> str:
    """Make an opaque cursor of the sort key of the last row."""
    plain = [
        {"t": one.isoformat()} if isinstance(one, datetime) else one for one in values
    ]
    text = json.dumps(plain, separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, columns: Sequence[Any]) -> list[Any]:
    """Read a cursor back; raises `BadRequest` for one we did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if not isinstance(values, list) or len(values) != len(columns):
            raise ValueError("not a cursor of this list")
        return [
            _fitting(value, column.type)
            for value, column in zip(values, columns, strict=True)
        ]
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        raise BadRequest(_("This cursor is not of this list. Start again.")) from error


_PLAIN: dict[type, type] = {sa.Integer: int, sa.Boolean: bool, sa.Float: float}


def _fitting(value: Any, kind: Any) -> Any:
    """Read a part of a cursor as its column's type; what is no such value raises."""
    if value is None:
        return None
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value["t"]).replace(tzinfo=UTC)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, Amount | sa.Numeric) and not isinstance(kind, sa.Float):
        amount = Decimal(value)
        if not abs(amount) < Decimal(10) ** 13:
            raise ValueError("not an amount")
        return amount
    wanted: Any = next((_PLAIN[one] for one in _PLAIN if isinstance(kind, one)), str)
    if type(value) is not wanted or (wanted is int and abs(value) >= 2**63):
        raise TypeError("not a value of this column")
    if wanted is str and b"\0" in value.encode():
        raise ValueError("not text")
    return value


def keyset_page(
    query: sa.Select[T],
    columns: Sequence[Any],
    *,
    cursor: str | None = None,
    limit: int = LIMIT,
    descending: bool = False,
    rows: sa.Select[T] | None = None,
) -> Page[T]:
    """Read one page by its sort key, so that page 1,000 costs what page 1 costs.

    `columns` are the sort columns, the last one the id. With `rows`, which selects
    the same records without a condition, `query` only chooses their ids: where an
    index holds all that it asks for, no row is read that is not shown.
    """
    order = [one.desc() if descending else one.asc() for one in columns]
    # A number in the text: the database plans otherwise for a few rows than for most.
    query = query.order_by(*order).limit(sa.literal_column(str(int(limit) + 1)))
    if cursor:
        last = [
            sa.literal(value, column.type)
            for value, column in zip(
                decode_cursor(cursor, columns), columns, strict=True
            )
        ]
        here = sa.tuple_(*columns)
        there = sa.tuple_(*last)
        query = query.where(here < there if descending else here > there)
    if rows is not None:
        ids = query.options(lazyload("*")).with_only_columns(columns[-1])
        query = rows.where(columns[-1].in_(ids)).order_by(*order)
    return page_of(list(db.session.scalars(query).unique()), columns, limit)


def page_of(rows: list[T], columns: Sequence[Any], limit: int) -> Page[T]:
    """Make a page of rows of which one more than `limit` was read."""
    if len(rows) <= limit:
        return Page(rows, None)
    rows = rows[:limit]
    keys = [getattr(rows[-1], column.key) for column in columns]
    return Page(rows, encode_cursor(keys))


def next_link(page: Page[Any]) -> dict[str, str]:
    """Make the `Link: <…>; rel="next"` header of a page (RFC 8288)."""
    if page.next is None:
        return {}
    # Not by `url_for`, which would take an argument named `endpoint` for its own.
    kept = [one for one in request.args.items(multi=True) if one[0] != "cursor"]
    query = urlencode([*kept, ("cursor", page.next)])
    place = url_for(request.endpoint or "", **(request.view_args or {}), _external=True)
    return {"Link": f'<{place}?{query}>; rel="next"'}


def etag_of(record: Record) -> dict[str, str]:
    """Make the `ETag` header of a record, out of its version."""
    return {"ETag": f'"{record.version}"'}


def check_version(record: Record) -> None:
    """Refuse a change that does not say which version it changes, or a stale one.

    Raises `PreconditionRequired` without `If-Match`, `PreconditionFailed` when stale.
    """
    if not request.if_match and not request.if_match.star_tag:
        raise PreconditionRequired
    if not request.if_match.contains(str(record.version)):
        raise PreconditionFailed
