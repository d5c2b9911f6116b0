"""How a document is titled, linked and found."""

from flask import url_for

from core.i18n import lazy_gettext as _l
from core.records import RecordType, SearchDocument, Undo
from core.users.models import User
from plugins.documents.models import Document
from plugins.documents.permissions import READ, WRITE
from plugins.documents.reading import words_of
from plugins.documents.taking_back import put_back_document


def address(document: Document, user: User) -> str:
    """Give the page of a document: the house's, or the portal's."""
    if user.kind == "staff":
        return url_for("documents.show", document_id=document.id)
    return url_for("documents.portal_show", document_id=document.id)


def search_document(document: Document) -> SearchDocument | None:
    """Give the words of the version that counts; the trash is not found.

    Its pages are divided by form feeds.
    """
    if document.trashed_at is not None:
        return None
    words = words_of(document)
    return SearchDocument(
        title=document.title,
        body=words.text,
        identifiers=(words.filename,),
        contact_id=document.contact_id,
        date=document.updated_at,
    )


RECORD = RecordType(
    Document,
    _l("Document"),
    "file-earmark-text",
    READ,
    label=lambda document: document.title,
    url=address,
    document=search_document,
    undo=Undo(
        WRITE, {"title": _l("Title"), "trashed_at": _l("Trash")}, put_back_document
    ),
)
