"""That somebody's data was erased, by whom and why."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Model, now
from core.users.models import User


class Erasure(Model):
    """One contact whose data was erased for good; nothing in it is about the person."""

    __tablename__ = "contact_erasure"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
    by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    # For those who may erase; it is refused when it names the person.
    reason: Mapped[str] = mapped_column(sa.Text)
    # Whether also what concerned others lost its words.
    with_others: Mapped[bool] = mapped_column(default=False)

    by: Mapped[User | None] = relationship()
