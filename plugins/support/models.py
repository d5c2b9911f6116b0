"""Tickets; what is said on them are core's interactions."""

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.audiences import Audience
from core.columns import ERASED_WORDS, Erasable
from core.contacts.models import Contact
from core.db import Model, Readers, Record
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.users.models import User


class Ticket(Record, Model):
    """Something a customer needs from us, until it is solved.

    A ticket a customer opened is shared with them; one a colleague opened stays in
    the house until somebody answers the customer on it.
    """

    __tablename__ = "support_ticket"
    readers: ClassVar[Readers] = "audience"

    number: Mapped[int] = mapped_column(unique=True)
    subject: Mapped[str] = mapped_column(
        Erasable(300, ERASED_WORDS), info={"personal": True}
    )
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    author_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    owner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"),
        index=True,
        info={"owner": _l("Tickets")},
    )
    audience_id: Mapped[int] = mapped_column(sa.ForeignKey("audience.id"), index=True)
    solved_at: Mapped[datetime | None]
    # Since when the customer waits for an answer; None while they do not.
    asked_at: Mapped[datetime | None]
    # Until then those outside to whom it was opened do not see it yet.
    opens_at: Mapped[datetime | None]
    opens_from_id: Mapped[int | None]
    # In which state they see it until then.
    opens_from_state: Mapped[str | None] = mapped_column(sa.String(10))
    # When it was opened again after it was solved, until it is solved again.
    reopened_at: Mapped[datetime | None]

    contact: Mapped[Contact] = relationship(lazy="joined", innerjoin=True)
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id], lazy="joined")
    audience: Mapped[Audience] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.Index("ix_support_ticket_state_id", "state", "id"),)


class Message(Model):
    """Which interaction was said on which ticket."""

    __tablename__ = "support_message"

    interaction_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True
    )
    ticket_id: Mapped[int] = mapped_column(
        sa.ForeignKey("support_ticket.id", ondelete="CASCADE"), index=True
    )

    interaction: Mapped[Interaction] = relationship()


class Numbering(Model):
    """The last ticket number given; one row, taken with an update."""

    __tablename__ = "support_numbering"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=1000)
