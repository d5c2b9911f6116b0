"""What readers leave behind: how far they have read, and how they reacted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, now


class Seen(Model):
    """How far a reader has read the story of a contact, and when they last looked.

    The entry with the greatest id that was there counts, not the latest moment: what
    is written today about last week is new today.
    """

    __tablename__ = "interactions_seen"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    # No foreign key: the entry may be erased, and its number says enough.
    entry: Mapped[int]
    looked_at: Mapped[datetime] = mapped_column(default=now)


class Reaction(Model):
    """A sign that somebody left on an entry, such as a thumb up."""

    __tablename__ = "interactions_reaction"

    interaction_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    reacted_at: Mapped[datetime] = mapped_column(default=now)
