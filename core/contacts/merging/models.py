"""Which contacts were merged, and the journal of every cell that moved with it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.columns import JSONType
from core.contacts.models import PERSONAL, STAYS, Contact
from core.db import Model, now

# Two presses of the button merge once.
_STANDS = sa.text("parted_at IS NULL")


class Merge(Model):
    """That one contact went into another; it stays when the two were parted again.

    The row of the one that is `gone` is kept in the trash with all it had, and its
    `merged_into_id` names the one that was `kept`.
    """

    __tablename__ = "contact_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    kept_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True, info=STAYS
    )
    gone_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True, info=STAYS
    )
    merged_at: Mapped[datetime] = mapped_column(default=now)
    merged_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    parted_at: Mapped[datetime | None]
    parted_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )

    kept: Mapped[Contact] = relationship(foreign_keys=[kept_id])
    gone: Mapped[Contact] = relationship(foreign_keys=[gone_id])

    __table_args__ = (
        sa.Index(
            "uq_contact_merge_standing",
            "gone_id",
            unique=True,
            postgresql_where=_STANDS,
            sqlite_where=_STANDS,
        ),
    )


class MovedCell(Model):
    """One cell that a merge changed, so that parting can put it back.

    Tables and columns are named, not mapped: a plugin that is switched off has none
    of its classes here, and its cells still go back. `key` is the primary key of the
    row as it was before.
    """

    __tablename__ = "contact_merge_cell"

    id: Mapped[int] = mapped_column(primary_key=True)
    merge_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact_merge.id", ondelete="CASCADE"), index=True
    )
    table_name: Mapped[str] = mapped_column(sa.String(100))
    column_name: Mapped[str] = mapped_column(sa.String(100))
    key: Mapped[dict[str, Any]]
    old: Mapped[Any] = mapped_column(JSONType, nullable=True, info=PERSONAL)
    new: Mapped[Any] = mapped_column(JSONType, nullable=True, info=PERSONAL)
