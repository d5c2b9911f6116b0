"""How changes of a document are taken back."""

from collections.abc import Mapping
from typing import Any

from core.users.models import User
from plugins.documents.models import Document
from plugins.documents.services import (
    rename_document,
    restore_document,
    trash_document,
)


def put_back_document(document: Document, values: Mapping[str, Any], _by: User) -> None:
    """Give a document its former title or place again."""
    if "trashed_at" in values:
        back = values["trashed_at"] is None
        (restore_document if back else trash_document)(document)
    if "title" in values:
        rename_document(document, values["title"])
