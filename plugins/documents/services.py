"""Keeping documents: the only code that changes them.

Bytes go into the store before the transaction that mentions them commits; a job
removes those that no row came to mention.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from core import settings
from core.audiences import AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Forbidden, Invalid
from core.events import announce
from core.files import Readable, StoredFile, file_store
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.rules import gains_readers
from core.permissions import can
from core.readers import choose_audience
from core.users.models import User
from plugins.documents import events
from plugins.documents.filenames import clean_filename, media_type_of, title_of
from plugins.documents.finding import same_file
from plugins.documents.models import TITLE_LENGTH, Document, Opening, Version
from plugins.documents.permissions import SHARE


@dataclass(frozen=True)
class Effect:
    """What another audience does: `opens` to somebody new, `closes` to a reader."""

    opens: bool
    closes: bool


def max_upload() -> int:
    """Say how large a file may be, in bytes."""
    return int(settings.get("documents")["max_upload"])


def upload_document(
    file: Readable,
    *,
    filename: str,
    author: User,
    contact: Contact | None = None,
    title: str = "",
    audience: AudienceSpec | None = None,
    interaction: Interaction | None = None,
) -> Document:
    """Keep a file as a new document; without a `title` its name becomes one.

    Hung on an `interaction` it takes the contact and the audience of that; else,
    without an `audience`, it is for the author's teams. Raises `Invalid` for an empty
    file or an audience that does not fit, `TooLarge`, and `Forbidden` for a colleague
    who may not show documents to people outside.
    """
    spec = _audience_for(author, audience, interaction)
    if interaction is None or author.kind == "staff":
        # Who is outside adds to what they wrote themselves.
        _check_sharing(author, spec)
    if interaction is not None and contact is None:
        contact = interaction.contact
    return _keep(
        _store(file), filename, author, contact, title, spec, interaction=interaction
    )


def upload_once(
    file: Readable,
    *,
    filename: str,
    author: User,
    contact: Contact | None = None,
    title: str = "",
    audience: AudienceSpec | None = None,
) -> tuple[Document, bool]:
    """Keep a file unless the contact has it already; say whether it is new.

    Raises what `upload_document` raises.
    """
    spec = _audience_for(author, audience, None)
    _check_sharing(author, spec)
    stored = _store(file)
    found = same_file(author, contact, stored.sha256)
    if found is not None:
        return found, False
    return _keep(stored, filename, author, contact, title, spec), True


def _keep(
    stored: StoredFile,
    filename: str,
    author: User,
    contact: Contact | None,
    title: str,
    spec: AudienceSpec,
    *,
    interaction: Interaction | None = None,
) -> Document:
    name = clean_filename(filename)
    document = Document(
        title=_checked_title(title.strip() or title_of(name)),
        current=1,
        contact=contact,
        interaction=interaction,
        author=author,
        audience=intern_audience(spec),
        versions=[_version(stored, 1, name, author)],
    )
    db.session.add(document)
    db.session.flush()
    return document


def add_version(
    document: Document, file: Readable, *, filename: str, actor: User
) -> Version:
    """Keep a file as the newest version of a document; the older ones stay.

    Raises `Invalid` for an empty file and for the one that is current already, and
    `TooLarge`. Two at once become two versions.
    """
    name = clean_filename(filename)
    stored = _store(file)
    _lock(document)
    latest = db.session.scalars(
        sa.select(Version).where(
            Version.document_id == document.id, Version.number == document.current
        )
    ).one()
    if latest.sha256 == stored.sha256:
        said = _("This file is version %(number)d already.", number=latest.number)
        raise Invalid(errors={"file": [said]})
    version = _version(stored, latest.number + 1, name, actor)
    document.versions.insert(0, version)
    document.current = version.number
    db.session.flush()
    db.session.expire(document, ["newest"])
    announce(events.VERSION_ADDED.name, document, {"number": version.number})
    return version


def rename_document(document: Document, title: str) -> None:
    """Give a document another title; raises `Invalid` for an empty or long one."""
    document.title = _checked_title(title.strip())
    db.session.flush()


def move_document(document: Document, contact: Contact | None) -> None:
    """Keep a document with another contact, or with none.

    Raises `Invalid` for one that is shown outside or hangs on an entry.
    """
    if contact is document.contact:
        return
    if document.interaction_id is not None:
        raise Invalid(errors={"contact": [_("This file belongs to an entry.")]})
    if document.audience.kind == "shared":
        said = _("People outside read this. Hide it from them, then move it.")
        raise Invalid(errors={"contact": [said]})
    document.contact = contact
    db.session.flush()


def effect_of(document: Document, spec: AudienceSpec) -> Effect:
    """Say whom `spec` would let read a document, or keep from it, beside now."""
    before = document.audience.spec
    return Effect(
        gains_readers(before, spec, document.author),
        gains_readers(spec, before, document.author),
    )


def change_audience(document: Document, spec: AudienceSpec, *, actor: User) -> None:
    """Let other people read a document, or fewer.

    Announces `documents.document.audience_narrowed` to those who could read it until
    now, and `documents.document.audience_widened` to those who can from now on. Raises
    `Forbidden` for somebody who may not open it, and `Invalid` for a file of an entry.
    """
    before = document.audience.spec
    if spec == before:
        return
    if document.interaction_id is not None:
        said = _("This file is read by whoever reads the entry it belongs to.")
        raise Invalid(errors={"audience": [said]})
    effect = effect_of(document, spec)
    if effect.opens:
        _check_sharing(actor, spec)
        if before.kind == "private" and document.author_id != actor.id:
            raise Forbidden(_("Only who keeps a private document may open it."))
    _set_audience(document, spec, effect)


def follow_interaction(interaction: Interaction) -> None:
    """Give the files of an entry its readers, and its place in the trash."""
    spec = interaction.audience.spec
    attached = sa.select(Document).where(Document.interaction_id == interaction.id)
    for document in db.session.scalars(attached).all():
        if document.audience.spec != spec:
            _set_audience(document, spec, effect_of(document, spec))
        document.trashed_at = interaction.trashed_at
    db.session.flush()


def trash_document(document: Document) -> None:
    """Put a document away; `restore_document` brings it back whole."""
    if document.trashed_at is None:
        document.trashed_at = now()
        db.session.flush()


def restore_document(document: Document) -> None:
    """Bring a document back from the trash.

    Raises `Invalid` when the entry it belongs to is still there.
    """
    entry = document.interaction
    if entry is not None and entry.trashed_at is not None:
        raise Invalid(_("The entry it belongs to is in the trash. Take that out."))
    document.trashed_at = None
    db.session.flush()


def note_opening(document_id: int, number: int, *, user_id: int) -> None:
    """Remember that somebody outside opened a version."""
    found = db.session.get(Opening, (document_id, number, user_id))
    if found is None:
        db.session.add(Opening(document_id=document_id, number=number, user_id=user_id))
    else:
        found.last_at = now()
    db.session.flush()


def _audience_for(
    author: User, asked: AudienceSpec | None, interaction: Interaction | None
) -> AudienceSpec:
    if interaction is None:
        return asked or choose_audience(author, None)
    inherited = interaction.audience.spec
    if asked is not None and asked != inherited:
        said = _("This file is read by whoever reads the entry it belongs to.")
        raise Invalid(errors={"audience": [said]})
    return inherited


def _check_sharing(actor: User, spec: AudienceSpec) -> None:
    if spec.kind == "shared" and not can(SHARE, actor):
        raise Forbidden(_("Your role may not show documents to customers or vendors."))


def _checked_title(title: str) -> str:
    if not title:
        raise Invalid(errors={"title": [_("Write a title.")]})
    if len(title) > TITLE_LENGTH:
        said = _("This is longer than %(num)d characters.", num=TITLE_LENGTH)
        raise Invalid(errors={"title": [said]})
    return title


def _store(file: Readable) -> StoredFile:
    stored = file_store().put(file, limit=max_upload())
    if not stored.size:
        raise Invalid(errors={"file": [_("This file is empty.")]})
    return stored


def _version(stored: StoredFile, number: int, filename: str, by: User) -> Version:
    return Version(
        number=number,
        sha256=stored.sha256,
        size=stored.size,
        filename=filename,
        media_type=media_type_of(filename),
        uploaded_by=by,
    )


def _lock(document: Document) -> None:
    """Let two new versions come one after the other, each with its own number."""
    mine = sa.select(Document.id).where(Document.id == document.id)
    db.session.execute(mine.with_for_update())
    db.session.refresh(document, ["current", "version"])


def _set_audience(document: Document, spec: AudienceSpec, effect: Effect) -> None:
    data = {"before": document.audience.kind, "after": spec.kind}
    if effect.closes:
        # An event is for those who may read its record while it is written: this one
        # has to reach those who are about to lose it.
        announce(events.NARROWED.name, document, data)
    document.audience = intern_audience(spec)
    if effect.opens:
        announce(events.WIDENED.name, document, data)
    db.session.flush()
