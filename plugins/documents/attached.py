"""The files that come with an entry: kept as documents, shown where it stands."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from werkzeug.datastructures import FileStorage

from core.errors import Invalid, TooLarge
from core.i18n import _
from core.interactions.models import Interaction
from core.pages import EntryFile, EntryFiles, EntryPart
from core.permissions import can
from core.users.models import User
from core.visibility import visible_conditions
from plugins.documents.filenames import clean_filename
from plugins.documents.models import Document
from plugins.documents.permissions import READ, WRITE
from plugins.documents.room import check_room
from plugins.documents.services import max_upload, upload_document

# Files of one entry at a time.
MOST = 20


def may_add(user: User) -> bool:
    """Say whether `user` may keep files with what they write.

    Outside it is enough that they may write at all: a picture of the broken pump.
    """
    return user.kind != "staff" or can(WRITE, user)


def keep(entry: Interaction, files: Sequence[FileStorage], user: User) -> None:
    """Keep files with an entry; all of them, or none.

    Raises `Invalid` for one that is empty or too large, with its name, and for what
    an organisation outside has no room for.
    """
    if len(files) > MOST:
        said = _("Add at most %(num)d files at a time.", num=MOST)
        raise Invalid(errors={"files": [said]})
    check_room(user, files)
    for one in files:
        name = clean_filename(one.filename or "")
        try:
            upload_document(one.stream, filename=name, author=user, interaction=entry)
        except (Invalid, TooLarge) as error:
            why = " ".join(error.errors.get("file", [])) or str(error.message)
            raise Invalid(errors={"files": [f"{name}: {why}"]}) from error


def _rows(user: User) -> sa.ScalarSelect[Any]:
    """Select the files of an entry as lines of number and title."""
    title = sa.func.replace(Document.title, "\n", " ")
    line = sa.cast(Document.id, sa.String) + ":" + title
    query = (
        sa.select(sa.func.aggregate_strings(line, "\n"))
        .where(
            Document.interaction_id == Interaction.id,
            Document.trashed_at.is_(None),
            *visible_conditions(user, Document),
        )
        .select_from(Document)
    )
    return query.correlate(Interaction).scalar_subquery()


def _read(text: str | None, user: User) -> list[EntryFile]:
    if not text or not can(READ, user):
        return []
    found = [line.partition(":") for line in text.split("\n")]
    door = "documents.show" if user.kind == "staff" else "documents.portal_show"
    return [
        EntryFile(title, url_for(door, document_id=int(number)))
        for number, _colon, title in sorted(found, key=lambda one: int(one[0]))
    ]


FILES = EntryFiles(EntryPart("documents", _rows, _read), may_add, max_upload, keep)
