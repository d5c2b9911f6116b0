"""Hand-overs and their items."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.contacts.models import Contact
from core.db import Model, Record
from core.users.models import User


class HandOver(Record, Model):
    """A contact that went from one colleague to another, and what came with it.

    Every colleague who sees the contact sees that; of its items each sees those they
    may read by themselves.
    """

    __tablename__ = "interactions_hand_over"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    giver_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    receiver_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    word: Mapped[str] = mapped_column(sa.Text, default="", info={"personal": True})
    finished_at: Mapped[datetime | None]

    contact: Mapped[Contact] = relationship()
    giver: Mapped[User | None] = relationship(foreign_keys=[giver_id])
    receiver: Mapped[User | None] = relationship(foreign_keys=[receiver_id])
    items: Mapped[list["HandOverItem"]] = relationship(
        order_by="HandOverItem.id", cascade="all, delete-orphan", passive_deletes=True
    )


class HandOverItem(Model):
    """One thing to look at: a record by its `ref`, or what stands on the contact.

    `kind` is know, step, word or record.
    """

    __tablename__ = "interactions_handed"

    id: Mapped[int] = mapped_column(primary_key=True)
    hand_over_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interactions_hand_over.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(sa.String(10))
    ref: Mapped[str] = mapped_column(sa.String(100), default="", index=True)
    acknowledged_at: Mapped[datetime | None]
