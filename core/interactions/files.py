"""Files that come with an entry: what the composer offers, and what a form sent."""

from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage

from core.errors import Forbidden
from core.i18n import _
from core.interactions.models import Interaction
from core.pages import entry_files
from core.permissions import me
from core.users.models import User


def most_bytes(user: User) -> int:
    """Say how large a file may be that `user` adds; 0 where they may add none."""
    found = entry_files()
    return found.most() if found is not None and found.may(user) else 0


def keep_sent(entry: Interaction) -> None:
    """Keep the files of a form with the entry that it wrote.

    Raises `Forbidden` for somebody who may not, `Invalid` for a file that is refused.
    """
    files = _sent()
    if not files:
        return
    found = entry_files()
    if found is None or not found.may(me()):
        raise Forbidden(_("Your role may not add files."))
    found.keep(entry, files, me())


def with_lost_files(errors: Mapping[str, Any]) -> dict[str, Any]:
    """Say beside `errors` that a form which is drawn anew has no files any more."""
    if not errors or not _sent():
        return dict(errors)
    said = _("Choose your files once more: a page cannot keep them.")
    return {**errors, "files": [*errors.get("files", []), said]}


def _sent() -> list[FileStorage]:
    return [one for one in request.files.getlist("files") if one.filename]
