"""People and organisations in one table, and the affiliations between them."""

from datetime import date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.columns import Erasable
from core.db import Model, Readers, Record
from core.i18n import lazy_gettext as _l
from core.users.models import Team, User

PERSONAL = {"personal": True}
# What still means the one that went, when a contact was merged into another.
STAYS = {"merging": "stays"}


def _by_code_point(length: int) -> sa.String:
    """Compare text alike on both databases, so that one index finds beginnings."""
    return sa.String(length).with_variant(
        sa.String(length, collation="C"), "postgresql"
    )


class Contact(Record, Model):
    """A person or an organisation: who we do business with.

    E-mails, phones, addresses and custom values are JSON on the row, so that they
    share its version; assign a new list to change them. `contact_key` indexes them.
    """

    __tablename__ = "contact"
    readers: ClassVar[Readers] = "shared"

    kind: Mapped[str] = mapped_column(sa.String(12))  # person, organisation
    name: Mapped[str] = mapped_column(Erasable(200), info=PERSONAL)
    # The name folded for sorting and the filter: case and accents gone.
    sort_name: Mapped[str] = mapped_column(_by_code_point(200), info=PERSONAL)
    given_name: Mapped[str] = mapped_column(sa.String(100), default="", info=PERSONAL)
    family_name: Mapped[str] = mapped_column(sa.String(100), default="", info=PERSONAL)
    job_title: Mapped[str] = mapped_column(sa.String(100), default="", info=PERSONAL)
    emails: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=PERSONAL)
    phones: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=PERSONAL)
    addresses: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=PERSONAL)
    roles: Mapped[list[str]] = mapped_column(default=list)
    tags: Mapped[list[str]] = mapped_column(default=list, info=PERSONAL)
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
    language: Mapped[str] = mapped_column(sa.String(5), default="")
    website: Mapped[str] = mapped_column(sa.String(200), default="", info=PERSONAL)
    do_not_contact: Mapped[bool] = mapped_column(default=False)
    # What everybody reads first: preferences and goals, in Markdown.
    know_first: Mapped[str] = mapped_column(sa.Text, default="", info=PERSONAL)
    next_step: Mapped[str] = mapped_column(sa.String(300), default="", info=PERSONAL)
    next_step_on: Mapped[date | None]
    parent_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True
    )
    owner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"),
        info={"owner": _l("Contacts")},
    )
    team_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("team.id", ondelete="SET NULL"), index=True
    )
    last_interaction_at: Mapped[datetime | None]
    trashed_at: Mapped[datetime | None]
    # When the person's data was erased for good: what is erased is also in the trash.
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True, info=STAYS
    )

    parent: Mapped["Contact | None"] = relationship(
        remote_side="Contact.id", foreign_keys=[parent_id]
    )
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    team: Mapped[Team | None] = relationship(foreign_keys=[team_id])
    keys: Mapped[list["ContactKey"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        sa.Index(
            "ix_contact_shown",
            "sort_name",
            "id",
            postgresql_where=sa.text("trashed_at IS NULL"),
            sqlite_where=sa.text("trashed_at IS NULL"),
        ),
        sa.Index("ix_contact_owner_id", "owner_id", "sort_name", "id"),
        sa.Index("ix_contact_trashed_at_sort_name_id", "trashed_at", "sort_name", "id"),
    )


class ContactKey(Model):
    """A way to find a contact by an index.

    `kind` is one of `email`, `phone` (E.164), `phone_end` (its digits backwards),
    `word` (of the name), `role`, `tag`. `core.contacts.finding` makes and reads them.
    """

    __tablename__ = "contact_key"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, info=STAYS
    )
    kind: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    value: Mapped[str] = mapped_column(
        _by_code_point(254), primary_key=True, info=PERSONAL
    )

    __table_args__ = (
        sa.Index("ix_contact_key_kind_value", "kind", "value", "contact_id"),
    )


class Affiliation(Model):
    """A person belongs to an organisation, in a role, for a time."""

    __tablename__ = "affiliation"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"), info={"erased": "removed"}
    )
    # What somebody does in an organisation is that person's, not the organisation's.
    organisation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "kept"},
    )
    role: Mapped[str] = mapped_column(sa.String(100), default="", info=PERSONAL)
    active: Mapped[bool] = mapped_column(default=True)
    since: Mapped[date | None]
    until: Mapped[date | None]

    person: Mapped[Contact] = relationship(foreign_keys=[person_id])
    organisation: Mapped[Contact] = relationship(foreign_keys=[organisation_id])

    __table_args__ = (sa.UniqueConstraint("person_id", "organisation_id", "role"),)


class SavedView(Model):
    """A filter of the contact list that a colleague keeps under a name, as their own.

    `asked` holds the filled fields of `core.contacts.saved.FIELDS`. It is nobody
    else's news, so it is no record; what it names a contact by goes with the contact.
    """

    __tablename__ = "contact_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "kept"},
    )
    name: Mapped[str] = mapped_column(sa.String(60), default="", info=PERSONAL)
    asked: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
