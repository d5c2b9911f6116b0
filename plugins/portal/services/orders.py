"""Orders: placing them, moving them on, and the stock they take."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import joinedload, selectinload

from core.contacts.models import Contact
from core.db import db, now
from core.errors import Invalid, NotFound
from core.events import announce
from core.i18n import _
from core.schemas import LIMIT, Page, keyset_page
from core.users.models import User
from core.visibility import get_visible, visible_to
from plugins.portal.events import ORDER_ADVANCED, ORDER_PLACED
from plugins.portal.models import Order, OrderLine
from plugins.portal.services.arrivals import attach_to_arrival
from plugins.portal.services.catalogue import buyer_of
from plugins.portal.services.numbers import house_currency, is_number, next_number
from plugins.portal.services.prices import recount, total_of
from plugins.portal.services.quick_order import (
    CheckedLine,
    check_lines,
    shortage,
    tells_figures,
)
from plugins.portal.services.stock import (
    promise_from_stock,
    release,
    reserve_up_to,
    send_out,
)

STATES = ("placed", "confirmed", "picked", "shipped", "delivered")
# After these nothing moves any more.
ENDED = ("delivered", "cancelled")


def orders_of(
    user: User,
    *,
    state: str = "",
    contact: Contact | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> Page[Order]:
    """Read a page of the orders `user` sees, newest first, with lines and customer.

    Four statements, however many orders.
    """
    query = visible_to(user, Order).options(
        selectinload(Order.lines), joinedload(Order.contact)
    )
    if state:
        query = query.where(Order.state == state)
    if contact is not None:
        query = query.where(Order.contact_id == contact.id)
    return keyset_page(
        query, [Order.placed_at, Order.id], cursor=cursor, limit=limit, descending=True
    )


def get_order(user: User, key: str) -> Order:
    """Give the order with this number (SO-1042) or id; raises `NotFound`."""
    if key.isdecimal():
        return get_visible(user, Order, int(key[:12]))
    query = visible_to(user, Order).where(Order.number == key)
    found = db.session.scalar(query) if is_number(key) else None
    if found is None:
        raise NotFound
    return found


def place_order(
    user: User,
    *,
    lines: Sequence[Mapping[str, Any]],
    contact: Contact | None = None,
    reference: str = "",
    required_on: date | None = None,
    back_orders: bool = False,
) -> Order:
    """Order `lines` (`sku`, `quantity`, and `price` as it was shown, if it was).

    A portal user orders for their own organisation, a colleague for `contact`. What is
    in stock is reserved; the rest waits for its delivery if the buyer agreed to
    `back_orders`. Raises `Invalid` naming each line that cannot be ordered
    (`lines.0.quantity`); then nothing is ordered.
    """
    buyer = _buyer(user, contact)
    if not lines:
        raise Invalid(errors={"lines": [_("Add a product first.")]})
    checked = check_lines(user, lines, contact=contact)
    errors = _problems(checked, lines, back_orders)
    if errors:
        raise Invalid(errors=errors)
    order = Order(
        contact_id=buyer,
        placed_by_id=user.id,
        reference=reference,
        required_on=required_on,
        currency=house_currency(),
    )
    made = _take_stock(checked, back_orders)
    for position in sorted(made):
        order.lines.append(made[position])
    recount(order)
    order.number = next_number("SO")
    db.session.add(order)
    db.session.flush()
    said = {"number": order.number, "total": str(order.total)}
    announce(ORDER_PLACED.name, order, said)
    return order


def _buyer(user: User, contact: Contact | None) -> int:
    buyer = buyer_of(user, contact)
    if buyer is None:
        raise Invalid(errors={"contact": [_("Say which customer this is for.")]})
    if contact is not None and contact.id != buyer:
        raise NotFound
    return buyer


def _problems(
    checked: Sequence[CheckedLine], lines: Sequence[Mapping[str, Any]], later: bool
) -> dict[str, list[str]]:
    """Name what is wrong with each line, by the field it stands beside."""
    errors: dict[str, list[str]] = {}
    for line, sent in zip(checked, lines, strict=True):
        at = f"lines.{line.position}"
        if line.verdict in {"unknown", "discontinued"}:
            errors[f"{at}.sku"] = [line.problem]
        elif line.problem:
            errors[f"{at}.quantity"] = [line.problem]
        elif line.verdict == "later" and not later:
            errors[f"{at}.quantity"] = [_only_later(line)]
        elif (said := _dearer(line, sent.get("price"))) is not None:
            errors[f"{at}.price"] = [said]
    return errors


def _only_later(line: CheckedLine) -> str:
    return _("%(when)s Order fewer, or agree to wait.", when=line.when)


def _dearer(line: CheckedLine, seen: Decimal | None) -> str | None:
    if seen is None or line.offer is None or seen == line.offer.price.net:
        return None
    return _(
        "%(seen)s is now %(price)s for %(sku)s. Order at the new price?",
        seen=seen,
        price=line.offer.price.net,
        sku=line.offer.product.sku,
    )


def _take_stock(
    checked: Sequence[CheckedLine], back_orders: bool
) -> dict[int, OrderLine]:
    """Reserve what is there; raises `Invalid` where somebody was faster."""
    errors: dict[str, list[str]] = {}
    made: dict[int, OrderLine] = {}
    claimed: dict[int, int] = {}
    for one in sorted(checked, key=lambda one: (one.found.product.id, one.position)):
        line = made[one.position] = _line_of(one)
        line.reserved = reserve_up_to(one.found.product.id, line.quantity)
        if line.to_come == 0:
            line.promised_on = promise_from_stock()
        elif not back_orders or not attach_to_arrival(line, claimed):
            told = line.reserved if tells_figures(one.found) else None
            said = shortage(one.found.product, told)
            errors[f"lines.{one.position}.quantity"] = [said]
    if errors:
        raise Invalid(errors=errors)
    return made


def _line_of(checked: CheckedLine) -> OrderLine:
    product, price = checked.found.product, checked.found.price
    return OrderLine(
        product_id=product.id,
        product=product,
        sku=product.sku,
        name=product.name,
        quantity=checked.quantity,
        reserved=0,
        shipped=0,
        unit_price=price.unit_price,
        discount=price.discount,
        total=total_of(checked.quantity, price.unit_price, price.discount),
    )


def advance_order(order: Order, state: str) -> Order:
    """Move `order` on to `state`, with what that does to the stock.

    From `picked` on all of it must lie ready: what is still to come is taken from the
    shelf now. Shipping takes it out of stock, cancelling gives it back. Raises
    `Invalid` for a way back, or when goods are missing.
    """
    if state == order.state:
        return order
    if order.state in ENDED or not _comes_after(order.state, state):
        said = _("An order that is %(now)s cannot become %(then)s.")
        said %= {"now": order.state, "then": state}
        raise Invalid(errors={"state": [said]})
    lines = sorted(order.lines, key=lambda one: (one.product_id or 0, one.id))
    if state == "cancelled":
        _give_back(lines)
    elif STATES.index(state) >= STATES.index("picked"):
        _pick(lines)
    if STATES.index(order.state) < STATES.index("shipped") and state in (
        "shipped",
        "delivered",
    ):
        _ship(lines)
        order.shipped_at = now()
    if state == "delivered":
        order.delivered_at = now()
    order.state = state
    db.session.flush()
    announce(ORDER_ADVANCED.name, order, {"number": order.number, "state": state})
    return order


def _comes_after(now_is: str, then: str) -> bool:
    if then == "cancelled":
        return now_is not in ("shipped", *ENDED)
    return then in STATES and STATES.index(then) > STATES.index(now_is)


def _give_back(lines: Sequence[OrderLine]) -> None:
    for line in lines:
        if line.reserved and line.product_id is not None:
            release(line.product_id, line.reserved)
        line.reserved = 0
        line.waiting_for_id = None


def _pick(lines: Sequence[OrderLine]) -> None:
    errors = {}
    for line in lines:
        if line.to_come == 0:
            continue
        if line.product_id is not None:
            line.reserved += reserve_up_to(line.product_id, line.to_come)
        if line.to_come:
            said = _(
                "%(num)d of %(sku)s are still to come.", num=line.to_come, sku=line.sku
            )
            errors[f"lines.{line.order.lines.index(line)}.quantity"] = [said]
        else:
            line.waiting_for_id = None
    if errors:
        raise Invalid(errors=errors)


def _ship(lines: Sequence[OrderLine]) -> None:
    for line in lines:
        if line.reserved and line.product_id is not None:
            send_out(line.product_id, line.reserved)
        line.shipped += line.reserved
        line.reserved = 0
