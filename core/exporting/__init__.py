"""Take records out as a file: CSV, XLSX, JSON or vCard, page by page.

What a user may not see is not in their file. `export_rows` gives the rows of a kind;
`core.exporting.writers` writes them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from flask import Flask

from core.db import db
from core.errors import Forbidden, Invalid
from core.i18n import _
from core.imports import Export, ImportKind, Row, key_of
from core.permissions import can
from core.records import record_types
from core.users.models import User
from core.visibility import visible_to

# What is told after each page: how many rows so far, and which part of the whole.
Progress = Callable[[int, float], None]


def export_kinds(app: Flask) -> dict[str, ImportKind]:
    """Give the kinds that go out, by name."""
    found: dict[str, ImportKind] = app.extensions["rapport_imports"]
    return {name: one for name, one in found.items() if one.export is not None}


def export_kind(app: Flask, name: str) -> ImportKind:
    """Give one kind; raises `Invalid` for one that does not go out."""
    kinds = export_kinds(app)
    if name not in kinds:
        raise Invalid(
            _(
                "Nothing here exports “%(name)s”. There are: %(names)s.",
                name=name,
                names=", ".join(sorted(kinds)),
            )
        )
    return kinds[name]


def export_rows(
    kind: ImportKind,
    user: User,
    progress: Progress | None = None,
    *,
    among: Collection[int] | None = None,
) -> Iterator[Row]:
    """Read what `user` may see of a kind, one short read transaction a page.

    With `among` only the records with these ids; others are left out without a word.
    Raises `Forbidden` when their role may not read such records at all.
    """
    export = kind.export
    if export is None:
        raise Invalid(_("Nothing here exports “%(name)s”.", name=kind.name))
    declared = record_types().get(export.model.record_name())
    if declared is not None and not can(declared.permission, user):
        raise Forbidden
    query: sa.Select[Any] = visible_to(user, export.model)
    if among is not None:
        query = query.where(export.model.id.in_(among))
    return _rows(export, query, user, progress)


def _rows(
    export: Export, query: sa.Select[Any], user: User, progress: Progress | None
) -> Iterator[Row]:
    with db.read_only() as session:
        counted = sa.select(sa.func.count()).select_from(query.subquery())
        total = session.scalar(counted) or 0 if progress else 0
    done = written = 0
    for page in db.pages(query):
        with db.read_only():
            keys = {one.id: key_of(one) for one in page}
            rows = [_keyed(row, keys) for row in export.rows(page, user)]
        done += len(page)
        for row in rows:
            written += 1
            yield row
        if progress is not None:
            progress(written, done / max(total, done))


def _keyed(row: Row, keys: Mapping[int, str]) -> Row:
    """Put before a row what other rows call it, so that it comes in again as itself."""
    key = keys.get(row.get("id", 0))
    return {"key": key, **row} if key else row
