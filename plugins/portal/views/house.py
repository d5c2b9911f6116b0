"""The house's pages of orders, with the true stock beside what the customer is told."""

from typing import Any

from flask import flash, request, url_for

from core.contacts.models import Contact
from core.errors import CRMError
from core.i18n import _
from core.pages import on_refusal
from core.parts import hosted
from core.permissions import me, requires
from core.visibility import get_visible
from plugins.portal import permissions, words
from plugins.portal.models import Order
from plugins.portal.services import catalogue, orders, overview
from plugins.portal.views.blueprint import (
    PAGE,
    bp,
    cursor,
    draw,
    go,
    here,
    one_of,
)


def chosen_contact() -> Contact | None:
    """Give the contact a list is narrowed to, if one may see it."""
    contact_id = request.args.get("contact", type=int)
    return None if contact_id is None else get_visible(me(), Contact, contact_id)


@bp.get("/orders")
@requires(permissions.ORDERS)
def orders_page() -> Any:
    """The orders one may see, newest first."""
    state, contact = one_of("state", words.ORDER_STATES), chosen_contact()
    page = orders.orders_of(
        me(), state=state, contact=contact, cursor=cursor(), limit=PAGE
    )
    return draw(
        "orders.html",
        orders=page.items,
        state=state,
        contact=contact,
        next_url=here(
            page.next,
            "portal.orders_page",
            state=state,
            contact=contact.id if contact else None,
        ),
    )


def _context(order: Order) -> dict[str, Any]:
    products = {
        one.product.id: one.product for one in order.lines if one.product is not None
    }
    seen = catalogue.offers(me(), list(products.values()), contact=order.contact)
    return {
        "order": order,
        "offers": {one.product.id: one for one in seen},
        "waiting_for": overview.waiting_for(order.lines),
        "steps": _steps(order),
        "reached": orders.STATES.index(order.state)
        if order.state in orders.STATES
        else -1,
        "states": orders.STATES,
        "may_cancel": order.state in ("placed", "confirmed", "picked"),
        "live_url": url_for("portal.order_lines", number=order.number),
    }


def _steps(order: Order) -> list[str]:
    """Name the states an order may be moved on to, the next one first."""
    if order.state not in orders.STATES:
        return []
    return list(orders.STATES[orders.STATES.index(order.state) + 1 :])


def _draw_order(error: CRMError | None = None, *, number: str) -> Any:
    found = overview.whole_order(me(), number)
    return draw("order.html", error, **_context(found), **hosted(found, me()))


@bp.get("/orders/<number>")
@requires(permissions.ORDERS)
def order(number: str) -> Any:
    """One order: its lines, and the stock behind them."""
    return _draw_order(number=number)


@bp.get("/orders/<number>/lines")
@requires(permissions.ORDERS)
def order_lines(number: str) -> Any:
    """The part of an order's page that changes, for live updates."""
    return draw("order_lines.html", **_context(overview.whole_order(me(), number)))


@bp.post("/orders/<number>")
@requires(permissions.MANAGE_ORDERS)
@on_refusal(_draw_order)
def advance(number: str) -> Any:
    """Move an order on."""
    found = orders.get_order(me(), number)
    state = one_of("state", words.ORDER_STATES)
    orders.advance_order(found, state)
    said = _("%(number)s: %(state)s.")
    flash(said % {"number": found.number, "state": words.ORDER_STATES[state]}, "ok")
    return go("portal.order", number=found.number)


@bp.get("/orders/<number>/cancel")
@requires(permissions.MANAGE_ORDERS)
def ask_cancel(number: str) -> Any:
    """Ask before an order is cancelled: that cannot be undone."""
    found = orders.get_order(me(), number)
    return draw("cancel_order.html", order=found)
