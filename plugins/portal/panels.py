"""What the portal puts on other pages: menus, panels of a contact, "my day", Ctrl-K."""

from flask import url_for

from core.contacts.models import Contact
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.pages import Action, DayItem, MenuItem, PaletteItem, Panel
from core.permissions import can
from core.users.models import User
from plugins.portal import permissions, words
from plugins.portal.services import overview
from plugins.portal.services.basket import count_basket


def menu(user: User) -> list[MenuItem]:
    """Give the lines of the house's menu, or of the portal's."""
    return _house_menu() if user.kind == "staff" else _portal_menu(user)


def _house_menu() -> list[MenuItem]:
    see = permissions
    purchases = "portal.purchase_orders_page"
    return [
        MenuItem(_l("Orders"), "portal.orders_page", see.ORDERS, "cart", 60, key="o"),
        MenuItem(_l("Products"), "portal.products_page", see.PRODUCTS, "box-seam", 62),
        MenuItem(_l("Purchase orders"), purchases, see.PURCHASE_ORDERS, "truck", 64),
    ]


def _portal_menu(user: User) -> list[MenuItem]:
    goods, order = permissions.PRODUCTS, permissions.PLACE_ORDERS
    seen, purchases = permissions.ORDERS, permissions.PURCHASE_ORDERS
    held = (count_basket(user) or None) if can(order, user) else None
    vendor_list = "portal.my_purchase_orders"
    # The lightest line is the first page after signing in.
    own = 5 if user.kind == "vendor" else 60
    lines = [
        (_l("Home"), "portal.home", goods, "house", 10, None),
        (_l("Catalogue"), "portal.catalogue_page", goods, "grid", 20, None),
        (_l("Quick order"), "portal.quick_order_page", order, "list-check", 30, None),
        (_l("Basket"), "portal.basket", order, "basket", 40, held),
        (_l("Orders"), "portal.my_orders", seen, "cart-check", 50, None),
        (_l("Purchase orders"), vendor_list, purchases, "truck", own, None),
    ]
    return [MenuItem(*line, portal=True) for line in lines]


def of_record(record: Record, user: User) -> list[Panel]:
    """Give the orders and the purchase orders of a contact."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    return [*_orders_of(record, user), *_purchases_of(record, user)]


def open_of(contact: Contact, user: User) -> list[Record]:
    """Give a customer's open orders to colleagues."""
    return [*overview.open_orders(user, contact)] if user.kind == "staff" else []


def _orders_of(contact: Contact, user: User) -> list[Panel]:
    if not can(permissions.ORDERS, user):
        return []
    found = overview.orders_in_short(user, contact)
    address = url_for("portal.orders_page", contact=contact.id)
    context = {
        "orders": found.latest,
        "count": found.count,
        "open": found.open,
        "all_url": address if found.count > len(found.latest) else "",
        "url": address,
        "states": words.ORDER_STATES,
        "kinds": words.STATE_KINDS,
    }
    types = ("portal.order.",)
    return [
        Panel(
            "portal.orders_strip",
            _l("Orders"),
            "portal/orders_strip.html",
            context,
            permissions.ORDERS,
            weight=30,
            place="strip",
            types=types,
            empty=not found.open,
        ),
        Panel(
            "portal.orders",
            _l("Orders"),
            "portal/orders_panel.html",
            context,
            permissions.ORDERS,
            weight=20,
            types=types,
            empty=not found.count,
        ),
    ]


def _purchases_of(contact: Contact, user: User) -> list[Panel]:
    if "vendor" not in contact.roles or not can(permissions.PURCHASE_ORDERS, user):
        return []
    found = overview.purchase_orders_in_short(user, contact)
    address = url_for("portal.purchase_orders_page", contact=contact.id)
    may_write = can(permissions.MANAGE_PURCHASE_ORDERS, user)
    context = {
        "orders": found.latest,
        "count": found.count,
        "all_url": address if found.count > len(found.latest) else "",
        "states": words.PURCHASE_STATES,
        "kinds": words.STATE_KINDS,
    }
    return [
        Panel(
            "portal.purchase_orders",
            _l("Purchase orders"),
            "portal/purchases_panel.html",
            context,
            permissions.PURCHASE_ORDERS,
            weight=22,
            types=("portal.purchase_order.",),
            empty=not found.count,
            add_url=url_for("portal.new_purchase", vendor=contact.id)
            if may_write
            else None,
        )
    ]


def actions(record: Record, user: User) -> list[Action]:
    """Give the buttons of a contact's page."""
    if not isinstance(record, Contact) or user.kind != "staff":
        return []
    found = []
    if {"customer", "vendor"} & set(record.roles):
        address = url_for("portal.agreement", contact_id=record.id)
        allowed = permissions.MANAGE_ORDERS
        found.append(Action(_l("Agreement"), address, allowed, "tag", weight=70))
    if "vendor" in record.roles:
        address = url_for("portal.new_purchase", vendor=record.id)
        allowed = permissions.MANAGE_PURCHASE_ORDERS
        found.append(
            Action(_l("New purchase order"), address, allowed, "truck", weight=60)
        )
    return found


def day(user: User) -> list[DayItem]:
    """Give the blocks of "my day": new orders of one's customers, and moved dates."""
    found = []
    if can(permissions.MANAGE_ORDERS, user):
        orders = overview.new_orders(user)
        if orders:
            found.append(
                DayItem(
                    "portal.new_orders",
                    _l("New orders of your customers"),
                    "portal/day_orders.html",
                    {"orders": orders},
                    permissions.MANAGE_ORDERS,
                    weight=25,
                )
            )
    if can(permissions.MANAGE_PURCHASE_ORDERS, user):
        lines = overview.moved_dates(user)
        if lines:
            found.append(
                DayItem(
                    "portal.moved_dates",
                    _l("Dates that vendors moved"),
                    "portal/day_dates.html",
                    {"lines": lines, "day": words.day},
                    permissions.MANAGE_PURCHASE_ORDERS,
                    weight=26,
                )
            )
    return found


def palette(_user: User) -> list[PaletteItem]:
    """Give what Ctrl-K can start here; the places are in the menu already."""
    add_product, add_purchase = "portal.new_product", "portal.new_purchase"
    lines = [
        (_l("New product"), add_product, permissions.MANAGE_PRODUCTS),
        (_l("New purchase order"), add_purchase, permissions.MANAGE_PURCHASE_ORDERS),
    ]
    return [
        PaletteItem(title, url_for(at), needed, "new") for title, at, needed in lines
    ]
