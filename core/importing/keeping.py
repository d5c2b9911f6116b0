"""The uploaded files of imports: kept while they are needed, and no longer.

They are people's data, so they have a store of their own: content that is also a
document elsewhere neither keeps them nor goes with them.
"""

import unicodedata
from datetime import timedelta
from pathlib import Path, PureWindowsPath
from typing import Any

import sqlalchemy as sa
from flask import current_app
from marshmallow import fields, validate

from core import settings
from core.db import db, now
from core.files import FileStore, Readable, StoredFile
from core.i18n import lazy_gettext as _l
from core.importing.models import ImportRun
from core.schemas import Schema

# An upload this young may belong to a run that is not committed yet.
GRACE = timedelta(days=1)
LONGEST_NAME = 200
# Any number that nobody else locks: there is one queue for all files of imports.
_LOCK = 7_340_210


class ImportSettings(Schema):
    """The settings of imports."""

    max_upload = fields.Integer(
        strict=True,
        load_default=25_000_000,
        validate=validate.Range(min=1_000, max=500_000_000),
        metadata={
            "title": _l("Largest file to bring in"),
            "description": _l("In bytes; 25000000 is 25 MB."),
        },
    )
    keep_days = fields.Integer(
        strict=True,
        load_default=14,
        validate=validate.Range(min=1, max=365),
        metadata={
            "title": _l("Days a file waits"),
            "description": _l(
                "What is not brought in by then is removed: it is people's data."
            ),
        },
    )


def max_upload() -> int:
    """Say how large a file may be, in bytes."""
    return int(settings.get("importing")["max_upload"])


def import_store() -> FileStore:
    """Give the store of the files that are being brought in."""
    return FileStore(Path(current_app.config["FILES_FOLDER"]) / "imports")


def keep_file(stream: Readable) -> StoredFile:
    """Store an upload; the run that names it is written in the same transaction."""
    _queue_up()
    return import_store().put(stream, limit=max_upload())


def drop_file(run: ImportRun) -> None:
    """Forget what the file held, and remove it unless another run needs it."""
    kept, run.file_kept = run.file_kept, False
    run.table = {k: v for k, v in run.table.items() if k in {"headings", "delimiter"}}
    run.choices = {k: v for k, v in run.choices.items() if k != "cells"}
    run.found = {k: v for k, v in run.found.items() if k != "samples"}
    db.session.flush()
    if not kept:
        return
    _queue_up()
    others = sa.select(ImportRun.id).where(
        ImportRun.file_hash == run.file_hash, ImportRun.file_kept
    )
    if db.session.scalar(others.limit(1)) is None:
        import_store().remove(run.file_hash)


def _queue_up() -> None:
    # Between looking whether a file is needed and removing it nobody may store it
    # again. On SQLite there is one writer anyway.
    if db.dialect == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def forget_old() -> None:
    """Remove drafts nobody went on with, and files that waited too long."""
    before = now() - timedelta(days=int(settings.get("importing")["keep_days"]))
    waiting = sa.select(ImportRun).where(
        ImportRun.started_at < before, ImportRun.file_kept, ImportRun.task == ""
    )
    for run in db.session.scalars(waiting):
        drop_file(run)
        if run.state == "draft":
            db.session.delete(run)
    store = import_store()
    store.remove_unfinished(started_before=now() - GRACE)
    kept = set(
        db.session.scalars(sa.select(ImportRun.file_hash).where(ImportRun.file_kept))
    )
    for sha256 in set(store.hashes()) - kept:
        store.remove(sha256, stored_before=now() - GRACE)


def shown_name(name: Any) -> str:
    """Make a file's name one that can be shown: no folders, no invisible signs."""
    last = PureWindowsPath(str(name or "").replace("/", "\\")).name
    seen = "".join(
        one for one in last if unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Zl"}
    )
    seen = " ".join(seen.split())
    if len(seen) > LONGEST_NAME:
        stem, _dot, ending = seen.rpartition(".")
        seen = f"{stem[: LONGEST_NAME - 10]}….{ending[:8]}" if stem else seen[:200]
    return seen or "file"
