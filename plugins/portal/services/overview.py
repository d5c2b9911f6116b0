"""What the pages show beside the lists: what arrives, what waits, whom to ask."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload, selectinload

from core.contacts.lists import Wanted, contact_list
from core.contacts.models import Contact
from core.db import Record, db
from core.errors import NotFound
from core.statements import prepared
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import visible_to
from plugins.portal.models import (
    Order,
    OrderLine,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
)
from plugins.portal.services.catalogue import Offer, buyer_of, offers, sold_to
from plugins.portal.services.stock import ON_THE_WAY, Shown, shown_to

OPEN = ("placed", "confirmed", "picked", "shipped")
_MOST_VENDORS, _MOST_SUGGESTED = 20, 200
# So many lines are looked through for what was ordered lately.
_LATELY = 100

R = TypeVar("R", bound=Record)


# -- For customers -----------------------------------------------------------------


@dataclass(frozen=True)
class ContactPerson:
    """Whom a customer may ask: their organisation's owner among our colleagues."""

    name: str
    email: str
    phone: str


def contact_person(user: User) -> ContactPerson | None:
    """Give the colleague who looks after the organisation of `user`, if anybody does.

    The phone is that of the contact the colleague is, if there is one. Neither is
    open to customers by itself: this one person is, because they are theirs to call.
    """
    is_one = Contact.__table__.alias("is_one")
    row = db.session.execute(
        sa.select(User.name, User.email, is_one.c.phones)
        .join(Contact, Contact.owner_id == User.id)
        .outerjoin(is_one, is_one.c.id == User.person_id)
        .where(Contact.id == buyer_of(user), User.active)
    ).first()
    if row is None:
        return None
    phones: list[dict[str, Any]] = row.phones or []
    number = next((one["number"] for one in phones if one.get("number")), "")
    return ContactPerson(row.name, row.email, number)


def organisation_of(user: User) -> str:
    """Name the organisation that `user` orders for."""
    query = visible_to(user, Contact).where(Contact.id == buyer_of(user))
    return db.session.scalar(query.with_only_columns(Contact.name)) or ""


def arriving(user: User, *, most: int = 5) -> list[Order]:
    """List the open orders of `user`, the first to arrive first."""
    query = visible_to(user, Order).where(Order.state.in_(OPEN))
    unknown_last = sa.case((Order.promised_on.is_(None), 1), else_=0)
    query = query.order_by(unknown_last, Order.promised_on, Order.id).limit(most)
    return list(db.session.scalars(query))


def ordered_lately(user: User, *, most: int = 6) -> list[tuple[Offer, int]]:
    """List what `user`'s organisation ordered last and may order again.

    Each product comes once, with how many it was then.
    """
    query = visible_to(user, Order).with_only_columns(Order.id)
    recent = query.order_by(Order.placed_at.desc(), Order.id.desc()).limit(_LATELY)
    rows = db.session.execute(
        sa.select(OrderLine.product_id, OrderLine.quantity)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.id.in_(recent), OrderLine.product_id.is_not(None))
        .order_by(Order.placed_at.desc(), OrderLine.id)
        .limit(_LATELY)
    )
    lately: dict[int, int] = {}
    for product_id, quantity in rows:
        if product_id is not None:
            lately.setdefault(product_id, quantity)
    sold = db.session.scalars(sold_to(user).where(Product.id.in_(lately))).unique()
    known = {one.id: one for one in sold}
    found = [known[one] for one in lately if one in known][:most]
    return [(one, lately[one.product.id]) for one in offers(user, found)]


# -- For colleagues ----------------------------------------------------------------


@dataclass(frozen=True)
class InShort(Generic[R]):
    """The latest of somebody's records, their number, and that of the open ones."""

    latest: Sequence[R]
    count: int
    open: int


def orders_in_short(user: User, contact: Contact, *, most: int = 5) -> InShort[Order]:
    """Give what a contact ordered, in one statement."""
    statement = prepared(user, _orders_of)
    return _in_short(statement.rows(contact_id=contact.id, most=most))


def open_orders(user: User, contact: Contact, *, most: int = 10) -> list[Order]:
    """List what a contact has ordered and not yet received, the oldest first."""
    query = visible_to(user, Order).where(
        Order.contact_id == contact.id, Order.state.in_(OPEN)
    )
    query = query.order_by(Order.placed_at, Order.id).limit(most)
    return list(db.session.scalars(query).unique())


def _orders_of(user: User) -> sa.Select[Any]:
    query = visible_to(user, Order)
    query = query.where(Order.contact_id == sa.bindparam("contact_id"))
    newest = query.order_by(Order.placed_at.desc(), Order.id.desc())
    return _counted(newest, Order.state.in_(OPEN))


def purchase_orders_in_short(
    user: User, contact: Contact, *, most: int = 5
) -> InShort[PurchaseOrder]:
    """Give what we order from a contact, drafts too, in one statement."""
    statement = prepared(user, _purchase_orders_of)
    return _in_short(statement.rows(contact_id=contact.id, most=most))


def _purchase_orders_of(user: User) -> sa.Select[Any]:
    query = visible_to(user, PurchaseOrder)
    query = query.where(PurchaseOrder.vendor_id == sa.bindparam("contact_id"))
    newest = query.order_by(PurchaseOrder.id.desc())
    return _counted(newest, PurchaseOrder.state.in_(("draft", *ON_THE_WAY)))


def _counted(query: sa.Select[Any], is_open: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return query.add_columns(
        sa.func.count().over(),
        sa.func.sum(sa.case((is_open, 1), else_=0)).over(),
    ).limit(sa.bindparam("most"))


def _in_short(rows: Sequence[Any]) -> InShort[Any]:
    if not rows:
        return InShort([], 0, 0)
    return InShort([row[0] for row in rows], int(rows[0][1]), int(rows[0][2]))


def new_orders(user: User, *, most: int = 5) -> list[Order]:
    """List orders nobody has confirmed yet, of customers that are `user`'s own."""
    query = (
        visible_to(user, Order)
        .join(Contact, Contact.id == Order.contact_id)
        .where(Order.state == "placed", Contact.owner_id.in_(looked_after_by(user)))
        .options(joinedload(Order.contact))
        .order_by(Order.placed_at, Order.id)
    )
    return list(db.session.scalars(query.limit(most)))


def moved_dates(user: User, *, most: int = 5) -> list[PurchaseOrderLine]:
    """List lines whose vendor moved the date and waits for our buyer, soonest first."""
    seen = visible_to(user, PurchaseOrder).where(PurchaseOrder.state.in_(ON_THE_WAY))
    query = (
        sa.select(PurchaseOrderLine)
        .where(
            PurchaseOrderLine.proposed_on.is_not(None),
            PurchaseOrderLine.order_id.in_(seen.with_only_columns(PurchaseOrder.id)),
        )
        .options(
            joinedload(PurchaseOrderLine.order).joinedload(PurchaseOrder.vendor),
        )
        .order_by(PurchaseOrderLine.proposed_on, PurchaseOrderLine.id)
    )
    return list(db.session.scalars(query.limit(most)))


def whole_order(user: User, key: str) -> Order:
    """Give an order by number or id with all that its page shows, in two statements.

    Raises `NotFound`.
    """
    is_it = Order.id == int(key[:12]) if key.isdecimal() else Order.number == key
    query = visible_to(user, Order).where(is_it)
    query = query.options(
        joinedload(Order.contact),
        # Only the name is shown; what they may do is not asked for.
        joinedload(Order.placed_by).options(lazyload(User.roles), lazyload(User.teams)),
        selectinload(Order.lines).joinedload(OrderLine.product),
    )
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def waiting_for(lines: Iterable[OrderLine]) -> dict[int, tuple[str, date | None]]:
    """Say by purchase order line which order brings it, and when: one statement."""
    wanted = {one.waiting_for_id for one in lines} - {None}
    if not wanted:
        return {}
    rows = db.session.execute(
        sa.select(PurchaseOrderLine, PurchaseOrder.number)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(PurchaseOrderLine.id.in_(wanted))
    )
    return {line.id: (number, line.expected_on) for line, number in rows}


def waiting_orders(
    user: User, product: Product, *, most: int = 10
) -> list[tuple[Order, OrderLine]]:
    """List the orders that still wait for some of a product, the oldest first."""
    seen = visible_to(user, Order).with_only_columns(Order.id)
    query = (
        sa.select(Order, OrderLine)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            OrderLine.product_id == product.id,
            OrderLine.quantity > OrderLine.reserved + OrderLine.shipped,
            Order.state.in_(OPEN),
            Order.id.in_(seen),
        )
        .options(joinedload(Order.contact))
        .order_by(Order.placed_at, OrderLine.id)
    )
    return [(order, line) for order, line in db.session.execute(query.limit(most))]


def shown_to_most(product: Product) -> Shown:
    """Say what customers without an agreement of their own are told of the stock."""
    return shown_to(None, [product])[product.id]


def vendors(user: User, q: str = "") -> list[Contact]:
    """List the vendors `user` sees by name, twenty at most."""
    query = contact_list(user, Wanted(q=q, role="vendor"))
    query = query.order_by(Contact.sort_name, Contact.id).limit(_MOST_VENDORS)
    return list(db.session.scalars(query))


def products_of(user: User, vendor: Contact) -> list[Product]:
    """List what a vendor supplies, for a form that suggests it."""
    query = visible_to(user, Product).where(Product.supplier_id == vendor.id)
    query = query.where(Product.discontinued.is_(False)).order_by(Product.sort_name)
    return list(db.session.scalars(query.limit(_MOST_SUGGESTED)).unique())
