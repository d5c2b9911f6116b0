"""Prices: the list, and what was agreed with each customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db, now
from core.errors import Invalid
from core.i18n import _
from plugins.portal.models import NOTHING, AgreedPrice, Agreement, Order, Product

_PLACES = Decimal("0.0001")
# Money has four places and eighteen digits in the database; this leaves room to sum.
_DEAREST = Decimal(10) ** 10
_DEAREST_ORDER = Decimal(10) ** 12


@dataclass(frozen=True)
class Price:
    """What one of a product costs somebody: `unit_price` less `discount`, a fraction.

    `list_price` is what everybody else pays.
    """

    list_price: Decimal
    unit_price: Decimal
    discount: Decimal

    @property
    def net(self) -> Decimal:
        """What this customer pays for one."""
        return total_of(1, self.unit_price, self.discount)

    @property
    def agreed(self) -> bool:
        """Say whether this is another price than the list's."""
        return self.net != self.list_price


def total_of(quantity: int, unit_price: Decimal, discount: Decimal) -> Decimal:
    """Give quantity × unit price × (1 - discount), to four places, halves up."""
    return (quantity * unit_price * (1 - discount)).quantize(_PLACES, ROUND_HALF_UP)


def prices_for(contact_id: int | None, products: Sequence[Product]) -> dict[int, Price]:
    """Give by product id what the customer `contact_id` pays: two statements at most.

    An agreed price goes before an agreed discount on the product, and that before the
    discount of the whole agreement. None is the list price.
    """
    if contact_id is None or not products:
        return {one.id: Price(one.price, one.price, NOTHING) for one in products}
    general = db.session.scalar(
        sa.select(Agreement.discount).where(Agreement.contact_id == contact_id)
    )
    rows = db.session.scalars(
        sa.select(AgreedPrice).where(
            AgreedPrice.contact_id == contact_id,
            AgreedPrice.product_id.in_([one.id for one in products]),
        )
    )
    agreed = {row.product_id: row for row in rows}
    return {
        one.id: _price(one, agreed.get(one.id), general or NOTHING) for one in products
    }


def _price(product: Product, agreed: AgreedPrice | None, general: Decimal) -> Price:
    if agreed is None:
        return Price(product.price, product.price, general)
    unit_price = product.price if agreed.price is None else agreed.price
    return Price(product.price, unit_price, agreed.discount)


def price_for(contact: Contact | None, product: Product) -> Price:
    """Give what `contact` pays for `product`; None is the list price."""
    return prices_for(contact.id if contact else None, [product])[product.id]


def agreement_with(contact: Contact) -> Agreement:
    """Give what was agreed with `contact` as a whole; version 0 is nothing yet."""
    found = db.session.scalar(
        sa.select(Agreement).where(Agreement.contact_id == contact.id)
    )
    return found or Agreement(
        contact_id=contact.id,
        discount=NOTHING,
        shows_exact_stock=False,
        trusted=False,
        version=0,
    )


def terms_of(contact: Contact) -> dict[str, Any]:
    """Give all that was agreed with `contact`, with its prices by SKU."""
    agreement = agreement_with(contact)
    rows = db.session.execute(
        sa.select(Product.sku, AgreedPrice.price, AgreedPrice.discount)
        .join(Product, Product.id == AgreedPrice.product_id)
        .where(AgreedPrice.contact_id == contact.id)
        .order_by(Product.sku)
    )
    return {
        "contact": contact.id,
        "discount": agreement.discount,
        "shows_exact_stock": agreement.shows_exact_stock,
        "trusted": agreement.trusted,
        "version": agreement.version,
        "prices": [row._asdict() for row in rows],
    }


def save_agreement(
    contact: Contact,
    *,
    discount: Decimal | None = None,
    shows_exact_stock: bool | None = None,
    trusted: bool | None = None,
) -> Agreement:
    """Agree something with a customer or vendor; what is None stays as it is.

    Raises `Invalid` for a discount that is no fraction between 0 and 1.
    """
    agreement = agreement_with(contact)
    if agreement.version == 0:
        agreement.version = 1
        db.session.add(agreement)
    if discount is not None:
        agreement.discount = checked_discount(discount)
    if shows_exact_stock is not None:
        agreement.shows_exact_stock = shows_exact_stock
    if trusted is not None:
        agreement.trusted = trusted
    db.session.flush()
    return agreement


def agree_price(
    contact: Contact,
    product: Product,
    *,
    price: Decimal | None = None,
    discount: Decimal = NOTHING,
    line: str = "",
) -> AgreedPrice:
    """Agree on a price of `product`, or a discount off its list price.

    `line` begins the names of fields in errors. Raises `Invalid` for a price below
    zero or a discount that is no fraction.
    """
    agreed = db.session.scalar(
        sa.select(AgreedPrice).where(
            AgreedPrice.contact_id == contact.id, AgreedPrice.product_id == product.id
        )
    )
    if agreed is None:
        agreed = AgreedPrice(contact_id=contact.id, product_id=product.id)
        db.session.add(agreed)
    agreed.price = None if price is None else checked_price(price, f"{line}price")
    agreed.discount = checked_discount(discount, f"{line}discount")
    # The prices are part of the agreement: a changed price is a changed agreement.
    save_agreement(contact).updated_at = now()
    db.session.flush()
    return agreed


def checked_price(price: Decimal, field: str = "price") -> Decimal:
    """Give `price` back; raises `Invalid` below zero, far too dear, or too fine."""
    if not NOTHING <= price < _DEAREST or price != price.quantize(_PLACES):
        raise Invalid(errors={field: [_("Write an amount such as 12.50.")]})
    return price


def checked_total(total: Decimal, field: str = "lines") -> Decimal:
    """Give the total of an order back; raises `Invalid` beyond all measure."""
    if total >= _DEAREST_ORDER:
        raise Invalid(errors={field: [_("This is too dear to be true.")]})
    return total


def checked_discount(discount: Decimal, field: str = "discount") -> Decimal:
    """Give `discount` back; raises `Invalid` unless it is a fraction from 0 to 1."""
    if not NOTHING <= discount <= 1 or discount != discount.quantize(_PLACES):
        said = _("A discount is a fraction from 0 to 1: 0.05 is five per cent.")
        raise Invalid(errors={field: [said]})
    return discount


def recount(order: Order) -> None:
    """Sum up an order from its lines: the total, and the day all of it is promised."""
    order.total = checked_total(sum((one.total for one in order.lines), NOTHING))
    days = [one.promised_on for one in order.lines]
    known = [one for one in days if one is not None]
    order.promised_on = max(known) if known and len(known) == len(days) else None
