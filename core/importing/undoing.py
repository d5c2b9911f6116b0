"""Taking an import back: what it made and nobody has touched since goes again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from core.db import Model, Record, db, in_steps, now
from core.errors import Forbidden, Invalid
from core.events import acting
from core.i18n import _
from core.importing.models import ImportEntry, ImportKey, ImportRun
from core.importing.reports import SHOWN
from core.permissions import can
from core.records import parse_ref
from core.users.models import User

STEP = 100


@dataclass(frozen=True)
class Kept:
    """A record that an undo left alone, and why."""

    ref: str
    reason: str


@dataclass
class UndoReport:
    """How an undo went; `kept` are the first ones, `left` counts all.

    `changed` records were there before the import, which only changed them; they
    stay as they are.
    """

    run_id: int
    deleted: int = 0
    gone: int = 0
    left: int = 0
    changed: int = 0
    kept: list[Kept] = field(default_factory=list)


def recent_runs(*, limit: int = 50) -> list[ImportRun]:
    """List the last imports, the newest first."""
    query = (
        sa.select(ImportRun)
        .where(ImportRun.state != "draft")
        .order_by(ImportRun.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def undo_import(
    app: Flask,
    run_id: int,
    *,
    actor_id: int,
    on_step: Callable[[UndoReport, float], None] | None = None,
) -> UndoReport:
    """Delete what an import made, the newest first; commits step by step.

    A record stays that was changed after the import, or on which other records hang:
    the report names it. Raises `Invalid` when there is no such import or it has been
    undone, and `Forbidden` when the actor may not bring in its kind.
    """
    with app.app_context():
        _refuse(app, run_id, actor_id)
        report = UndoReport(run_id)
        made, report.changed = count_entries(run_id)

        def step(entries: list[tuple[int, str]]) -> None:
            with acting(actor_id, bulk=True):
                for entry_id, ref in entries:
                    _take_back(report, entry_id, ref)
            if on_step is not None:
                seen = report.deleted + report.gone + report.left
                on_step(report, seen / max(made, 1))

        in_steps(_made_by(run_id), step, size=STEP)
        with db.transaction() as session:
            run = session.get_one(ImportRun, run_id)
            run.state = "kept" if report.left else "undone"
            run.finished_at = now()
            run.task = run.token = ""
        return report


def count_entries(run_id: int) -> tuple[int, int]:
    """Count the records that an import made, and those that it changed."""
    query = (
        sa.select(ImportEntry.created, sa.func.count())
        .where(ImportEntry.run_id == run_id)
        .group_by(ImportEntry.created)
    )
    with db.read_only() as session:
        counts = {bool(made): count for made, count in session.execute(query)}
    return counts.get(True, 0), counts.get(False, 0)


def _refuse(app: Flask, run_id: int, actor_id: int) -> None:
    with db.read_only() as session:
        run = session.get(ImportRun, run_id)
        if run is None or run.state in {"draft", "undone"}:
            raise Invalid(_("There is no import %(id)d to undo.", id=run_id))
        kind = app.extensions["rapport_imports"].get(run.kind)
        if kind is None:
            raise Invalid(
                _("The plugin that brings in “%(kind)s” is off.", kind=run.kind)
            )
        actor = session.get(User, actor_id)
        if actor is None or not actor.active or not can(kind.permission, actor):
            raise Forbidden


def _made_by(run_id: int) -> Iterator[tuple[int, str]]:
    """Give what a run made, the newest first, page by page."""
    last: int | None = None
    while True:
        query = (
            sa.select(ImportEntry.id, ImportEntry.ref)
            .where(ImportEntry.run_id == run_id, ImportEntry.created)
            .order_by(ImportEntry.id.desc())
            .limit(STEP)
        )
        if last is not None:
            query = query.where(ImportEntry.id < last)
        with db.read_only() as session:
            rows = session.execute(query).all()
        yield from ((row.id, row.ref) for row in rows)
        if len(rows) < STEP:
            return
        last = rows[-1].id


def _take_back(report: UndoReport, entry_id: int, ref: str) -> None:
    record = _load(ref)
    if record is None:
        report.gone += 1
        _forget(entry_id, ref)
        return
    reason = _why_it_stays(report.run_id, record)
    if reason is None:
        try:
            with db.session.begin_nested():
                db.session.delete(record)
                db.session.flush()
        except (IntegrityError, StaleDataError):
            reason = _("Other records need it.")
    if reason is None:
        report.deleted += 1
        _forget(entry_id, ref)
        return
    report.left += 1
    if len(report.kept) < SHOWN:
        report.kept.append(Kept(ref, str(reason)))


def _load(ref: str) -> Record | None:
    parsed = parse_ref(ref)
    model = record_models().get(parsed[0]) if parsed else None
    return db.session.get(model, parsed[1]) if model and parsed else None


def record_models() -> dict[str, type[Record]]:
    """Give the record classes that are loaded, by the name their refs begin with."""
    return {
        mapper.class_.record_name(): mapper.class_
        for mapper in Model.registry.mappers
        if issubclass(mapper.class_, Record)
    }


def _why_it_stays(run_id: int, record: Record) -> str | None:
    later = (
        sa.select(ImportRun.id)
        .join(ImportEntry, ImportEntry.run_id == ImportRun.id)
        .where(
            ImportEntry.ref == record.ref,
            ImportRun.id > run_id,
            ImportRun.state != "undone",
        )
    )
    newest = db.session.scalar(later.order_by(ImportRun.id.desc()).limit(1))
    if newest is not None:
        return str(_("Import %(id)d changed it; undo that one first.", id=newest))
    version = db.session.scalar(
        sa.select(sa.func.max(ImportEntry.version)).where(ImportEntry.ref == record.ref)
    )
    if record.version != version:
        return str(_("It was changed since."))
    if _carries_others(record):
        return str(_("Other records hang on it."))
    return None


def _carries_others(record: Record) -> bool:
    """Say whether another record points at this one; deleting it would change that."""
    table = record.__table__  # type: ignore[attr-defined]
    for model in record_models().values():
        child = model.__table__  # type: ignore[attr-defined]
        for key in child.foreign_keys:
            if key.column.table is not table:
                continue
            pointing = sa.select(child.c.id).where(key.parent == record.id)
            if child is table:
                pointing = pointing.where(child.c.id != record.id)
            if db.session.execute(pointing.limit(1)).first() is not None:
                return True
    return False


def _forget(entry_id: int, ref: str) -> None:
    db.session.execute(sa.delete(ImportEntry).where(ImportEntry.id == entry_id))
    db.session.execute(sa.delete(ImportKey).where(ImportKey.ref == ref))
