"""How much people outside may send: so many bytes for each of their organisations."""

import os
from collections.abc import Sequence

import sqlalchemy as sa
from jinja2.filters import do_filesizeformat
from werkzeug.datastructures import FileStorage

from core import settings
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.users.models import User
from plugins.documents.models import Version


def check_room(user: User, files: Sequence[FileStorage]) -> None:
    """Refuse files of somebody outside for which their organisation has no room.

    What lies in the trash counts: it is still kept. Raises `Invalid` for `files`.
    """
    room = int(settings.get("documents")["portal_room"])
    if user.kind == "staff" or not room:
        return
    used = _used(user)
    if used + sum(_size(one) for one in files) <= room:
        return
    said = _(
        "There is no room for these files: %(used)s of %(room)s are used. Send smaller"
        " ones, or write without files and ask us to make room.",
        used=do_filesizeformat(used),
        room=do_filesizeformat(room),
    )
    raise Invalid(errors={"files": [said]})


def _used(user: User) -> int:
    """Add up what the people of an organisation have sent."""
    theirs = User.id == user.id
    if user.contact_id is not None:
        theirs = sa.and_(User.contact_id == user.contact_id, User.kind != "staff")
        # Two who send at once are counted one after the other.
        mine = sa.select(Contact.id).where(Contact.id == user.contact_id)
        db.session.execute(mine.with_for_update())
    query = sa.select(sa.func.coalesce(sa.func.sum(Version.size), 0))
    query = query.join(User, User.id == Version.uploaded_by_id)
    return int(db.session.scalar(query.where(theirs)) or 0)


def _size(one: FileStorage) -> int:
    stream = one.stream
    at = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(at)
    return size - at
