"""The portal's pages for ordering: quick order and the basket."""

from typing import Any
from uuid import uuid4

from flask import flash, request

from core.errors import CRMError
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import me, requires
from plugins.portal import permissions
from plugins.portal.forms import PlaceForm
from plugins.portal.services import basket as services
from plugins.portal.services import quick_order
from plugins.portal.services.catalogue import example_line
from plugins.portal.services.quick_order import CheckedLine
from plugins.portal.views.blueprint import bp, draw, go, outsider, read_form

# What is kept of a paste: 500 lines are the most, of at most 200 characters.
_LONGEST_PASTE = 100_000
# What goes on in an address: browsers and proxies refuse much longer ones.
_LONGEST_REST = 2_000


# -- Quick order -------------------------------------------------------------------


def _pasted() -> str:
    return str(request.values.get("lines", ""))[:_LONGEST_PASTE].replace("\x00", " ")


def _draw_quick_order(error: CRMError | None = None, text: str | None = None) -> Any:
    text = _pasted() if text is None else text
    checked = [] if error else quick_order.check_lines(outsider(), text)
    ready = [one for one in checked if one.can_be_ordered]
    return draw(
        "quick_order.html",
        error,
        text=text,
        checked=checked,
        ready=ready,
        total=sum(one.total or 0 for one in ready),
        example=example_line(outsider()),
    )


@bp.get("/portal/quick-order")
@requires(permissions.PLACE_ORDERS, portal=True)
def quick_order_page() -> Any:
    """Paste lines of a SKU and a quantity."""
    return _draw_quick_order()


@bp.post("/portal/quick-order")
@requires(permissions.PLACE_ORDERS, portal=True)
@on_refusal(_draw_quick_order)
def quick_order_lines() -> Any:
    """Check pasted lines, mend one, or put those that are right in the basket."""
    user, sent = outsider(), request.form
    checked = quick_order.check_lines(user, _pasted())
    for act, mend in (("use", _with_suggestion), ("only", _with_what_is_there)):
        position = sent.get(act, type=int)
        if position is not None and 0 <= position < len(checked):
            lines = [_as_typed(one) for one in checked]
            lines[position] = mend(checked[position])
            return _draw_quick_order(text="\n".join(lines))
    if "add" not in sent:
        return _draw_quick_order()
    added = services.add_lines(user, checked)
    if not added:
        return _draw_quick_order()
    said = ngettext(
        "%(num)d line is in the basket.", "%(num)d lines are in the basket.", added
    )
    flash(said, "ok")
    rest = [_as_typed(one) for one in checked if not one.can_be_ordered]
    if not rest:
        return go("portal.basket")
    # What could not be added stays to be mended.
    return go("portal.quick_order_page", lines=_cut(rest))


def _as_typed(line: CheckedLine) -> str:
    return f"{line.typed.sku} {line.typed.quantity}".strip()


def _with_suggestion(line: CheckedLine) -> str:
    return f"{line.suggestion or line.typed.sku} {line.typed.quantity}".strip()


def _with_what_is_there(line: CheckedLine) -> str:
    return f"{line.typed.sku} {line.now or line.typed.quantity}".strip()


def _cut(lines: list[str]) -> str:
    text = "\n".join(lines)
    if len(text) <= _LONGEST_REST:
        return text
    return text[:_LONGEST_REST].rpartition("\n")[0]


# -- Basket ------------------------------------------------------------------------


def _draw_basket(error: CRMError | None = None) -> Any:
    typed = dict(
        zip(request.form.getlist("sku"), request.form.getlist("quantity"), strict=False)
    )
    return draw(
        "basket.html",
        error,
        basket=services.read_basket(outsider()),
        typed=typed if error else {},
        # The same form keeps its token: what was ordered after all is found again.
        token=_token_or_new(request.form.get("token", "")),
    )


def _token_or_new(token: str) -> str:
    return (
        uuid4().hex if PlaceForm().validate({"token": token}, partial=True) else token
    )


@bp.get("/portal/basket")
@requires(permissions.PLACE_ORDERS, portal=True)
def basket() -> Any:
    """What one means to order, at today's prices and stock."""
    return _draw_basket()


@bp.post("/portal/basket")
@requires(permissions.PLACE_ORDERS, portal=True)
@on_refusal(_draw_basket)
def change_basket() -> Any:
    """Change how many of each are wanted, or take a line out."""
    typed = dict(
        zip(request.form.getlist("sku"), request.form.getlist("quantity"), strict=False)
    )
    removed = request.form.get("remove")
    if removed is not None:
        typed = {removed: "0"}
    services.change_quantities(outsider(), typed)
    if removed is not None:
        flash(_("%(sku)s is out of the basket.", sku=removed[:60]), "ok")
    return go("portal.basket")


@bp.post("/portal/basket/order")
@requires(permissions.PLACE_ORDERS, portal=True)
@on_refusal(_draw_basket)
def place() -> Any:
    """Order what lies in the basket; sent twice, it is one order."""
    sent = read_form(PlaceForm)
    columns = (sent["quantity"], sent["price"], sent["comes_on"])
    seen = {
        sku: services.Seen(*rest)
        for sku, *rest in zip(sent["sku"], *columns, strict=False)
    }
    order = services.order_basket(
        outsider(),
        token=sent["token"],
        seen=seen,
        reference=sent["reference"],
        required_on=sent["required_on"],
    )
    if order is None:
        typed = {sku: one.quantity for sku, one in seen.items()}
        services.change_quantities(me(), typed)
        flash(_("The basket has changed. Look at it, then order."), "error")
        return go("portal.basket")
    return go("portal.my_order", number=order.number, placed=1)
