"""The portal's pages for vendors: their purchase orders, and nothing else."""

from typing import Any

from flask import flash, request
from marshmallow import ValidationError

from core.errors import CRMError, Invalid
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import requires
from core.problems import flatten
from plugins.portal import permissions
from plugins.portal.forms import DateForm
from plugins.portal.models import PurchaseOrder
from plugins.portal.services import purchasing, vendor_answers
from plugins.portal.services.stock import ON_THE_WAY, today
from plugins.portal.services.vendor_answers import GivenDate
from plugins.portal.views.blueprint import (
    PAGE,
    bp,
    cursor,
    draw,
    go,
    here,
    one_of,
    outsider,
)

_VIEWS = ("sent", "confirmed", "received")


def draw_list() -> Any:
    """Draw the purchase orders of the vendor who is signed in."""
    state = one_of("state", _VIEWS)
    page = purchasing.purchase_orders_of(
        outsider(), state=state, cursor=cursor(), limit=PAGE
    )
    next_url = here(page.next, "portal.my_purchase_orders", state=state)
    return draw(
        "my_purchase_orders.html",
        orders=page.items,
        state=state,
        views=("", *_VIEWS),
        next_url=next_url,
    )


@bp.get("/portal/purchase-orders")
@requires(permissions.PURCHASE_ORDERS, portal=True)
def my_purchase_orders() -> Any:
    """What we order from this vendor, newest first."""
    return draw_list()


def _draw_order(error: CRMError | None = None, *, number: str) -> Any:
    order = purchasing.get_purchase_order(outsider(), number)
    return draw(
        "my_purchase_order.html",
        error,
        order=order,
        is_open=order.state in ON_THE_WAY,
        date_shown=vendor_answers.date_shown,
        today=today(),
    )


@bp.get("/portal/purchase-orders/<number>")
@requires(permissions.PURCHASE_ORDERS, portal=True)
def my_purchase_order(number: str) -> Any:
    """One purchase order, with the dates to confirm or move."""
    return _draw_order(number=number)


@bp.post("/portal/purchase-orders/<number>")
@requires(permissions.CONFIRM_PURCHASE_ORDERS, portal=True)
@on_refusal(_draw_order)
def answer_purchase_order(number: str) -> Any:
    """Confirm all lines, or send only the dates that move."""
    order = purchasing.get_purchase_order(outsider(), number)
    confirm = request.form.get("act") == "confirm"
    changed = vendor_answers.answer(order, _dates(order), confirm=confirm)
    waiting = sum(1 for one in changed if one.proposed_on is not None)
    if confirm:
        flash(_("%(number)s is confirmed.", number=order.number), "ok")
    elif changed and not waiting:
        flash(_("The new dates count from now on."), "ok")
    elif not changed:
        flash(_("No date was changed."), "ok")
    if waiting:
        said = ngettext(
            "%(num)d moved date waits for our buyer.",
            "%(num)d moved dates wait for our buyer.",
            waiting,
        )
        flash(said, "ok")
    return go("portal.my_purchase_order", number=order.number)


def _dates(order: PurchaseOrder) -> dict[int, GivenDate]:
    """Read the date and the reason that stand beside each line."""
    errors: dict[str, list[str]] = {}
    given = {}
    for line in order.lines:
        typed = {
            "on": request.form.get(f"promised_on.{line.id}", ""),
            "reason": request.form.get(f"reason.{line.id}", ""),
        }
        try:
            given[line.id] = GivenDate(**DateForm().load(typed))
        except ValidationError as wrong:
            for field, said in flatten(wrong.messages).items():
                name = "promised_on" if field == "on" else field
                errors[f"{name}.{line.id}"] = said
    if errors:
        raise Invalid(errors=errors)
    return given
