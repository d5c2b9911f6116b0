"""The check of a draft: what would come in, what is here, what is refused and why."""

import re
from typing import Any

import sqlalchemy as sa
from flask import make_response, redirect, render_template, request, url_for

from core.db import db
from core.errors import CRMError
from core.importing import drafts
from core.importing.choices import KNOWN_ROWS, UPDATE, Choices, read_choices
from core.importing.guessing import targets_of
from core.importing.mapping import parse_mapping
from core.importing.models import ImportRun
from core.importing.tasks import CHECK, ask
from core.importing.timing import seconds_left
from core.importing.views import bp, load, load_draft, page_of
from core.imports import ImportKind
from core.pages import on_refusal
from core.permissions import can, colleagues_only, me
from core.records import parse_ref, record_types
from core.visibility import visible_to

SHOWN = 20
# Cells of a row that are offered where none of them holds anything.
MENDED = 6
_PLACE = re.compile(r"(?:^| )([a-z_]+)((?:\.\w+)*): ")


def titles_of(kind: ImportKind) -> dict[str, str]:
    """Give the name on screen of each field of a kind."""
    found: dict[str, str] = {}
    for one in targets_of(kind):
        title = one.title if not (one.group or one.fixed) else one.heading or one.title
        found.setdefault(one.field, str(title))
    return found


def in_words(reason: str, titles: dict[str, str]) -> str:
    """Write a reason with the fields' names on screen: `emails.0.address: …`."""
    return _PLACE.sub(
        lambda found: (
            found[0]
            if found[1] not in titles
            else f"{' ' if found[0][0] == ' ' else ''}{titles[found[1]]}: "
        ),
        reason,
    )


def _draw(error: CRMError | None = None, *, run_id: int) -> Any:
    run, kind = load_draft(run_id)
    if not run.task and not run.found:
        return redirect(url_for("imports.columns", run_id=run.id), 303)
    samples: dict[str, list[dict[str, Any]]] = run.found.get("samples", {})
    titles = titles_of(kind)
    known = samples.get("updated", []) + samples.get("same", [])
    refused = [
        {
            **one,
            "reason": in_words(one["reason"], titles),
            "cells": _to_mend(run, one),
        }
        for one in _by_line(samples.get("refused", []))[:SHOWN]
    ]
    return render_template(
        "core/imports/check.html",
        run=run,
        kind=kind,
        error=str(error.message) if error else run.found.get("error", ""),
        counts=run.found.get("counts"),
        created=samples.get("created", [])[:5],
        updated=samples.get("updated", [])[:SHOWN],
        same=samples.get("same", [])[:5],
        refused=refused,
        unused=run.found.get("unused", []),
        choices=read_choices(run.choices),
        titles=titles,
        records=_records([one["ref"] for one in known]),
        left=seconds_left(run),
    )


def _by_line(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort as the file is: what a schema refuses is known before the rest."""
    return sorted(samples, key=lambda one: int(one["line"]))


def _to_mend(run: ImportRun, sample: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Give the cells of a refused row that can be mended: place, heading, text.

    They are those that the reason is about, else those that hold something.
    """
    cells = sample["cells"]
    if not cells:
        return []
    rules = run.mapping["columns"]
    blamed = {found[1] for found in _PLACE.finditer(sample["reason"])} & rules.keys()
    some = {name: rules[name] for name in blamed} or rules
    used = parse_mapping({"columns": some}).used
    found = [
        (n, heading, cells.get(heading, ""))
        for n, heading in enumerate(run.table["headings"])
        if heading in used
    ]
    return [one for one in found if one[2]] or found[:MENDED]


def _records(refs: list[str]) -> dict[str, tuple[str, str]]:
    """Give the names and addresses of records that the reader may see."""
    wanted: dict[str, set[int]] = {}
    for ref in refs:
        parsed = parse_ref(ref)
        if parsed:
            wanted.setdefault(parsed[0], set()).add(parsed[1])
    found = {}
    for name, ids in wanted.items():
        kind = record_types().get(name)
        if kind is None or not can(kind.permission):
            continue
        query: sa.Select[Any] = visible_to(me(), kind.model)
        for one in db.session.scalars(query.where(kind.model.id.in_(ids))).unique():
            found[one.ref] = (str(kind.label(one)), kind.url(one, me()) or "")
    return found


@bp.get("/import/<int:run_id>/check")
@colleagues_only
def check(run_id: int) -> Any:
    """What bringing the file in would do."""
    run, _kind = load(run_id)
    if run.state != "draft":
        return redirect(page_of(run), 303)
    return _draw(run_id=run_id)


@bp.post("/import/<int:run_id>/check")
@colleagues_only
@on_refusal(_draw)
def check_again(run_id: int) -> Any:
    """Note the choices and mended cells, and have the file checked again."""
    run, _kind = load_draft(run_id)
    drafts.choose_rows(run, _chosen(run))
    ask(run, CHECK, by=me())
    return redirect(url_for("imports.check", run_id=run.id), 303)


@bp.post("/import/<int:run_id>/bring")
@colleagues_only
@on_refusal(_draw)
def bring(run_id: int) -> Any:
    """Note the choices, and have the file brought in."""
    run, _kind = load_draft(run_id)
    drafts.choose_rows(run, _chosen(run))
    drafts.begin_bringing(run, actor=me())
    return redirect(url_for("imports.show", run_id=run.id), 303)


def _chosen(run: ImportRun) -> Choices:
    """Read the form of the check: what becomes of known rows, and mended cells."""
    headings = run.table["headings"]
    rows: dict[int, str] = {}
    cells: dict[int, dict[str, str]] = {}
    before = {
        one["line"]: one["cells"]
        for one in run.found.get("samples", {}).get("refused", [])
    }
    for name, value in request.form.items():
        what, _dot, place = name.partition(".")
        line, _dot, column = place.partition(".")
        if what == "row" and line.isdecimal() and value in KNOWN_ROWS:
            rows[int(line)] = value
        elif what == "cell" and line.isdecimal() and column.isdecimal():
            shown = before.get(int(line))
            if shown is None or int(column) >= len(headings):
                continue
            heading = headings[int(column)]
            if value.strip() != shown.get(heading, "").strip():
                cells.setdefault(int(line), {})[heading] = value[:2000]
    same = request.form.get("same", UPDATE)
    return Choices(same if same in KNOWN_ROWS else UPDATE, rows, cells)


@bp.get("/import/<int:run_id>/progress")
@colleagues_only
def progress(run_id: int) -> Any:
    """How far the task of an import is; when it has ended, the page comes again."""
    run, _kind = load(run_id)
    drawn = render_template(
        "core/imports/progress.html", run=run, left=seconds_left(run)
    )
    response = make_response(drawn)
    if not run.task:
        response.headers["HX-Refresh"] = "true"
    return response
