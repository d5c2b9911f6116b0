"""From an uploaded file to a checked draft: what people choose on the pages."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from flask import Flask

from core.db import db, now
from core.errors import Forbidden, Invalid, NotFound
from core.files import Readable
from core.i18n import _
from core.importing.building import KEY, SIGNS, build_mapping
from core.importing.choices import Choices, read_choices
from core.importing.guessing import (
    DATES,
    guess,
    guess_dates,
    guess_decimal,
    targets_of,
)
from core.importing.keeping import drop_file, import_store, keep_file, shown_name
from core.importing.mapping import parse_mapping
from core.importing.models import ImportColumns, ImportRun
from core.importing.reading import DELIMITERS, open_table
from core.importing.running import import_kinds
from core.importing.tasks import BRING, CHECK, ask
from core.imports import ImportKind
from core.permissions import can
from core.users.models import User

# Rows that the guesses look at, and values of each column that are shown.
LOOKED_AT, VALUES = 100, 3
MOST_COLUMNS = 300
SOURCE_LENGTH = 60
CHARSETS = ("utf-8-sig", "cp1252", "utf-16", "iso8859-15", "gb18030", "cp1251", "big5")
# Columns that our own file of refused rows adds; nobody maps them.
LINE, REASON = "rapport line", "rapport reason"


def kinds_for(app: Flask, user: User) -> dict[str, ImportKind]:
    """Give the kinds of files that `user` may bring in, by name."""
    kinds = import_kinds(app).items()
    return {name: one for name, one in kinds if can(one.permission, user)}


def begin_draft(
    stream: Readable, *, filename: str, kind: ImportKind, actor: User
) -> ImportRun:
    """Keep an uploaded file and look at it; raises `Invalid` if it is not a table."""
    stored = keep_file(stream)
    run = ImportRun(
        kind=kind.name,
        source="files",
        state="draft",
        file_name=shown_name(filename),
        file_hash=stored.sha256,
        file_kept=True,
        by_id=actor.id,
    )
    try:
        _look(run)
        run.choices = propose(run, kind)
    except Invalid as error:
        # Nobody can do anything with it: it does not stay.
        import_store().remove(stored.sha256)
        raise Invalid(errors={"file": [str(error.message)]}) from error
    db.session.add(run)
    db.session.flush()
    return run


def _look(run: ImportRun, charset: str | None = None, sign: str | None = None) -> None:
    """Note a file's headings and first values, as they read in this charset."""
    path = import_store().path(run.file_hash)
    table = open_table(path, charset=charset, delimiter=sign, name=run.file_name)
    if table.objects:
        raise Invalid(
            _("JSON comes in with the command “rapport import”. Save it as CSV here.")
        )
    if len(table.headings) > MOST_COLUMNS:
        said = _(
            "This file has %(found)d columns; %(most)d are the most. Take out those "
            "that nobody needs.",
            found=len(table.headings),
            most=MOST_COLUMNS,
        )
        raise Invalid(said)
    rows = [one for one in islice(table.rows(), LOOKED_AT) if not one.problem]
    if not rows and next(iter(table.rows()), None) is None:
        raise Invalid(_("%(file)s has headings and no rows.", file=run.file_name))
    samples = {
        heading: [cell for row in rows if (cell := row.cells.get(heading, "").strip())]
        for heading in table.headings
        if heading
    }
    every = [cell for some in samples.values() for cell in some]
    run.table = {
        "headings": list(table.headings),
        "charset": table.charset,
        "delimiter": table.delimiter,
        "samples": {k: [c[:80] for c in v[:VALUES]] for k, v in samples.items()},
        "looked": {k: [c[:200] for c in v[:20]] for k, v in samples.items()},
        "dates": guess_dates(every),
        "decimal": guess_decimal(every),
    }


def signature(headings: list[str]) -> str:
    """Name a set of headings, so that a second file of the same form is known."""
    named = [one for one in headings if one not in {LINE, REASON}]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def propose(run: ImportRun, kind: ImportKind) -> dict[str, Any]:
    """Say what the columns may become: as last time, else by guessing."""
    headings: list[str] = run.table["headings"]
    known = db.session.get(ImportColumns, (kind.name, signature(headings)))
    if known is not None:
        return {**known.chosen, "known": True}
    columns = guess(kind, headings, run.table["looked"])
    by_name = {one.name: one for one in targets_of(kind)}
    there = {by_name[one].field for one in columns.values()}
    about = {
        name: str(one.choices[0 if one.hints & there else -1][0])
        for name, one in kind.about.items()
        if name not in there
    }
    split = next(
        (
            sign
            for sign in (":::", ";", "|", ",")
            for heading, name in columns.items()
            if by_name[name].field in {"tags", "roles", "teams"}
            and any(sign in one for one in run.table["looked"].get(heading, ()))
        ),
        ",",
    )
    return {
        "columns": columns,
        "about": about,
        "dates": run.table["dates"],
        "decimal": run.table["decimal"],
        "split": split,
        "source": Path(run.file_name).stem[:60],
    }


def read_again(
    run: ImportRun, kind: ImportKind, *, charset: str, delimiter: str
) -> None:
    """Read a draft's file in another charset or with another sign; `Invalid`."""
    if charset not in {*CHARSETS, run.table["charset"]}:
        raise Invalid(errors={"charset": [_("This is not offered.")]})
    if delimiter not in DELIMITERS:
        raise Invalid(errors={"delimiter": [_("This is not offered.")]})
    _look(run, charset or None, delimiter or None)
    run.choices = propose(run, kind)
    db.session.flush()


def choose_columns(
    run: ImportRun, kind: ImportKind, chosen: Mapping[str, Any], *, actor: User
) -> None:
    """Note what the columns become and have the file checked; raises `Invalid`."""
    kept = _settled(run, kind, chosen)
    written = build_mapping(
        kind,
        **kept,
        charset=run.table["charset"],
        delimiter=run.table["delimiter"],
    )
    parse_mapping(written)
    run.mapping = written
    run.source = kept["source"] if KEY in written else "files"
    run.choices = {**kept, **read_choices(run.choices).written()}
    run.found = {}
    name = (kind.name, signature(run.table["headings"]))
    known = db.session.get(ImportColumns, name)
    if known is None:
        db.session.add(ImportColumns(kind=name[0], signature=name[1], chosen=kept))
    else:
        known.chosen = kept
    ask(run, CHECK, by=actor)


def _settled(
    run: ImportRun, kind: ImportKind, chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Keep of what was sent only what the pages offer; raises `Invalid`."""
    source = str(chosen.get("source") or "").strip()
    if len(source) > SOURCE_LENGTH:
        said = _("This is longer than %(num)d characters.", num=SOURCE_LENGTH)
        raise Invalid(errors={"source": [said]})
    names = {one.name for one in targets_of(kind)} | {KEY}
    headings = set(run.table["headings"])
    dates, split = chosen.get("dates"), chosen.get("split")
    return {
        "columns": {
            heading: name
            for heading, name in chosen["columns"].items()
            if heading in headings and name in names
        },
        "about": {
            name: value
            for name, value in chosen.get("about", {}).items()
            if name in kind.about
            and value in {str(one) for one, _title in kind.about[name].choices}
        },
        "dates": dates if dates in DATES else DATES[0],
        "decimal": "," if chosen.get("decimal") == "," else ".",
        "split": split if split in SIGNS else ",",
        "source": source or "files",
    }


def choose_rows(run: ImportRun, made: Choices) -> None:
    """Note what becomes of rows that are here already, and mended cells."""
    before = read_choices(run.choices)
    cells = {line: dict(one) for line, one in before.cells.items()}
    for line, some in made.cells.items():
        cells[line] = {**cells.get(line, {}), **some}
    rows = {**before.rows, **made.rows}
    rows = {line: one for line, one in rows.items() if one != made.same}
    run.choices = {**run.choices, **replace(made, rows=rows, cells=cells).written()}
    db.session.flush()


def begin_bringing(run: ImportRun, *, actor: User) -> None:
    """Have a checked draft brought in; raises `Invalid` before it is checked."""
    if run.state != "draft" or "counts" not in run.found:
        raise Invalid(_("Check the file first."))
    run.started_at = now()
    ask(run, BRING, by=actor)


def discard(run: ImportRun) -> None:
    """Throw a draft and its file away; raises `Invalid` for anything else."""
    if run.state != "draft":
        raise Invalid(_("This file was brought in. Undo it instead."))
    drop_file(run)
    db.session.delete(run)
    db.session.flush()


def load_run(app: Flask, user: User, run_id: int) -> tuple[ImportRun, ImportKind]:
    """Give an import that `user` may look at; raises `NotFound`.

    A draft is its owner's alone; the others are open to all who may bring in its kind.
    """
    run = db.session.get(ImportRun, run_id)
    if run is None or (run.state == "draft" and run.by_id != user.id):
        raise NotFound
    kind = kinds_for(app, user).get(run.kind)
    if kind is None:
        raise NotFound
    return run, kind


def only_own(run: ImportRun, user: User) -> None:
    """Raise `Forbidden` unless `user` brought the file in: its rows are in it."""
    if run.by_id != user.id:
        raise Forbidden


def reads_as_text(run: ImportRun) -> bool:
    """Say whether a file's charset and delimiter can be chosen: a sheet has none."""
    return bool(run.table.get("delimiter"))
