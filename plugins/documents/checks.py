"""What `rapport doctor` and /readyz ask about documents."""

import os

from flask import current_app

from core import settings
from core.files import file_store
from core.pages import Check


def uploads_can_be_kept() -> str | None:
    """Say what would stop an upload: a folder one cannot write, a wall before ours."""
    folder = file_store().root
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"files cannot be written under {folder}: see FILES_FOLDER"
    wall = current_app.config["MAX_CONTENT_LENGTH"]
    largest = settings.get("documents")["max_upload"]
    if wall is not None and largest > wall:
        return (
            f"files up to {largest} bytes are allowed, but MAX_CONTENT_LENGTH is {wall}"
        )
    return None


ALL = [Check("documents", uploads_can_be_kept)]
