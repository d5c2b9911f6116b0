"""What documents do when something happened: read new files, follow entries."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber, announce
from core.files import file_store
from core.interactions.models import Interaction
from core.records import parse_ref
from plugins.documents import services
from plugins.documents.events import OPENED, VERSION_ADDED
from plugins.documents.extraction import extract_text
from plugins.documents.models import Document
from plugins.documents.reading import keep_text, unread_versions


def read_text(event: Event) -> None:
    """Read the text of what was uploaded, in a process of its own.

    Running twice is harmless: what has been read is not read again.
    """
    subject = parse_ref(event.subject)
    if subject is None:
        return
    unread = unread_versions(subject[1])
    if not unread:
        return
    # Reading may take a minute, and nothing is written yet: until it is done others
    # get the database (on SQLite there is one writer).
    db.session.rollback()
    store = file_store()
    found = [
        extract_text(store.path(one.sha256), filename=one.filename) for one in unread
    ]
    for one, extraction in zip(unread, found, strict=True):
        keep_text(one.version_id, extraction)


def follow_entry(event: Event) -> None:
    """Give the files of an entry the readers it has now."""
    subject = parse_ref(event.subject)
    entry = db.session.get(Interaction, subject[1]) if subject else None
    if entry is not None:
        services.follow_interaction(entry)


def open_with_entry(event: Event) -> None:
    """Tell that the files of an entry are seen outside now, as it is itself.

    They are: this is for the index, and for pages that are open.
    """
    subject = parse_ref(event.subject)
    attached = sa.select(Document).where(
        Document.interaction_id == (subject[1] if subject else 0),
        Document.trashed_at.is_(None),
    )
    for one in db.session.scalars(attached).all():
        announce(OPENED.name, one)


ALL = [
    Subscriber(
        "documents.text",
        ("documents.document.created", VERSION_ADDED.name),
        read_text,
    ),
    Subscriber("documents.entries", ("interaction.updated",), follow_entry),
    Subscriber("documents.opening", ("interaction.opened",), open_with_entry),
]
