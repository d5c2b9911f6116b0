"""Follow-ups: one row each, done or not."""

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.contacts.models import Contact
from core.db import Model, Readers, Record
from core.i18n import lazy_gettext as _l
from core.users.models import User


class FollowUp(Record, Model):
    """Something to do about a contact, with a moment at which its owner is reminded.

    One that hangs on an entry is for those colleagues who see the entry; the others
    are for every colleague who sees the contact. `due_at` is what was planned, and
    `remind_at` when it comes up: the same, or until when it was snoozed.
    """

    __tablename__ = "interactions_follow_up"
    readers: ClassVar[Readers] = "entry"

    text: Mapped[str] = mapped_column(sa.String(500), info={"personal": True})
    # A reminder without words would remind of nothing.
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "removed"},
    )
    interaction_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "removed"},
    )
    author_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    owner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"),
        index=True,
        info={"owner": _l("Follow-ups")},
    )
    due_at: Mapped[datetime]
    # Minutes after its entry happens, when it moves with it; negative is before.
    after_minutes: Mapped[int | None]
    snoozed_until: Mapped[datetime | None]
    remind_at: Mapped[datetime]
    # When its owner was told that it is due; empty again when it is put off.
    told_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    repeat_every: Mapped[int | None]
    repeat_unit: Mapped[str] = mapped_column(sa.String(5), default="")
    # The one that was done before this; one at most comes of each.
    previous_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("interactions_follow_up.id", ondelete="SET NULL"), unique=True
    )
    trashed_at: Mapped[datetime | None]

    contact: Mapped[Contact] = relationship()
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])

    __table_args__ = (
        sa.Index(
            "ix_interactions_follow_up_open",
            "owner_id",
            "remind_at",
            postgresql_where=sa.text("done_at IS NULL AND trashed_at IS NULL"),
            sqlite_where=sa.text("done_at IS NULL AND trashed_at IS NULL"),
        ),
        sa.Index(
            "ix_interactions_follow_up_untold",
            "remind_at",
            postgresql_where=sa.text(
                "done_at IS NULL AND trashed_at IS NULL AND told_at IS NULL"
            ),
            sqlite_where=sa.text(
                "done_at IS NULL AND trashed_at IS NULL AND told_at IS NULL"
            ),
        ),
    )
