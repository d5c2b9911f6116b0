"""Bringing a file in: in steps, each committed with the point to go on from.

A row is brought in inside a savepoint of its own: one that is refused is noted with
its line and the reason, and the others come in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from flask import Flask

from core.db import db, in_steps
from core.errors import Forbidden, Invalid
from core.events import acting
from core.i18n import _
from core.importing.choices import Choices, read_choices
from core.importing.mapping import FieldMapping, parse_mapping
from core.importing.models import ImportRun
from core.importing.ordering import in_order
from core.importing.plain import plain_mapping
from core.importing.reading import Table, TableRow, hash_of, open_table
from core.importing.reports import Report
from core.importing.steps import Importer, OnStep
from core.imports import ImportKind
from core.permissions import can
from core.users.models import User

# Rows between two commits: few on SQLite, where nobody else writes meanwhile.
STEPS = {"sqlite": 100, "postgresql": 250}

# Called after every step with the rows done so far and the part of the file, 0 to 1.
Progress = Callable[[int, float], None]


def import_kinds(app: Flask) -> dict[str, ImportKind]:
    """Give the kinds of files that the plugins of `app` bring in, by name."""
    found: dict[str, ImportKind] = app.extensions["rapport_imports"]
    return {name: one for name, one in found.items() if one.bring is not None}


def run_import(
    app: Flask,
    kind: str,
    path: Path,
    mapping: FieldMapping | None = None,
    *,
    actor_id: int,
    dry_run: bool = False,
    source: str = "",
    progress: Progress | None = None,
    rest: bool = True,
) -> Report:
    """Bring in a file; commits step by step, so call it with no transaction open.

    Without a mapping the headings must be the names of the kind's fields. `source`
    names the system the file's own keys come from, `files` by default. It may do
    without a `rest` between steps where nobody works yet. Raises `Invalid` for a file
    or mapping that cannot be used, and `Forbidden` when the actor may not bring in
    this kind.
    """
    with app.app_context():
        declared = _kind(app, kind)
        table = open_table(
            path,
            charset=mapping.charset if mapping else None,
            delimiter=mapping.delimiter if mapping else None,
        )
        mapping = _checked(declared, mapping, table)
        plan = _Plan(
            declared, mapping, table, source or mapping.source or "files", actor_id
        )
        report = Report(kind, path.name, dry_run, unused=_unused(mapping, table))
        _refuse_forbidden(plan)
        if not dry_run:
            report.run_id = _open_run(plan)
        _bring_all(plan, report, progress, rest=rest)
        return report


def resume_import(
    app: Flask,
    run_id: int,
    path: Path,
    *,
    progress: Progress | None = None,
    on_step: OnStep | None = None,
) -> Report:
    """Go on with an import that was cut off; raises `Invalid` if the file is another.

    It goes on as the user who began it, if that account may still do so. Only who
    holds its task gives `on_step`; others are told that a worker has it.
    """
    with app.app_context():
        with db.read_only() as session:
            run = session.get(ImportRun, run_id)
        if run is None or run.state not in {"running", "stopped"}:
            raise Invalid(_("There is no import %(id)d to go on with.", id=run_id))
        if run.task and on_step is None:
            raise Invalid(_("A worker is at it. Look at its page."))
        if run.by_id is None:
            raise Invalid(_("The account that began this import is gone."))
        if hash_of(path) != run.file_hash:
            raise Invalid(_("This is not the file that was being brought in."))
        mapping = parse_mapping(run.mapping)
        plan = _Plan(
            _kind(app, run.kind),
            mapping,
            open_table(
                path,
                charset=mapping.charset,
                delimiter=mapping.delimiter,
                name=run.file_name,
            ),
            run.source,
            run.by_id,
            read_choices(run.choices),
            on_step,
        )
        _refuse_forbidden(plan)
        report = Report(run.kind, run.file_name, False, run.id)
        report.created, report.updated = run.created, run.updated
        report.same, report.refused = run.same, run.refused
        _bring_all(plan, report, progress, after=run.resume_row)
        return report


def try_import(app: Flask, run: ImportRun, path: Path, *, on_step: OnStep) -> Report:
    """Bring in a draft's file and take every step back; `Invalid` as `run_import`."""
    with app.app_context():
        if run.by_id is None:
            raise Invalid(_("The account that began this import is gone."))
        mapping = parse_mapping(run.mapping)
        table = open_table(
            path,
            charset=mapping.charset,
            delimiter=mapping.delimiter,
            name=run.file_name,
        )
        kind = _kind(app, run.kind)
        plan = _Plan(
            kind,
            _checked(kind, mapping, table),
            table,
            run.source,
            run.by_id,
            read_choices(run.choices),
            on_step,
        )
        _refuse_forbidden(plan)
        report = Report(
            run.kind, run.file_name, trial=True, unused=_unused(mapping, table)
        )
        _bring_all(plan, report, None)
        return report


@dataclass(frozen=True)
class _Plan:
    kind: ImportKind
    mapping: FieldMapping
    table: Table
    source: str
    actor_id: int
    choices: Choices | None = None
    on_step: OnStep | None = None


def _kind(app: Flask, name: str) -> ImportKind:
    kinds = import_kinds(app)
    if name not in kinds:
        raise Invalid(
            _(
                "Nothing here brings in “%(name)s”. There are: %(names)s.",
                name=name,
                names=", ".join(sorted(kinds)),
            )
        )
    return kinds[name]


def _checked(
    kind: ImportKind, mapping: FieldMapping | None, table: Table
) -> FieldMapping:
    """Refuse a mapping that does not fit the kind or the file."""
    fields = kind.schema().fields
    if mapping is None:
        return plain_mapping(kind.name, table.headings, fields, kind.columns)
    if mapping.kind and mapping.kind != kind.name:
        raise Invalid(
            _(
                "This mapping is for %(kind)s, not %(name)s.",
                kind=mapping.kind,
                name=kind.name,
            )
        )
    unknown = sorted(mapping.fields.keys() - fields.keys())
    if unknown:
        raise Invalid(
            _(
                "%(kind)s have no field “%(name)s”. There are: %(names)s.",
                kind=kind.name,
                name=unknown[0],
                names=", ".join(sorted(fields)),
            )
        )
    missing = sorted(mapping.used - set(table.headings))
    if missing:
        raise Invalid(
            _(
                "%(file)s has no column “%(name)s”. There are: %(names)s.",
                file=table.path.name,
                name=missing[0],
                names=", ".join(table.headings),
            )
        )
    return mapping


def _unused(mapping: FieldMapping, table: Table) -> tuple[str, ...]:
    return tuple(one for one in table.headings if one and one not in mapping.used)


def _refuse_forbidden(plan: _Plan) -> None:
    with db.read_only() as session:
        actor = session.get(User, plan.actor_id)
        if actor is None or not actor.active or not can(plan.kind.permission, actor):
            raise Forbidden


def _open_run(plan: _Plan) -> int:
    with db.transaction() as session:
        run = ImportRun(
            kind=plan.kind.name,
            source=plan.source,
            file_name=plan.table.path.name[:255],
            file_hash=hash_of(plan.table.path),
            mapping=dict(plan.mapping.written),
            by_id=plan.actor_id,
        )
        session.add(run)
        session.flush()
        return run.id


def _bring_all(
    plan: _Plan,
    report: Report,
    progress: Progress | None,
    *,
    after: int = 0,
    rest: bool = True,
) -> None:
    importer = Importer(
        plan.kind,
        plan.mapping,
        report,
        source=plan.source,
        actor_id=plan.actor_id,
        choices=plan.choices,
        on_step=plan.on_step,
    )

    def step(some: list[TableRow]) -> None:
        with acting(plan.actor_id, bulk=True):
            importer.bring_step(some)
        if progress is not None:
            progress(report.rows, some[-1].part)

    try:
        choices = plan.choices or Choices()
        ordered = in_order(
            lambda: choices.mended(plan.table.rows()), plan.mapping, plan.kind.after
        )
        rows = islice(ordered, after, None)
        in_steps(rows, step, size=STEPS[db.dialect], rest=rest)
    except BaseException:
        # What a worker does is its to close: it may also put it down for a while.
        if plan.on_step is None:
            importer.close("stopped")
        raise
    importer.close("done")
