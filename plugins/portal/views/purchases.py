"""The house's pages of purchase orders: writing, sending, accepting dates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from flask import flash, request, url_for
from marshmallow import ValidationError

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.errors import CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.parts import hosted
from core.permissions import me, requires
from core.readers import readers_of
from core.visibility import get_visible
from plugins.portal import permissions, words
from plugins.portal.forms import Price, PurchaseForm
from plugins.portal.services import overview, purchasing, vendor_dates
from plugins.portal.services.stock import ON_THE_WAY
from plugins.portal.views.blueprint import (
    PAGE,
    argument,
    bp,
    cursor,
    draw,
    go,
    here,
    one_of,
    read_form,
)
from plugins.portal.views.house import chosen_contact

# Empty rows a new form offers, and how many more one button adds.
_ROWS = 5
_MOST_ROWS = 500


@bp.get("/purchase-orders")
@requires(permissions.PURCHASE_ORDERS)
def purchase_orders_page() -> Any:
    """What we order from vendors, newest first."""
    state = one_of("state", (*words.PURCHASE_STATES, "proposed"))
    vendor = chosen_contact()
    page = purchasing.purchase_orders_of(
        me(),
        state="" if state == "proposed" else state,
        vendor=vendor,
        proposed=state == "proposed",
        cursor=cursor(),
        limit=PAGE,
    )
    return draw(
        "purchase_orders.html",
        orders=page.items,
        state=state,
        contact=vendor,
        next_url=here(
            page.next,
            "portal.purchase_orders_page",
            state=state,
            contact=vendor.id if vendor else None,
        ),
    )


# -- One purchase order ------------------------------------------------------------


def _draw_order(error: CRMError | None = None, *, number: str) -> Any:
    found = purchasing.get_purchase_order(me(), number)
    return draw("purchase_order.html", error, **_context(number), **hosted(found, me()))


def _context(number: str) -> dict[str, Any]:
    found = purchasing.get_purchase_order(me(), number)
    return {
        "order": found,
        "is_open": found.state in ON_THE_WAY,
        "trusted": vendor_dates.is_trusted(found),
        "live_url": url_for("portal.purchase_order_lines", number=found.number),
    }


@bp.get("/purchase-orders/<number>")
@requires(permissions.PURCHASE_ORDERS)
def purchase_order(number: str) -> Any:
    """One purchase order, with the dates its vendor moved."""
    return _draw_order(number=number)


@bp.get("/purchase-orders/<number>/lines")
@requires(permissions.PURCHASE_ORDERS)
def purchase_order_lines(number: str) -> Any:
    """The part of a purchase order's page that changes, for live updates."""
    return draw("purchase_order_lines.html", **_context(number))


@bp.get("/purchase-orders/<number>/<act>")
@requires(permissions.MANAGE_PURCHASE_ORDERS)
def ask(number: str, act: str) -> Any:
    """Ask before what cannot be undone: sending, receiving, cancelling."""
    found = purchasing.get_purchase_order(me(), number)
    if act not in {"sent", "received", "cancelled"}:
        return go("portal.purchase_order", number=number)
    readers = None
    if act == "sent" and found.vendor_id is not None:
        spec = AudienceSpec("shared", shared_with=frozenset({found.vendor_id}))
        readers = readers_of(spec).outside
    return draw("ask_purchase.html", order=found, act=act, readers=readers)


@bp.post("/purchase-orders/<number>")
@requires(permissions.MANAGE_PURCHASE_ORDERS)
@on_refusal(_draw_order)
def advance_purchase(number: str) -> Any:
    """Send, receive or cancel a purchase order."""
    found = purchasing.get_purchase_order(me(), number)
    state = one_of("state", ("sent", "received", "cancelled"))
    if state:
        purchasing.advance_purchase_order(found, state)
        said = _("%(number)s: %(state)s.")
        state_now = words.PURCHASE_STATES[found.state]
        flash(said % {"number": found.number, "state": state_now}, "ok")
    return go("portal.purchase_order", number=found.number)


@bp.post("/purchase-orders/<number>/lines/<int:line_id>")
@requires(permissions.MANAGE_PURCHASE_ORDERS)
@on_refusal(lambda error, number, line_id: _draw_order(error, number=number))
def settle_date(number: str, line_id: int) -> Any:
    """Accept or decline the date a vendor moved a line to."""
    found = purchasing.get_purchase_order(me(), number)
    line = vendor_dates.line_of(found, line_id)
    if "accept" in request.form:
        vendor_dates.accept_proposal(found, line)
        said = _("%(day)s counts now; waiting orders show it.")
        flash(said % {"day": words.day(line.promised_on)}, "ok")
    else:
        vendor_dates.decline_proposal(found, line)
        flash(_("The date stays as it was."), "ok")
    return go("portal.purchase_order", number=found.number)


# -- A new one ---------------------------------------------------------------------


def _draw_new(error: CRMError | None = None) -> Any:
    vendor_id = request.values.get("vendor", type=int)
    vendor = None if vendor_id is None else get_visible(me(), Contact, vendor_id)
    q = argument("q")
    rows = _typed_rows()
    more = _ROWS if not rows or "more" in request.form else 1
    empty = {"sku": "", "quantity": "", "wanted_on": "", "price": ""}
    return draw(
        "new_purchase.html",
        error,
        vendor=vendor,
        q=q,
        found=[] if vendor else overview.vendors(me(), q),
        suggested=overview.products_of(me(), vendor) if vendor else [],
        rows=[*rows, *[empty] * more][:_MOST_ROWS],
        typed=request.form,
    )


def _typed_rows() -> list[dict[str, str]]:
    """Give the rows of the form in which something was written."""
    names = ("sku", "quantity", "wanted_on", "price")
    columns = [request.form.getlist(name) for name in names]
    rows = [
        dict(zip(names, row, strict=True))
        for row in zip_longest(*columns, fillvalue="")
    ]
    return [row for row in rows if any(text.strip() for text in row.values())]


@bp.get("/purchase-orders/new")
@requires(permissions.MANAGE_PURCHASE_ORDERS)
def new_purchase() -> Any:
    """The form for a purchase order; without a vendor it asks from whom."""
    return _draw_new()


@bp.post("/purchase-orders/new")
@requires(permissions.MANAGE_PURCHASE_ORDERS)
@on_refusal(_draw_new)
def add_purchase() -> Any:
    """Write a purchase order as a draft; its page sends it."""
    if "more" in request.form:
        return _draw_new()
    sent = read_form(PurchaseForm)
    vendor = get_visible(me(), Contact, sent["vendor"])
    made = purchasing.create_purchase_order(
        me(), vendor=vendor, lines=_lines(sent), reference=sent["reference"]
    )
    flash(_("%(number)s is a draft.", number=made.number), "ok")
    return go("portal.purchase_order", number=made.number)


def _lines(sent: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Put the columns of the form together; raises `Invalid` for a wrong price."""
    errors: dict[str, list[str]] = {}
    lines: list[dict[str, Any]] = []
    columns = (sent["sku"], sent["quantity"], sent["wanted_on"], sent["price"])
    for sku, quantity, wanted_on, price in zip_longest(*columns, fillvalue=""):
        if not (sku or quantity or price or wanted_on):
            continue
        line = {"sku": sku, "quantity": quantity, "wanted_on": wanted_on or None}
        try:
            line["price"] = Price().deserialize(price) if price else Decimal(0)
        except ValidationError as wrong:
            errors[f"lines.{len(lines)}.price"] = [str(one) for one in wrong.messages]
        lines.append(line)
    if errors:
        raise Invalid(errors=errors)
    return lines
