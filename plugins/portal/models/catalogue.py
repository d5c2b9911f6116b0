"""What we sell: products, their stock, and what was agreed on them with whom."""

from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.contacts.models import Contact
from core.db import Model, Readers, Record

# How long names may be; an order keeps its own copy of them.
SKU_LENGTH, NAME_LENGTH = 60, 200
NOTHING = Decimal(0)


class Product(Record, Model):
    """Something we sell. Customers read it; its price for each is in the agreements.

    `price` is the list price of one, `unit` says what one is ("box of 12 jars").
    `box_size` is the number it is sold in multiples of. Without `lead_time_days`
    nothing is promised beyond the stock and what is on order.
    """

    __tablename__ = "portal_product"
    readers: ClassVar[Readers] = "customers"

    sku: Mapped[str] = mapped_column(sa.String(SKU_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    # The name folded for sorting and the filter: case and accents gone.
    sort_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    category: Mapped[str] = mapped_column(sa.String(100), default="")
    unit: Mapped[str] = mapped_column(sa.String(100), default="")
    box_size: Mapped[int] = mapped_column(default=1)
    price: Mapped[Decimal] = mapped_column(default=NOTHING)
    discontinued: Mapped[bool] = mapped_column(default=False)
    lead_time_days: Mapped[int | None]
    # Never shown to customers.
    supplier_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True
    )

    supplier: Mapped[Contact | None] = relationship()
    stock: Mapped["Stock"] = relationship(
        back_populates="product",
        cascade="all, delete-orphan",
        lazy="joined",
        innerjoin=True,
        passive_deletes=True,
    )

    __table_args__ = (
        sa.Index("ix_portal_product_sort_name_id", "sort_name", "id"),
        sa.Index("ix_portal_product_category", "category"),
    )


class Stock(Model):
    """How many of a product lie on the shelf, and how many of those are promised.

    Not part of the product's version: stock moves all day and edits of the product
    must not fail for it. Changed only by guarded statements in `services.stock`.
    """

    __tablename__ = "portal_stock"

    product_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_product.id", ondelete="CASCADE"), primary_key=True
    )
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)

    product: Mapped[Product] = relationship(back_populates="stock")

    __table_args__ = (
        sa.CheckConstraint("on_hand >= 0", name="on_hand"),
        sa.CheckConstraint("reserved >= 0", name="reserved"),
    )

    @property
    def available(self) -> int:
        """How many may still be promised."""
        return self.on_hand - self.reserved


class Agreement(Record, Model):
    """What was agreed with a customer or vendor as a whole.

    `discount` is a fraction of the list price (0.1 is ten per cent).
    `shows_exact_stock`: this customer sees figures, not "few left". `trusted`: dates
    this vendor moves take effect without our buyer's yes.
    """

    __tablename__ = "portal_agreement"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), unique=True
    )
    discount: Mapped[Decimal] = mapped_column(default=NOTHING)
    shows_exact_stock: Mapped[bool] = mapped_column(default=False)
    trusted: Mapped[bool] = mapped_column(default=False)


class AgreedPrice(Record, Model):
    """What one customer pays for one product: a price, or a discount off the list.

    Goes before the discount of the whole agreement.
    """

    __tablename__ = "portal_price"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE")
    )
    product_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_product.id", ondelete="CASCADE"), index=True
    )
    price: Mapped[Decimal | None]
    discount: Mapped[Decimal] = mapped_column(default=NOTHING)

    __table_args__ = (sa.UniqueConstraint("contact_id", "product_id"),)
