"""Who follows what, beyond those who do so without having said it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Model, now
from core.users.models import User


class Follow(Model):
    """Somebody said that they follow a contact or a thread, or that they do not.

    Exactly one of `contact_id` and `interaction_id` is set; the latter is the first
    entry of a thread. `wanted` is False for who would be told without asking (the
    owner of a contact, who wrote in a thread) and does not want to be.
    """

    __tablename__ = "interactions_follow"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    interaction_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), index=True
    )
    wanted: Mapped[bool]
    since: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        sa.UniqueConstraint("user_id", "contact_id"),
        sa.UniqueConstraint("user_id", "interaction_id"),
    )
