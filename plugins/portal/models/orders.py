"""What customers order from us, and what we order from vendors."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.contacts.models import Contact
from core.db import Model, Readers, Record, now
from core.i18n import lazy_gettext as _l
from core.users.models import User
from plugins.portal.models.catalogue import NAME_LENGTH, NOTHING, SKU_LENGTH, Product


class Sequence(Model):
    """The last number given out of a series; its row is locked while one is taken."""

    __tablename__ = "portal_sequence"

    name: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    last: Mapped[int]


class Order(Record, Model):
    """What a customer ordered.

    `reference` is the customer's own, `external_number` the number it had in the
    system it was imported from. `total` is the sum of its lines, without `freight`.
    """

    __tablename__ = "portal_order"
    readers: ClassVar[Readers] = "shared"

    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    external_number: Mapped[str | None] = mapped_column(sa.String(60), index=True)
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL")
    )
    # placed, confirmed, picked, shipped, delivered; or cancelled
    state: Mapped[str] = mapped_column(sa.String(10), default="placed")
    reference: Mapped[str] = mapped_column(sa.String(100), default="")
    placed_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    placed_at: Mapped[datetime] = mapped_column(default=now)
    required_on: Mapped[date | None]
    promised_on: Mapped[date | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    ship_to: Mapped[dict[str, Any]] = mapped_column(
        default=dict, info={"personal": True}
    )
    currency: Mapped[str] = mapped_column(sa.String(3))
    freight: Mapped[Decimal] = mapped_column(default=NOTHING)
    total: Mapped[Decimal] = mapped_column(default=NOTHING)

    contact: Mapped[Contact | None] = relationship()
    placed_by: Mapped[User | None] = relationship()
    lines: Mapped[list["OrderLine"]] = relationship(
        back_populates="order",
        cascade="all, delete-orphan",
        order_by="OrderLine.id",
        passive_deletes=True,
    )

    __table_args__ = (
        sa.Index("ix_portal_order_placed_at_id", "placed_at", "id"),
        sa.Index(
            "ix_portal_order_contact_id_placed_at_id", "contact_id", "placed_at", "id"
        ),
        sa.Index("ix_portal_order_state_placed_at_id", "state", "placed_at", "id"),
    )


class OrderLine(Model):
    """One product of an order, with the price of the day it was ordered.

    Of `quantity`, `reserved` lie ready for it, `shipped` have left, and the rest is
    to come: from the purchase order line `waiting_for`, if one is known. `discount`
    is a fraction; `total` is exact to four places.
    """

    __tablename__ = "portal_order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_order.id", ondelete="CASCADE"), index=True
    )
    product_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("portal_product.id", ondelete="SET NULL"), index=True
    )
    sku: Mapped[str] = mapped_column(sa.String(SKU_LENGTH))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    # What the system it was imported from calls this line.
    external_key: Mapped[str | None] = mapped_column(sa.String(200))
    quantity: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    shipped: Mapped[int] = mapped_column(default=0)
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal] = mapped_column(default=NOTHING)
    total: Mapped[Decimal]
    promised_on: Mapped[date | None]
    # Internal: which delivery of a vendor fills it. Never shown to the customer.
    waiting_for_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("portal_purchase_order_line.id", ondelete="SET NULL"), index=True
    )

    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product | None] = relationship()

    @property
    def to_come(self) -> int:
        """How many are neither shipped nor lie ready."""
        return self.quantity - self.reserved - self.shipped

    @property
    def currency(self) -> str:
        """The currency of its order."""
        return self.order.currency


class PurchaseOrder(Record, Model):
    """What we order from a vendor.

    `vendor_id` is whom it is meant for; `contact_id`, by which the vendor sees it, is
    set when it is sent: a draft is nobody's business outside.
    """

    __tablename__ = "portal_purchase_order"
    readers: ClassVar[Readers] = "shared"

    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    vendor_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True
    )
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL")
    )
    # draft, sent, confirmed, received; or cancelled
    state: Mapped[str] = mapped_column(sa.String(10), default="draft")
    reference: Mapped[str] = mapped_column(sa.String(100), default="")
    buyer_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"),
        index=True,
        info={"owner": _l("Purchase orders")},
    )
    sent_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(sa.String(3))
    total: Mapped[Decimal] = mapped_column(default=NOTHING)

    vendor: Mapped[Contact | None] = relationship(foreign_keys=[vendor_id])
    buyer: Mapped[User | None] = relationship()
    lines: Mapped[list["PurchaseOrderLine"]] = relationship(
        back_populates="order",
        cascade="all, delete-orphan",
        order_by="PurchaseOrderLine.id",
        passive_deletes=True,
    )

    __table_args__ = (
        sa.Index("ix_portal_purchase_order_contact_id_id", "contact_id", "id"),
        sa.Index("ix_portal_purchase_order_state_id", "state", "id"),
    )


class PurchaseOrderLine(Model):
    """One product we want from a vendor, and when.

    `wanted_on` is our wish, `promised_on` what counts, `proposed_on` a date the vendor
    moved it to (for `reason`) that waits for our buyer.
    """

    __tablename__ = "portal_purchase_order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_purchase_order.id", ondelete="CASCADE"), index=True
    )
    product_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("portal_product.id", ondelete="SET NULL"), index=True
    )
    sku: Mapped[str] = mapped_column(sa.String(SKU_LENGTH))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(default=NOTHING)
    wanted_on: Mapped[date | None]
    promised_on: Mapped[date | None]
    proposed_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(300), default="")

    order: Mapped[PurchaseOrder] = relationship(back_populates="lines")
    product: Mapped[Product | None] = relationship()

    @property
    def currency(self) -> str:
        """The currency of its order."""
        return self.order.currency

    @property
    def total(self) -> Decimal:
        """The price of the whole line."""
        return self.unit_price * self.quantity

    @property
    def expected_on(self) -> date | None:
        """When the goods come, as far as is known."""
        return self.promised_on or self.wanted_on
