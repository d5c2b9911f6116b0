"""Documents, their versions, and who outside opened them."""

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.audiences import Audience
from core.contacts.models import Contact
from core.db import Model, Readers, Record, now
from core.interactions.models import Interaction
from core.users.models import User

PERSONAL = {"personal": True}
# Longest title and file name, in characters.
TITLE_LENGTH, FILENAME_LENGTH = 200, 200
# Stands between two pages of a text.
PAGE_END = "\f"


class Document(Record, Model):
    """A file kept in versions; `current` is the number of the one that counts.

    One that hangs on an interaction is read by whoever reads that.
    """

    __tablename__ = "documents_document"
    readers: ClassVar[Readers] = "audience"

    title: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH), info=PERSONAL)
    current: Mapped[int] = mapped_column(default=1)
    # Erasing a person removes their files; those of an entry stay and go with it.
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"),
        info={"erased": "removed", "goes_with": "interaction_id"},
    )
    interaction_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("interaction.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "removed"},
    )
    audience_id: Mapped[int] = mapped_column(sa.ForeignKey("audience.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    trashed_at: Mapped[datetime | None]

    audience: Mapped[Audience] = relationship(lazy="joined", innerjoin=True)
    author: Mapped[User | None] = relationship()
    contact: Mapped[Contact | None] = relationship()
    interaction: Mapped[Interaction | None] = relationship()
    versions: Mapped[list["Version"]] = relationship(
        back_populates="document",
        cascade="all, delete-orphan",
        order_by="Version.number.desc()",
        passive_deletes=True,
    )
    newest: Mapped["Version"] = relationship(
        primaryjoin="and_(Version.document_id == Document.id,"
        " Version.number == Document.current)",
        uselist=False,
        viewonly=True,
    )

    __table_args__ = (
        sa.Index("ix_documents_document_updated_at_id", "updated_at", "id"),
        sa.Index(
            "ix_documents_document_contact_id_updated_at", "contact_id", "updated_at"
        ),
    )


class Version(Model):
    """The content a document had from some time on; it never changes.

    `text_state` is `pending` until the worker has read it. Pages of `text` are
    divided by form feeds; `page_count` is 0 for formats without pages. `text_detail`
    is an English sentence, to be shown through `_()`.
    """

    __tablename__ = "documents_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(
        sa.ForeignKey("documents_document.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    filename: Mapped[str] = mapped_column(sa.String(FILENAME_LENGTH), info=PERSONAL)
    media_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    uploaded_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    # Megabytes at times, so it is fetched only where it is asked for.
    text: Mapped[str] = mapped_column(sa.Text, default="", deferred=True, info=PERSONAL)
    text_state: Mapped[str] = mapped_column(sa.String(12), default="pending")
    text_detail: Mapped[str] = mapped_column(sa.String(200), default="")
    page_count: Mapped[int] = mapped_column(default=0)

    document: Mapped[Document] = relationship(back_populates="versions")
    uploaded_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("document_id", "number"),)


class Opening(Model):
    """Somebody outside the house opened a version: when first, and when last."""

    __tablename__ = "documents_opening"

    document_id: Mapped[int] = mapped_column(
        sa.ForeignKey("documents_document.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship()
