"""Notifications, which kinds of them somebody does not want, and how they come."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, now


class Notification(Model):
    """One line for one reader about something that happened.

    `key` names what it tells of: nobody is told the same thing twice. It is about the
    record `about`/`about_id`, or about nothing but the reader's own work; whoever may
    no longer see the record no longer sees the line either.
    """

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(200))
    kind: Mapped[str] = mapped_column(sa.String(60))
    # The name of a record type and the record's id; '' and 0 without a record.
    about: Mapped[str] = mapped_column(sa.String(60), default="")
    about_id: Mapped[int] = mapped_column(default=0)
    # In the language the reader had when it was written.
    text: Mapped[str] = mapped_column(
        sa.String(500), info={"personal": True, "erased": "removed"}
    )
    # Where it leads when that is not the record's own page.
    url: Mapped[str] = mapped_column(sa.String(300), default="")
    by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("user_id", "key"),
        sa.Index("ix_notification_user_id_read_at_id", "user_id", "read_at", "id"),
        sa.Index("ix_notification_about_about_id", "about", "about_id"),
    )

    @property
    def ref(self) -> str:
        """Name the record it is about, '' without one."""
        return f"{self.about}/{self.about_id}" if self.about else ""


class NotificationMute(Model):
    """A kind that somebody switched off."""

    __tablename__ = "notification_mute"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(sa.String(60), primary_key=True)


class NotificationChoice(Model):
    """How somebody wants news of a `kind`; an empty kind is what holds for the rest.

    `way` is "app", "now" for a mail at once, or "summary" for one mail a day.
    """

    __tablename__ = "notification_choice"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    way: Mapped[str] = mapped_column(sa.String(10))


class NotificationSummary(Model):
    """From which hour of their day somebody gets the daily mail, and got the last."""

    __tablename__ = "notification_summary"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    hour: Mapped[int] = mapped_column(sa.SmallInteger)
    last_on: Mapped[date | None]


class NotificationMailed(Model):
    """Which mail tells of a notification; the key keeps it from being mailed twice."""

    __tablename__ = "notification_mailed"

    notification_id: Mapped[int] = mapped_column(
        sa.ForeignKey("notification.id", ondelete="CASCADE"), primary_key=True
    )
    mail_id: Mapped[int] = mapped_column(
        sa.ForeignKey("outgoing_mail.id", ondelete="CASCADE"), index=True
    )
