"""The catalogue as one reader sees it: their products, prices and stock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.contacts.finding import fold
from core.contacts.models import Contact
from core.db import db
from core.errors import NotFound
from core.schemas import LIMIT, Page, keyset_page
from core.users.models import User
from core.visibility import visible_to
from plugins.portal.models import Product
from plugins.portal.services.prices import Price, prices_for
from plugins.portal.services.stock import Figures, Shown, figures_of, shown_to


@dataclass(frozen=True)
class Offer:
    """A product as one reader sees it.

    Colleagues get the true `figures`, and `shown` when they look on behalf of a
    customer: what that customer is told. Customers get `shown` alone.
    """

    product: Product
    price: Price
    figures: Figures | None
    shown: Shown | None


def buyer_of(user: User, contact: Contact | None = None) -> int | None:
    """Say for whom `user` looks: a portal user's own organisation, else `contact`.

    None is nobody in particular, at list prices.
    """
    if user.kind != "staff":
        return user.contact_id or user.person_id
    return contact.id if contact else None


def sold_to(user: User) -> sa.Select[Product]:
    """Select the products `user` is offered: customers not those discontinued."""
    query = visible_to(user, Product)
    if user.kind != "staff":
        query = query.where(Product.discontinued.is_(False))
    return query


def example_line(user: User) -> str:
    """Write a line of a quick order that `user` could really send."""
    query = sold_to(user).with_only_columns(Product.sku, Product.box_size)
    row = db.session.execute(query.order_by(Product.id).limit(1)).first()
    return f"{row.sku} {row.box_size * 12}" if row else "KV-100 24"


def catalogue(
    user: User,
    *,
    q: str = "",
    category: str = "",
    cursor: str | None = None,
    limit: int = LIMIT,
    contact: Contact | None = None,
) -> Page[Offer]:
    """Read a page of the catalogue by name; the statements do not grow with it.

    `q` looks in names and SKUs, whatever case or accents. `contact` is the customer
    on whose behalf a colleague looks.
    """
    query = sold_to(user)
    for word in fold(q).split():
        query = query.where(
            sa.or_(
                Product.sort_name.contains(word, autoescape=True),
                sa.func.lower(Product.sku).contains(word, autoescape=True),
            )
        )
    if category:
        query = query.where(Product.category == category)
    page = keyset_page(
        query, [Product.sort_name, Product.id], cursor=cursor, limit=limit
    )
    return Page(offers(user, page.items, contact=contact), page.next)


def offers(
    user: User, products: Sequence[Product], *, contact: Contact | None = None
) -> list[Offer]:
    """Give products the prices and the stock that `user` may read."""
    if not products:
        return []
    buyer = buyer_of(user, contact)
    prices = prices_for(buyer, products)
    inside = user.kind == "staff"
    figures = figures_of(products) if inside else {}
    shown = shown_to(buyer, products) if buyer is not None or not inside else {}
    return [
        Offer(one, prices[one.id], figures.get(one.id), shown.get(one.id))
        for one in products
    ]


def get_product(user: User, sku: str) -> Product:
    """Give the product `user` names, in whatever case; raises `NotFound`."""
    found = find_products(user, [sku]).get(sku.lower())
    if found is None:
        raise NotFound
    return found


def offer(user: User, sku: str, *, contact: Contact | None = None) -> Offer:
    """Give one product as `user` sees it; raises `NotFound`."""
    return offers(user, [get_product(user, sku)], contact=contact)[0]


def find_products(user: User, skus: Iterable[str]) -> dict[str, Product]:
    """Give the products `user` sees by their SKU in lower case, discontinued ones too.

    SKUs may be written in any case: as they stand they take an index, and only those
    that are not found so are looked for otherwise.
    """
    wanted = {one.strip() for one in skus if "\x00" not in one}
    query = visible_to(user, Product)
    exact = db.session.scalars(query.where(Product.sku.in_(wanted))).unique()
    found = {one.sku.lower(): one for one in exact}
    rest = {one.lower() for one in wanted} - set(found)
    if rest:
        other = db.session.scalars(
            query.where(sa.func.lower(Product.sku).in_(rest))
        ).unique()
        found |= {one.sku.lower(): one for one in other}
    return found


def categories(user: User) -> list[str]:
    """Name the categories of what `user` is offered, for the filter."""
    query = sold_to(user).where(Product.category != "")
    names = query.with_only_columns(Product.category).distinct()
    return sorted(db.session.scalars(names), key=fold)
