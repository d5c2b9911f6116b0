"""The house's pages of products: prices, and the true stock."""

from typing import Any

from flask import flash, request

from core.errors import Conflict, CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.parts import hosted
from core.permissions import me, requires
from plugins.portal import permissions
from plugins.portal.forms import CountForm, NewProductForm, ProductForm
from plugins.portal.models import Product
from plugins.portal.services import catalogue, overview, products, purchasing, stock
from plugins.portal.views.blueprint import (
    PAGE,
    argument,
    bp,
    cursor,
    draw,
    go,
    here,
    read_form,
)


@bp.get("/products")
@requires(permissions.PRODUCTS)
def products_page() -> Any:
    """What we sell, by name, with the true stock."""
    q, category = argument("q"), argument("category")
    page = catalogue.catalogue(
        me(), q=q, category=category, cursor=cursor(), limit=PAGE
    )
    return draw(
        "products.html",
        page=page,
        q=q,
        category=category,
        categories=catalogue.categories(me()),
        next_url=here(page.next, "portal.products_page", q=q, category=category),
    )


def _draw_new(error: CRMError | None = None) -> Any:
    return draw("new_product.html", error, categories=catalogue.categories(me()))


@bp.get("/products/new")
@requires(permissions.MANAGE_PRODUCTS)
def new_product() -> Any:
    """The form for a product."""
    return _draw_new()


@bp.post("/products/new")
@requires(permissions.MANAGE_PRODUCTS)
@on_refusal(_draw_new)
def add_product() -> Any:
    """Add a product."""
    made = products.create_product(read_form(NewProductForm), actor=me())
    flash(_("%(sku)s is added.", sku=made.sku), "ok")
    return go("portal.product", sku=made.sku)


def _draw_product(error: CRMError | None = None, *, sku: str) -> Any:
    offer = catalogue.offer(me(), sku)
    found = offer.product
    coming = purchasing.expected_lines([found]).get(found.id, [])
    return draw(
        "product.html",
        error,
        offer=offer,
        product=found,
        shown=overview.shown_to_most(found),
        coming=coming,
        waiting=overview.waiting_orders(me(), found),
        **hosted(found, me()),
    )


@bp.get("/products/<path:sku>")
@requires(permissions.PRODUCTS)
def product(sku: str) -> Any:
    """One product: price and stock, what is on its way, and who waits for it."""
    return _draw_product(sku=sku)


def _draw_edit(error: CRMError | None = None, *, sku: str) -> Any:
    found = catalogue.get_product(me(), sku)
    return draw(
        "edit_product.html",
        error,
        product=found,
        categories=catalogue.categories(me()),
        changed_meanwhile=isinstance(error, Conflict),
    )


@bp.get("/products/<path:sku>/edit")
@requires(permissions.MANAGE_PRODUCTS)
def edit_product(sku: str) -> Any:
    """The form of a product."""
    return _draw_edit(sku=sku)


@bp.post("/products/<path:sku>/edit")
@requires(permissions.MANAGE_PRODUCTS)
@on_refusal(_draw_edit)
def change_product(sku: str) -> Any:
    """Change a product, unless somebody else did meanwhile."""
    found = catalogue.get_product(me(), sku)
    sent = read_form(ProductForm)
    if request.form.get("version", type=int) != found.version:
        raise Conflict
    products.change_product(found, sent, actor=me())
    flash(_("Saved."), "ok")
    return go("portal.product", sku=found.sku)


@bp.post("/products/<path:sku>/stock")
@requires(permissions.MANAGE_PRODUCTS)
@on_refusal(_draw_product)
def count(sku: str) -> Any:
    """Set what was counted on the shelf, unless the stock moved meanwhile."""
    found = catalogue.get_product(me(), sku)
    sent = read_form(CountForm)
    _refuse_if_moved(found, sent["was"])
    stock.count_stock(found, on_hand=sent["on_hand"])
    said = _("%(num)d of %(sku)s are on hand.", num=sent["on_hand"], sku=found.sku)
    flash(said, "ok")
    return go("portal.product", sku=found.sku)


def _refuse_if_moved(found: Product, was: int) -> None:
    on_hand = stock.figures_of([found])[found.id].on_hand
    if on_hand != was:
        said = _(
            "The stock moved while you counted: it was %(was)d, it is %(num)d now.",
            was=was,
            num=on_hand,
        )
        raise Invalid(errors={"on_hand": [said]})
