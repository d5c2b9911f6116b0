"""What was said or done with a contact, and with whom."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.audiences import Audience
from core.columns import Erasable, ErasableText
from core.contacts.models import Contact
from core.db import Model, Readers, Record, now
from core.users.models import User


class Interaction(Record, Model):
    """A note, call, meeting, message or e-mail; the glue between all plugins.

    `contact_id` is the contact it was written on; `contacts` are all it concerns.
    `body` is Markdown. `details` holds the few fields of its kind.
    """

    __tablename__ = "interaction"
    readers: ClassVar[Readers] = "audience"

    kind: Mapped[str] = mapped_column(sa.String(40), default="note")
    subject: Mapped[str] = mapped_column(
        sa.String(300), default="", info={"personal": True}
    )
    body: Mapped[str] = mapped_column(ErasableText, info={"personal": True})
    details: Mapped[dict[str, Any]] = mapped_column(
        default=dict, info={"personal": True}
    )
    # Whom the text calls: [{"user": 7, "as": "Sanna Koski"}, {"team": 2, "as": …}].
    mentions: Mapped[list[Any]] = mapped_column(default=list, info={"personal": True})
    direction: Mapped[str] = mapped_column(sa.String(10), default="")
    source: Mapped[str] = mapped_column(sa.String(100), default="")
    occurred_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE")
    )
    author_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    # Who wrote it when that is nobody with an account: an imported name, a mail.
    author_name: Mapped[str] = mapped_column(
        Erasable(200), default="", info={"personal": True, "identity": True}
    )
    audience_id: Mapped[int] = mapped_column(sa.ForeignKey("audience.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), index=True
    )
    # Until then those outside to whom it was opened last do not see it yet; it was for
    # `opens_from` before, or is new.
    opens_at: Mapped[datetime | None]
    # No foreign key: once it is open, neither a merge nor a team has to mind it.
    opens_from_id: Mapped[int | None]
    pinned_at: Mapped[datetime | None]
    trashed_at: Mapped[datetime | None]

    audience: Mapped[Audience] = relationship(lazy="joined", innerjoin=True)
    author: Mapped[User | None] = relationship(lazy="joined")
    contact: Mapped[Contact | None] = relationship()
    links: Mapped[list["InteractionContact"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    tags: Mapped[list["InteractionTag"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        sa.Index("ix_interaction_contact_id_occurred_at", "contact_id", "occurred_at"),
        sa.Index("ix_interaction_occurred_at_id", "occurred_at", "id"),
        sa.Index(
            "ix_interaction_pinned",
            "id",
            postgresql_where=sa.text("pinned_at IS NOT NULL"),
            sqlite_where=sa.text("pinned_at IS NOT NULL"),
        ),
    )

    @hybrid_property
    def pinned(self) -> bool:
        """Say whether this stands at the top of its timelines."""
        return self.pinned_at is not None

    @pinned.inplace.expression
    @classmethod
    def _pinned(cls) -> sa.ColumnElement[bool]:
        return cls.pinned_at.is_not(None)

    @property
    def contact_ids(self) -> list[int]:
        """The ids of all contacts this concerns, the one it was written on first."""
        others = [link.contact_id for link in self.links]
        return sorted(others, key=lambda one: (one != self.contact_id, one))


class InteractionContact(Model):
    """Which contacts an interaction concerns; the timeline reads from here."""

    __tablename__ = "interaction_contact"

    interaction_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True
    )
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True
    )
    # Repeated here so that one index gives a timeline in order.
    occurred_at: Mapped[datetime]

    contact: Mapped[Contact] = relationship()

    __table_args__ = (
        sa.Index(
            "ix_interaction_contact_contact_id_occurred_at_interaction_id",
            "contact_id",
            "occurred_at",
            "interaction_id",
        ),
    )


class InteractionTag(Model):
    """What an entry is about by a `#tag` in its text, in small letters."""

    __tablename__ = "interaction_tag"

    interaction_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(
        sa.String(80), primary_key=True, info={"personal": True}
    )

    __table_args__ = (sa.Index("ix_interaction_tag_tag", "tag", "interaction_id"),)
