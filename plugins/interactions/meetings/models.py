"""What is known of a meeting beyond its entry: invitation, guests, calendars."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from core.columns import Erasable
from core.contacts.models import Contact
from core.db import Model, now
from core.i18n import lazy_gettext as _l

PERSONAL = {"personal": True}
# What says who somebody is, also where nothing but the words leads to a contact.
IDENTITY = {"personal": True, "identity": True}
# Longest title and place, in characters.
TITLE_LENGTH, PLACE_LENGTH = 200, 300
# The answers of RFC 5545 (PARTSTAT), in small letters.
WAITING, ACCEPTED, TENTATIVE, DECLINED = (
    "needs-action",
    "accepted",
    "tentative",
    "declined",
)
ANSWERS = (ACCEPTED, TENTATIVE, DECLINED)


class Meeting(Model):
    """An entry that people were invited to: what they are told, and nothing else of it.

    It begins when the entry does. Who may read the entry may read this, so it is no
    record of its own, and is only ever reached through the entry.
    """

    __tablename__ = "interactions_meeting"

    id: Mapped[int] = mapped_column(primary_key=True)
    interaction_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"), unique=True
    )
    # UID and SEQUENCE of RFC 5545: by these a calendar knows it again.
    uid: Mapped[str] = mapped_column(sa.String(255), unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    organiser_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    title: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH), info=PERSONAL)
    place: Mapped[str] = mapped_column(
        sa.String(PLACE_LENGTH), default="", info=PERSONAL
    )
    minutes: Mapped[int] = mapped_column(default=60)
    zone: Mapped[str] = mapped_column(sa.String(50), default="UTC")
    # Written for the guests; the entry's own text is for its readers.
    text: Mapped[str] = mapped_column(sa.Text, default="", info=PERSONAL)
    cancelled_at: Mapped[datetime | None]
    # How it was before the last change, for whoever takes that back in time.
    before: Mapped[dict[str, Any] | None] = mapped_column(info=PERSONAL)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    guests: Mapped[list["Attendee"]] = relationship(
        back_populates="meeting",
        order_by="Attendee.id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Let SQLAlchemy refuse a save of a version that is no longer current."""
        return {"version_id_col": cls.version}

    @property
    def expected(self) -> list["Attendee"]:
        """Give the guests who are still invited."""
        return [one for one in self.guests if one.removed_at is None]


class Attendee(Model):
    """Somebody invited: what they were told so far, and what they answered."""

    __tablename__ = "interactions_attendee"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(
        sa.ForeignKey("interactions_meeting.id", ondelete="CASCADE")
    )
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    # Erasing a person takes their address from here too.
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    address: Mapped[str] = mapped_column(sa.String(254), info=IDENTITY)
    name: Mapped[str] = mapped_column(Erasable(200), default="", info=IDENTITY)
    language: Mapped[str] = mapped_column(sa.String(5), default="en")
    answer: Mapped[str] = mapped_column(sa.String(12), default=WAITING)
    # The time they answered for: with another time they are asked again.
    answered_for: Mapped[str] = mapped_column(sa.String(40), default="")
    answered_at: Mapped[datetime | None]
    # What their link is made of, and the hash by which it is found again.
    seal: Mapped[str] = mapped_column(sa.String(64), info=IDENTITY)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, info=IDENTITY)
    removed_at: Mapped[datetime | None]
    # What they know, and what the mail says that is on its way: `mails.py`.
    sent: Mapped[str] = mapped_column(sa.String(80), default="")
    sent_sequence: Mapped[int] = mapped_column(default=-1)
    queued: Mapped[str] = mapped_column(sa.String(80), default="")
    queued_sequence: Mapped[int] = mapped_column(default=-1)
    mail_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("outgoing_mail.id", ondelete="SET NULL"), index=True
    )

    meeting: Mapped[Meeting] = relationship(back_populates="guests")
    contact: Mapped[Contact | None] = relationship(lazy="joined")

    __table_args__ = (sa.UniqueConstraint("meeting_id", "address"),)

    def answer_for(self, time: str) -> str:
        """Give what they answered to a meeting at this time."""
        return self.answer if self.answered_for == time else WAITING

    @property
    def erased(self) -> bool:
        """Say whether the person was erased: then the address leads nowhere."""
        return self.contact is not None and self.contact.erased_at is not None

    @property
    def shown_name(self) -> str:
        """Name them: by their name, or by their address."""
        return self.name or self.address


class CalendarFeed(Model):
    """The private address of somebody's calendar; only its hash is kept."""

    __tablename__ = "interactions_calendar"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        primary_key=True,
        info={"ends": _l("Calendar address")},
    )
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    ending: Mapped[str] = mapped_column(sa.String(8))
    created_at: Mapped[datetime] = mapped_column(default=now)
    # The content as it was last asked for, and since when it is so.
    content_hash: Mapped[str] = mapped_column(sa.String(64), default="")
    changed_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def shown(self) -> str:
        """Show what everybody may see of the address: `/calendar/…4kQx.ics`."""
        return f"/calendar/…{self.ending}.ics"
