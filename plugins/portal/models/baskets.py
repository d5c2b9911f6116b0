"""What lies in the basket of each account, and which form made which order."""

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Model
from core.users.models import User
from plugins.portal.models.catalogue import Product
from plugins.portal.models.orders import Order


class BasketLine(Model):
    """A product somebody means to order; `price` is that of one when it was put in."""

    __tablename__ = "portal_basket_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_product.id", ondelete="CASCADE"), index=True
    )
    quantity: Mapped[int]
    price: Mapped[Decimal]

    user: Mapped[User] = relationship()
    product: Mapped[Product] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("user_id", "product_id"),)


class Placement(Model):
    """A basket's form that was sent; `token` stands hidden in it.

    Sent again, by a double click or after a lost connection, it gives the same order.
    """

    __tablename__ = "portal_placement"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    token: Mapped[str] = mapped_column(sa.String(64))
    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("portal_order.id", ondelete="CASCADE"), index=True
    )

    order: Mapped[Order] = relationship()

    __table_args__ = (sa.UniqueConstraint("user_id", "token"),)
