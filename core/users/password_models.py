"""Links by which somebody sets a password, and who asked for one."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, now


class PasswordLink(Model):
    """A link in somebody's mailbox: it sets their password once, and not for long."""

    __tablename__ = "password_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Of the secret in the link; the link itself is nowhere but in the mail.
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    # Of the password at the time: any new password makes the link void.
    password_mark: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasswordRequest(Model):
    """Somebody typed an address at "Forgot your password?"; whose, the worker finds."""

    __tablename__ = "password_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    # What was typed; forgotten as soon as the worker has read it.
    email: Mapped[str | None] = mapped_column(sa.String(254), info={"personal": True})
    address: Mapped[str] = mapped_column(sa.String(45))
    at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index("ix_password_request_address_at", "address", "at"),)
