"""Which documents a reader sees, and what of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload, selectinload

from core.contacts.models import Affiliation, Contact
from core.contacts.services import in_story
from core.db import db
from core.errors import NotFound
from core.interactions.models import Interaction
from core.statements import prepared
from core.users.models import User
from core.visibility import visible_to
from plugins.documents.models import Document, Opening, Version

# Lines of a panel.
FEW = 5


@dataclass(frozen=True)
class Wanted:
    """What a reader asks the list for; empty fields ask for nothing.

    `view` is empty, `mine`, `outside` (what is shown outside) or `trash`.
    """

    q: str = ""
    contact: Contact | None = None
    view: str = ""


@dataclass(frozen=True)
class OpenedBy:
    """That somebody outside opened a version."""

    name: str
    organisation: str
    opening: Opening


def document_list(user: User, wanted: Wanted) -> sa.Select[Document]:
    """Select the documents `user` asks for, in no order, with what a list shows."""
    in_trash = wanted.view == "trash"
    query = visible_to(user, Document, trashed=in_trash).join(Document.newest)
    if in_trash:
        query = query.where(Document.trashed_at.is_not(None))
    if wanted.contact is not None:
        query = query.where(Document.contact_id == wanted.contact.id)
    if wanted.view == "mine":
        query = query.where(Document.author_id == user.id)
    if wanted.view == "outside":
        query = query.where(Document.audience.has(kind="shared"))
    for word in wanted.q.split():
        names = (Document.title, Version.filename)
        found = (name.icontains(word, autoescape=True) for name in names)
        query = query.where(sa.or_(*found))
    return query.options(*_for_lists())


def of_contact(user: User, contact: Contact) -> list[Document]:
    """Give the newest documents of a contact and of its people; one more than shown."""
    return prepared(user, _of_contact, contact.kind).scalars(contact_id=contact.id)


def _of_contact(user: User, kind: str) -> sa.Select[Document]:
    # First which they are: in order of their age PostgreSQL would pass everybody's.
    mine = in_story(Document.contact_id, kind, sa.bindparam("contact_id"))
    near = sa.select(Document.id).where(mine).cte("near")
    near = near.prefix_with("MATERIALIZED", dialect="postgresql")
    return (
        visible_to(user, Document)
        .where(Document.id.in_(sa.select(near.c.id)))
        .order_by(Document.updated_at.desc(), Document.id.desc())
        .limit(FEW + 1)
        .options(
            joinedload(Document.newest).load_only(Version.text_state),
            joinedload(Document.contact).load_only(Contact.name, Contact.kind),
            lazyload(Document.author),
        )
    )


def load_document(user: User, document_id: int, *, trashed: bool = False) -> Document:
    """Give one document with its versions, or raise `NotFound`."""
    if not 0 < document_id < 2**31:
        raise NotFound
    query = visible_to(user, Document, trashed=trashed)
    found = db.session.scalar(
        query.where(Document.id == document_id).options(
            *_for_lists(),
            selectinload(Document.versions)
            .joinedload(Version.uploaded_by)
            .options(*_plain_user()),
        )
    )
    if found is None:
        raise NotFound
    return found


def load_version(user: User, document_id: int, number: int) -> Version:
    """Give a version that `user` may open, or raise `NotFound`.

    People outside open the current one: what stood in earlier ones was never shown
    to them. Colleagues open all, also of a document in the trash.
    """
    inside = user.kind == "staff"
    return version_of(user, load_document(user, document_id, trashed=inside), number)


def version_of(user: User, document: Document, number: int) -> Version:
    """Give a version of a document by its number, or raise `NotFound`."""
    for version in versions_for(user, document):
        if version.number == number:
            return version
    raise NotFound


def versions_for(user: User, document: Document) -> Sequence[Version]:
    """Give the versions of a document that `user` may open, the newest first."""
    if user.kind == "staff":
        return document.versions
    return [one for one in document.versions if one.number == document.current]


def same_file(user: User, contact: Contact | None, sha256: str) -> Document | None:
    """Give the document that holds this content with this contact already, if any."""
    contact_id = contact.id if contact else None
    query = (
        visible_to(user, Document)
        .join(Document.newest)
        .where(Document.contact_id.is_not_distinct_from(contact_id))
        .where(Version.sha256 == sha256)
        .order_by(Document.id)
        .limit(1)
    )
    return db.session.scalar(query)


def entry_of(user: User, document: Document) -> Interaction | None:
    """Give the entry a document belongs to, as far as `user` may see it."""
    if document.interaction_id is None:
        return None
    query = visible_to(user, Interaction)
    return db.session.scalar(query.where(Interaction.id == document.interaction_id))


def opened_by(document: Document) -> list[OpenedBy]:
    """Give who outside opened a document, the latest first."""
    rows = db.session.execute(
        sa.select(Opening, User.name, Contact.name.label("firm"))
        .join(User, User.id == Opening.user_id)
        .outerjoin(Contact, Contact.id == User.contact_id)
        .where(Opening.document_id == document.id)
        .order_by(Opening.last_at.desc())
    )
    return [OpenedBy(row.name, row.firm or "", row.Opening) for row in rows]


def outside_readers(user: User, contact: Contact | None) -> list[tuple[int, str]]:
    """Give whom a document of `contact` may be shown to: it, and where it works."""
    if contact is None:
        return []
    works_for = sa.select(Affiliation.organisation_id).where(
        Affiliation.person_id == contact.id, Affiliation.active
    )
    query = (
        visible_to(user, Contact)
        .where(sa.or_(Contact.id == contact.id, Contact.id.in_(works_for)))
        .with_only_columns(Contact.id, Contact.name)
        .order_by(Contact.id != contact.id, Contact.sort_name)
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def _for_lists() -> list[Any]:
    return [
        joinedload(Document.newest),
        joinedload(Document.contact).load_only(Contact.name, Contact.kind),
        joinedload(Document.author).options(*_plain_user()),
    ]


def _plain_user() -> list[Any]:
    """Load a colleague's name without roles and teams, which nobody asks for here."""
    return [lazyload(User.roles), lazyload(User.teams)]
