"""Stock: what is there, what is promised, and what each reader is told of it.

Every change is one guarded statement, so that of two customers who go for the last
unit exactly one gets it. Take several products in the order of their ids: two orders
that wait for each other's rows would otherwise stop both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm.util import identity_key

from core import settings
from core.db import db, now
from core.errors import Conflict, Invalid
from core.house import is_working_day
from core.i18n import _, ngettext, show_number
from core.users.models import User
from plugins.portal.models import (
    Agreement,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Stock,
)

Band: TypeAlias = Literal["in stock", "few left", "out of stock"]

# Purchase orders whose goods are on their way.
ON_THE_WAY = ("sent", "confirmed")


@dataclass(frozen=True)
class Figures:
    """The true stock of a product, for colleagues."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """How many may still be promised."""
        return self.on_hand - self.reserved


@dataclass(frozen=True)
class Shown:
    """What a customer is told of a product's stock.

    `figure` is set only where the agreement is exact; `available_on` is the day more
    is expected, where it is sold out.
    """

    band: Band
    figure: int | None
    available_on: date | None

    @property
    def shown(self) -> str:
        """The API's word for it: the band, or the figure."""
        return self.band if self.figure is None else str(self.figure)

    @property
    def words(self) -> str:
        """The same in the reader's language."""
        if self.figure:
            return ngettext(
                "%(num)s in stock",
                "%(num)s in stock",
                self.figure,
                num=show_number(self.figure),
            )
        if self.band == "in stock":
            return _("In stock")
        return _("Few left") if self.band == "few left" else _("Out of stock")


def today() -> date:
    """Tell the day in UTC, by which promises are counted."""
    return now().date()


def reserve_up_to(product_id: int, quantity: int) -> int:
    """Reserve `quantity` of a product, or what is left of it; say how many that were.

    The row stays locked until the transaction ends.
    """
    row = db.session.execute(
        sa.select(Stock.on_hand - Stock.reserved)
        .where(Stock.product_id == product_id)
        .with_for_update()
    ).first()
    taken = max(0, min(quantity, row[0])) if row else 0
    if taken and not _change(
        sa.update(Stock)
        .where(Stock.product_id == product_id, Stock.on_hand - Stock.reserved >= taken)
        .values(reserved=Stock.reserved + taken),
        product_id,
    ):
        return 0
    return taken


def release(product_id: int, quantity: int) -> None:
    """Give back what was reserved."""
    _must_change(
        sa.update(Stock)
        .where(Stock.product_id == product_id, Stock.reserved >= quantity)
        .values(reserved=Stock.reserved - quantity),
        product_id,
    )


def send_out(product_id: int, quantity: int) -> None:
    """Take reserved goods off the shelf: they have left the house."""
    _must_change(
        sa.update(Stock)
        .where(
            Stock.product_id == product_id,
            Stock.reserved >= quantity,
            Stock.on_hand >= quantity,
        )
        .values(reserved=Stock.reserved - quantity, on_hand=Stock.on_hand - quantity),
        product_id,
    )


def take_in(product_id: int, quantity: int) -> None:
    """Put goods that arrived on the shelf."""
    _must_change(
        sa.update(Stock)
        .where(Stock.product_id == product_id)
        .values(on_hand=Stock.on_hand + quantity),
        product_id,
    )


def count_stock(product: Product, *, on_hand: int) -> None:
    """Set what somebody counted on the shelf; what is reserved stays so.

    Raises `Invalid` for a number below zero.
    """
    if on_hand < 0:
        raise Invalid(errors={"stock.on_hand": [_("This is below zero.")]})
    _must_change(
        sa.update(Stock).where(Stock.product_id == product.id).values(on_hand=on_hand),
        product.id,
    )


def _change(statement: sa.Update, product_id: int) -> bool:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    # What the session remembers of this row is no longer true.
    known = db.session.identity_map.get(identity_key(Stock, product_id))
    if known is not None:
        db.session.expire(known)
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _must_change(statement: sa.Update, product_id: int) -> None:
    if not _change(statement, product_id):
        raise Conflict(_("The stock was counted anew meanwhile. Look at it again."))


def figures_of(products: Iterable[Product]) -> dict[int, Figures]:
    """Give the true stock by product id, as it is now: one statement."""
    rows = db.session.execute(
        sa.select(Stock.product_id, Stock.on_hand, Stock.reserved).where(
            Stock.product_id.in_([one.id for one in products])
        )
    )
    return {row.product_id: Figures(row.on_hand, row.reserved) for row in rows}


def expected_on(products: Sequence[Product]) -> dict[int, date]:
    """Say by product id when more of it comes; absent where nobody knows.

    That is the first delivery on its way, else the lead time from today.
    """
    day = sa.func.coalesce(PurchaseOrderLine.promised_on, PurchaseOrderLine.wanted_on)
    rows = db.session.execute(
        sa.select(PurchaseOrderLine.product_id, sa.func.min(day))
        .join(PurchaseOrder)
        .where(
            PurchaseOrder.state.in_(ON_THE_WAY),
            PurchaseOrderLine.product_id.in_([one.id for one in products]),
            day.is_not(None),
        )
        .group_by(PurchaseOrderLine.product_id)
    )
    found = {one: max(on, today()) for one, on in rows if one is not None}
    for product in products:
        by_lead_time = lead_time_ends(product)
        if by_lead_time is not None:
            found.setdefault(product.id, by_lead_time)
    return found


def lead_time_ends(product: Product) -> date | None:
    """Say when more could be here if it were ordered today; None if nobody knows."""
    if product.discontinued or product.lead_time_days is None:
        return None
    return today() + timedelta(days=product.lead_time_days)


def shown_to(contact_id: int | None, products: Sequence[Product]) -> dict[int, Shown]:
    """Say by product id what the customer `contact_id` is told: three statements.

    A band unless the agreement with this customer says figures.
    """
    exact = contact_id is not None and bool(
        db.session.scalar(
            sa.select(Agreement.shows_exact_stock).where(
                Agreement.contact_id == contact_id
            )
        )
    )
    figures, expected = figures_of(products), expected_on(products)
    few: int = settings.get("portal")["few_left"]
    return {
        one.id: _shown(figures[one.id].available, exact, few, expected.get(one.id))
        for one in products
    }


def _shown(available: int, exact: bool, few: int, expected: date | None) -> Shown:
    figure = max(0, available) if exact else None
    if available <= 0:
        return Shown("out of stock", figure, expected)
    return Shown("few left" if available <= few else "in stock", figure, None)


def stock_shown(user: User, product: Product) -> Figures | Shown:
    """Give colleagues the true figures, and customers what they are told."""
    if user.kind == "staff":
        return figures_of([product])[product.id]
    return shown_to(user.contact_id or user.person_id, [product])[product.id]


def promise_from_stock() -> date:
    """Say when goods that are in stock reach a customer who orders today."""
    day: date = today()
    left: int = settings.get("portal")["delivery_days"]
    while left > 0:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day
