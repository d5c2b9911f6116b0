"""The basket: what a customer's account means to order, and ordering it once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.users.models import User
from plugins.portal.models import (
    NOTHING,
    BasketLine,
    Order,
    OrderLine,
    Placement,
    Product,
)
from plugins.portal.services.catalogue import buyer_of
from plugins.portal.services.orders import place_order
from plugins.portal.services.prices import prices_for, total_of
from plugins.portal.services.quick_order import (
    MOST_LINES,
    MOST_OF_ONE,
    CheckedLine,
    check_lines,
    read_quantity,
)


@dataclass(frozen=True)
class Seen:
    """A line of the basket as its reader saw it: how many, at what price, by when."""

    quantity: object
    price: Decimal
    comes_on: date | None


@dataclass(frozen=True)
class Wanted:
    """A line of the basket beside what would come of ordering it now."""

    line: BasketLine
    checked: CheckedLine

    @property
    def price(self) -> Decimal:
        """What one costs now."""
        offer = self.checked.offer
        return self.line.price if offer is None else offer.price.net

    @property
    def price_moved(self) -> bool:
        """Say whether the price has moved since it was put in."""
        return self.price != self.line.price


@dataclass(frozen=True)
class Basket:
    """A whole basket, checked; `total` is that of what can be ordered."""

    lines: Sequence[Wanted]

    @property
    def total(self) -> Decimal:
        """The price of all that can be ordered."""
        return sum((one.checked.total or NOTHING for one in self.lines), NOTHING)

    @property
    def can_be_ordered(self) -> bool:
        """Say whether an order would take every line."""
        return bool(self.lines) and all(
            one.checked.can_be_ordered for one in self.lines
        )

    @property
    def promised_on(self) -> date | None:
        """The day all of it would be there, if every line has one."""
        days = [one.checked.promised_on for one in self.lines]
        known = [one for one in days if one is not None]
        return max(known) if known and len(known) == len(days) else None


def _lines_of(user: User, *, lock: bool = False) -> list[BasketLine]:
    query = sa.select(BasketLine).where(BasketLine.user_id == user.id)
    if lock:
        query = query.with_for_update(of=BasketLine)
    return list(db.session.scalars(query.order_by(BasketLine.id)))


def read_basket(user: User) -> Basket:
    """Give what lies in the basket of `user`, checked; the statements do not grow."""
    lines = _lines_of(user)
    if not lines:
        return Basket([])
    checked = check_lines(
        user, [{"sku": one.product.sku, "quantity": one.quantity} for one in lines]
    )
    return Basket([Wanted(*both) for both in zip(lines, checked, strict=True)])


def count_basket(user: User) -> int:
    """Count the lines in the basket of `user`."""
    query = sa.select(sa.func.count()).where(BasketLine.user_id == user.id)
    return db.session.scalar(query) or 0


def price_of_basket(user: User) -> tuple[int, Decimal]:
    """Count the lines in the basket and sum them up, whether in stock or not."""
    lines = _lines_of(user)
    prices = prices_for(buyer_of(user), [one.product for one in lines])
    total = NOTHING
    for one in lines:
        price = prices[one.product_id]
        total += total_of(one.quantity, price.unit_price, price.discount)
    return len(lines), total


def add_lines(user: User, checked: Sequence[CheckedLine]) -> int:
    """Put what can be ordered of `checked` into the basket; say how many lines.

    What lies there already grows. Raises `Invalid` when the basket would have more
    than 500 lines, or too many of one product.
    """
    wanted = [one for one in checked if one.can_be_ordered]
    for one in wanted:
        _add(user, one.found.product, one.quantity, one.found.price.net)
    if count_basket(user) > MOST_LINES:
        said = _("An order has at most %(num)d lines.", num=MOST_LINES)
        raise Invalid(errors={"lines": [said]})
    return len(wanted)


def _add(user: User, product: Product, quantity: int, price: Decimal) -> None:
    grow = (
        sa.update(BasketLine)
        .where(BasketLine.user_id == user.id, BasketLine.product_id == product.id)
        .values(quantity=BasketLine.quantity + quantity, price=price)
        .returning(BasketLine.quantity)
        .execution_options(synchronize_session=False)
    )
    now_in_it = db.session.scalar(grow)
    if now_in_it is None:
        line = BasketLine(
            user_id=user.id, product_id=product.id, quantity=quantity, price=price
        )
        try:
            with db.session.begin_nested():
                db.session.add(line)
        except IntegrityError:
            # Another tab put it in a moment ago.
            now_in_it = db.session.scalar(grow)
    if now_in_it is not None and now_in_it > MOST_OF_ONE:
        said = _("At most %(num)d of one product.", num=MOST_OF_ONE)
        raise Invalid(errors={"quantity": [said]})


def change_quantities(user: User, typed: Mapping[str, object]) -> None:
    """Set how many of each SKU are wanted; 0 takes a line out.

    The price counts as seen from now on. Raises `Invalid` for what is no whole number
    (`quantity.KV-100`).
    """
    errors = {}
    lines = _lines_of(user)
    prices = prices_for(buyer_of(user), [one.product for one in lines])
    for line in lines:
        if line.product.sku not in typed:
            continue
        text = str(typed[line.product.sku]).strip()
        quantity = read_quantity(text)
        if text and not text.strip("0"):
            db.session.delete(line)
        elif quantity is None:
            said = _("Write a whole number, or 0 to take it out.")
            errors[f"quantity.{line.product.sku}"] = [said]
        else:
            line.quantity = quantity
            line.price = prices[line.product_id].net
    if errors:
        raise Invalid(errors=errors)
    db.session.flush()


def order_basket(
    user: User,
    *,
    token: str,
    seen: Mapping[str, Seen],
    reference: str = "",
    required_on: date | None = None,
) -> Order | None:
    """Order what lies in the basket as it was `seen`, by SKU.

    The same `token` gives the same order, however often it is sent and even at the
    same moment. Gives None when the basket holds something else by now, or other
    quantities were typed: nobody orders what they have not seen. Raises `Invalid`
    naming each line that costs another price, comes later than it was seen, or cannot
    be ordered (`lines.0.price`); then nothing is ordered and the basket is kept.
    """
    # The second of two that come together waits here, and finds the first one's order.
    lines = _lines_of(user, lock=True)
    made = _placed_before(user, token)
    if made is not None:
        return made
    held = {one.product.sku: one.quantity for one in lines}
    if held != {sku: read_quantity(one.quantity) for sku, one in seen.items()}:
        return None
    order = place_order(
        user,
        lines=[
            {"sku": sku, "quantity": quantity, "price": seen[sku].price}
            for sku, quantity in held.items()
        ],
        reference=reference,
        required_on=required_on,
        # The page says of each line when it comes: ordering it is agreeing to wait.
        back_orders=True,
    )
    _refuse_what_comes_later(order, [seen[sku].comes_on for sku in held])
    db.session.add(Placement(user_id=user.id, token=token, order_id=order.id))
    for line in lines:
        db.session.delete(line)
    db.session.flush()
    return order


def _refuse_what_comes_later(order: Order, seen: Sequence[date | None]) -> None:
    """Refuse lines somebody else was faster with: nobody agreed to wait for them."""
    errors = {}
    for position, (line, day) in enumerate(zip(order.lines, seen, strict=True)):
        if day is None or (line.promised_on is not None and line.promised_on <= day):
            continue
        said = _("This comes later than you saw. Look at the new day, then order.")
        errors[f"lines.{position}.quantity"] = [said]
    if errors:
        raise Invalid(errors=errors)


def _placed_before(user: User, token: str) -> Order | None:
    return db.session.scalar(
        sa.select(Order)
        .join(Placement, Placement.order_id == Order.id)
        .where(Placement.user_id == user.id, Placement.token == token)
    )


def order_again(user: User, order: Order) -> tuple[int, list[str]]:
    """Put what `order` had into the basket again.

    Gives the number of lines put in, and what keeps the others out.
    """
    lines = db.session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.id)
        .limit(MOST_LINES)
    )
    checked = check_lines(
        user, [{"sku": one.sku, "quantity": one.quantity} for one in lines]
    )
    return add_lines(user, checked), [one.problem for one in checked if one.problem]
