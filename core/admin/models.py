"""What the administration keeps: the house's logo, and how far the first hour went."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, now


class HouseLogo(Model):
    """The picture of the house; the setting `house.logo` names the one in use."""

    __tablename__ = "house_logo"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(sa.String(40))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    at: Mapped[datetime] = mapped_column(default=now)


class FirstHourStep(Model):
    """A step of the first hour that somebody has done or left out."""

    __tablename__ = "first_hour_step"

    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    # `done`, `skipped`; the step `all` is `dismissed`.
    state: Mapped[str] = mapped_column(sa.String(10))
    at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL")
    )
