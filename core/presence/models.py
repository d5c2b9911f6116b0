"""Who has which record open, and who keeps that to themselves."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class Presence(Model):
    """A colleague who has a record open; they are gone when `seen_at` grows old."""

    __tablename__ = "presence"

    # The name of a record type and the record's id.
    about: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    about_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime]
    wrote_at: Mapped[datetime | None]


class PresenceHidden(Model):
    """Somebody who does not show colleagues what they have open."""

    __tablename__ = "presence_hidden"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
