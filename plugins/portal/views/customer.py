"""The portal's pages for customers: home, catalogue, orders."""

from typing import Any

from flask import flash, url_for

from core.db import now
from core.errors import CRMError, Invalid, NotFound
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import can, me, open_to_onlookers, requires, signed_in
from plugins.portal import permissions
from plugins.portal.forms import PutInForm
from plugins.portal.services import basket, catalogue, orders, overview, quick_order
from plugins.portal.views import vendor
from plugins.portal.views.blueprint import (
    PAGE,
    argument,
    bp,
    cursor,
    draw,
    go,
    here,
    outsider,
    read_form,
)


@bp.get("/portal")
@signed_in
@open_to_onlookers
def home() -> Any:
    """The portal's first page: a customer's home, a vendor's purchase orders."""
    user = outsider()
    if user.kind == "vendor":
        if not can(permissions.PURCHASE_ORDERS):
            raise NotFound
        return vendor.draw_list()
    orders_open = can(permissions.ORDERS)
    may_order = can(permissions.PLACE_ORDERS)
    count, total = basket.price_of_basket(user) if may_order else (0, None)
    return draw(
        "home.html",
        today=now(),
        organisation=overview.organisation_of(user),
        arriving=overview.arriving(user) if orders_open else [],
        lately=overview.ordered_lately(user) if orders_open and may_order else [],
        person=overview.contact_person(user),
        basket_count=count,
        basket_total=total,
    )


# -- Catalogue ---------------------------------------------------------------------


def _draw_catalogue(error: CRMError | None = None) -> Any:
    q, category = argument("q"), argument("category")
    if error and argument("back") == "home":
        q = argument("sku")
    page = catalogue.catalogue(
        outsider(), q=q, category=category, cursor=cursor(), limit=PAGE
    )
    return draw(
        "catalogue.html",
        error,
        page=page,
        q=q,
        category=category,
        categories=catalogue.categories(me()),
        wrong_sku=argument("sku").lower() if error else "",
        person=None if page.items else overview.contact_person(me()),
        next_url=here(page.next, "portal.catalogue_page", q=q, category=category),
    )


@bp.get("/portal/catalogue")
@requires(permissions.PRODUCTS, portal=True)
def catalogue_page() -> Any:
    """What one may order, at one's own prices, with the stock as one is told it."""
    return _draw_catalogue()


@bp.post("/portal/basket/add")
@requires(permissions.PLACE_ORDERS, portal=True)
@on_refusal(_draw_catalogue)
def put_in() -> Any:
    """Put a product into the basket."""
    sent = read_form(PutInForm)
    (line,) = quick_order.check_lines(outsider(), [sent])
    if not line.can_be_ordered:
        raise Invalid(errors={"quantity": [line.problem]})
    basket.add_lines(me(), [line])
    said = _("%(quantity)d × %(sku)s is in the basket.")
    flash(said % {"quantity": line.quantity, "sku": line.found.product.sku}, "ok")
    if argument("back") == "home":
        return go("portal.home")
    return go(
        "portal.catalogue_page",
        q=argument("q") or None,
        category=argument("category") or None,
        cursor=argument("cursor", 1000) or None,
        _anchor=f"product-{line.found.product.id}",
    )


# -- Orders ------------------------------------------------------------------------


@bp.get("/portal/orders")
@requires(permissions.ORDERS, portal=True)
def my_orders() -> Any:
    """One's own orders, newest first."""
    page = orders.orders_of(outsider(), cursor=cursor(), limit=PAGE)
    next_url = here(page.next, "portal.my_orders")
    return draw("my_orders.html", orders=page.items, next_url=next_url)


def _draw_order(template: str, number: str) -> Any:
    order = orders.get_order(outsider(), number)
    return draw(
        template,
        order=order,
        steps=orders.STATES,
        reached=orders.STATES.index(order.state)
        if order.state in orders.STATES
        else -1,
        live_url=url_for("portal.my_order_lines", number=order.number),
    )


@bp.get("/portal/orders/<number>")
@requires(permissions.ORDERS, portal=True)
def my_order(number: str) -> Any:
    """One order: how far it is, and when each line comes."""
    return _draw_order("my_order.html", number)


@bp.get("/portal/orders/<number>/lines")
@requires(permissions.ORDERS, portal=True)
def my_order_lines(number: str) -> Any:
    """The part of an order's page that changes, for live updates."""
    return _draw_order("my_order_lines.html", number)


@bp.post("/portal/orders/<number>/again")
@requires(permissions.PLACE_ORDERS, portal=True)
def order_again(number: str) -> Any:
    """Put what was ordered then into the basket once more."""
    order = orders.get_order(outsider(), number)
    added, problems = basket.order_again(me(), order)
    if added:
        said = ngettext(
            "%(num)d line is in the basket.", "%(num)d lines are in the basket.", added
        )
        flash(said, "ok")
    if problems:
        flash(_("Left out: %(why)s", why=" ".join(problems)), "error")
    if not added:
        return go("portal.my_order", number=number)
    return go("portal.basket")
