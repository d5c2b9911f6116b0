"""/import: earlier imports, a file to bring in, and what its columns become."""

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)

from core.db import db
from core.errors import CRMError, Invalid, NotFound
from core.i18n import _
from core.importing import drafts
from core.importing.building import KEY, SIGNS
from core.importing.guessing import DATES, targets_of
from core.importing.keeping import max_upload
from core.importing.models import ImportRun
from core.importing.reading import DELIMITERS
from core.imports import ImportKind
from core.pages import on_refusal
from core.permissions import colleagues_only, me
from core.problems import for_program
from core.users.models import User

bp = Blueprint("imports", __name__)

SHOWN = 50


def app() -> Any:
    """Give the application itself."""
    return current_app._get_current_object()  # type: ignore[attr-defined]


def my_kinds() -> dict[str, ImportKind]:
    """Give the kinds the reader may bring in, by name."""
    return drafts.kinds_for(app(), me())


def page_of(run: ImportRun) -> str:
    """Give the address where an import goes on."""
    if run.state != "draft":
        return url_for("imports.show", run_id=run.id)
    if run.task or run.found:
        return url_for("imports.check", run_id=run.id)
    return url_for("imports.columns", run_id=run.id)


def _draw_index(error: CRMError | None = None) -> Any:
    kinds = my_kinds()
    mine = sa.or_(ImportRun.state != "draft", ImportRun.by_id == me().id)
    query = (
        sa.select(ImportRun, User.name)
        .outerjoin(User, User.id == ImportRun.by_id)
        .where(ImportRun.kind.in_(kinds), mine)
        .order_by(ImportRun.id.desc())
        .limit(SHOWN)
    )
    errors = error.errors if error else {}
    if error and not errors:
        errors = {"file": [str(error.message)]}
    return render_template(
        "core/imports/index.html",
        kinds=kinds,
        chosen=request.values.get("kind", "contacts"),
        runs=db.session.execute(query).all(),
        errors=errors,
        max_upload=max_upload(),
        page_of=page_of,
    )


@bp.get("/import")
@colleagues_only
def index() -> Any:
    """A place for a file, and the imports there were."""
    return _draw_index()


@bp.post("/import")
@colleagues_only
@on_refusal(_draw_index)
def upload() -> Any:
    """Keep a file and go on to its columns."""
    kind = my_kinds().get(request.form.get("kind", ""))
    if kind is None:
        raise Invalid(errors={"kind": [_("Say what the rows of the file are.")]})
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid(errors={"file": [_("Choose a file.")]})
    run = drafts.begin_draft(sent.stream, filename=sent.filename, kind=kind, actor=me())
    address = url_for("imports.columns", run_id=run.id)
    if for_program():
        return jsonify(title=run.file_name, url=address, same=False), 201
    return redirect(address, 303)


def load(run_id: int) -> tuple[ImportRun, ImportKind]:
    """Give an import and its kind, or `NotFound`."""
    return drafts.load_run(app(), me(), run_id)


def load_draft(run_id: int) -> tuple[ImportRun, ImportKind]:
    """Give a draft of the reader's own, or `NotFound`."""
    run, kind = load(run_id)
    if run.state != "draft" or not run.file_kept:
        raise NotFound
    return run, kind


def _draw_columns(error: CRMError | None = None, *, run_id: int) -> Any:
    run, kind = load_draft(run_id)
    chosen: dict[str, Any] = dict(run.choices)
    errors: dict[str, Any] = {}
    if error is not None:
        errors = error.errors or {"columns": [str(error.message)]}
        chosen |= _typed(run, kind)
    headings = [one for one in run.table["headings"] if one]
    empty = [one for one in headings if not run.table["samples"].get(one)]
    return render_template(
        "core/imports/columns.html",
        run=run,
        kind=kind,
        chosen=chosen,
        errors=errors,
        places={one: n for n, one in enumerate(run.table["headings"])},
        shown=[one for one in headings if one not in set(empty)],
        empty=empty,
        groups=[
            (title, list(some))
            for title, some in groupby(targets_of(kind), lambda one: str(one.heading))
        ],
        key=KEY,
        dates=DATES,
        split_signs=SIGNS,
        charsets=drafts.CHARSETS,
        delimiters=DELIMITERS,
        text=drafts.reads_as_text(run),
    )


def _typed(run: ImportRun, kind: ImportKind) -> dict[str, Any]:
    """Read the form of the columns."""
    form = request.form
    columns = {
        heading: name
        for n, heading in enumerate(run.table["headings"])
        if heading and (name := form.get(f"column.{n}", ""))
    }
    return {
        "columns": columns,
        "about": {
            name: form[f"about.{name}"]
            for name in kind.about
            if f"about.{name}" in form
        },
        **{name: form.get(name, "") for name in ("dates", "decimal", "split")},
        "source": form.get("source", ""),
    }


@bp.get("/import/<int:run_id>/columns")
@colleagues_only
def columns(run_id: int) -> Any:
    """Each column with its first rows, and what it becomes."""
    return _draw_columns(run_id=run_id)


@bp.post("/import/<int:run_id>/columns")
@colleagues_only
@on_refusal(_draw_columns)
def choose(run_id: int) -> Any:
    """Note what the columns become, and have the file checked."""
    run, kind = load_draft(run_id)
    drafts.choose_columns(run, kind, _typed(run, kind), actor=me())
    return redirect(url_for("imports.check", run_id=run.id), 303)


@bp.post("/import/<int:run_id>/read")
@colleagues_only
@on_refusal(_draw_columns)
def read_again(run_id: int) -> Any:
    """Read the file in another charset, or with another sign between its cells."""
    run, kind = load_draft(run_id)
    drafts.read_again(
        run,
        kind,
        charset=request.form.get("charset", ""),
        delimiter=request.form.get("delimiter", "").replace("tab", "\t"),
    )
    return redirect(url_for("imports.columns", run_id=run.id), 303)


@bp.post("/import/<int:run_id>/discard")
@colleagues_only
def discard(run_id: int) -> Any:
    """Throw a draft and its file away."""
    run, _kind = load_draft(run_id)
    name = run.file_name
    drafts.discard(run)
    flash(_("%(file)s is removed. Nothing of it came in.", file=name), "ok")
    return redirect(url_for("imports.index"), 303)
