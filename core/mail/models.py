"""The outbox: every mail that goes out, from the moment it is written down."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Model, now

PERSONAL = {"personal": True}
# Held: can still be undone. Waiting: for its turn, or for the next try. Parked: given
# up, until somebody says "try again".
HELD, WAITING, SENT = "held", "waiting", "sent"
PARKED, CANCELLED = "parked", "cancelled"


class OutgoingMail(Model):
    """One mail to one or more people, with what became of it."""

    __tablename__ = "outgoing_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Made when the mail is, and the same on every try: receivers know a repetition.
    message_id: Mapped[str] = mapped_column(sa.String(320), unique=True)
    # Lists of {address, name}; cc is a part of what everybody sees.
    to: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=PERSONAL)
    cc: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=PERSONAL)
    reply_to: Mapped[dict[str, Any] | None] = mapped_column(info=PERSONAL)
    subject: Mapped[str] = mapped_column(sa.Text, info=PERSONAL)
    text: Mapped[str] = mapped_column(sa.Text, info=PERSONAL)
    html: Mapped[str] = mapped_column(sa.Text, info=PERSONAL)
    # Message-IDs this one answers.
    in_reply_to: Mapped[str | None] = mapped_column(sa.String(998))
    references: Mapped[list[str]] = mapped_column(default=list)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
    # What a secret link is made of; the link itself is written when the mail is sent.
    seal: Mapped[str | None] = mapped_column(sa.String(64))
    author_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    # Who may learn what became of it: by default its author, else every colleague.
    audience_id: Mapped[int] = mapped_column(
        sa.ForeignKey("audience.id", ondelete="RESTRICT"), index=True
    )
    # The record it belongs to, as a reference: `support.ticket/7`.
    about: Mapped[str | None] = mapped_column(sa.String(100), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    due: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(sa.String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    # Set while a worker talks to the mail server; no undo from here on.
    taken_at: Mapped[datetime | None]
    # How often a worker died with the mail in its hand.
    interrupted: Mapped[int] = mapped_column(default=0)
    # Addresses the mail server has taken it for.
    delivered: Mapped[list[str]] = mapped_column(default=list, info=PERSONAL)
    # What went wrong last, in the mail server's words or in ours.
    error: Mapped[str | None] = mapped_column(sa.Text, info=PERSONAL)

    attachments: Mapped[list["MailAttachment"]] = relationship(
        order_by="MailAttachment.id", cascade="all, delete-orphan"
    )

    __table_args__ = (sa.Index("ix_outgoing_mail_state_id", "state", "id"),)

    @property
    def ref(self) -> str:
        """Name this mail in events: `mail/7`."""
        return f"mail/{self.id}"

    @property
    def recipients(self) -> list[str]:
        """Give every address it goes to, once."""
        return list(dict.fromkeys(one["address"] for one in [*self.to, *self.cc]))


class MailAttachment(Model):
    """A file that goes along, kept in the file store by its hash."""

    __tablename__ = "outgoing_mail_attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(
        sa.ForeignKey("outgoing_mail.id", ondelete="CASCADE"), index=True
    )
    # The column's name keeps the content from being swept away.
    sha256: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(255), info=PERSONAL)
    media_type: Mapped[str] = mapped_column(sa.String(127))
