"""An import that was begun: its progress, its end, its refused rows, its undo."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from flask import Response, redirect, render_template, url_for

from core.db import db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.importing.check_views import in_words, titles_of
from core.importing.drafts import LINE, REASON, only_own
from core.importing.models import ImportRefusal
from core.importing.tasks import BRING, UNDO, ask
from core.importing.timing import seconds_left
from core.importing.undoing import count_entries
from core.importing.values import harmless
from core.importing.views import bp, load, page_of
from core.pages import on_refusal
from core.permissions import colleagues_only, me
from core.users.models import User

SHOWN = 20
ENDED = {"done", "kept", "stopped"}


def _draw(error: CRMError | None = None, *, run_id: int) -> Any:
    run, kind = load(run_id)
    if run.state == "draft":
        return redirect(page_of(run), 303)
    own = run.by_id == me().id
    query = sa.select(ImportRefusal.line, ImportRefusal.reason)
    query = query.where(ImportRefusal.run_id == run.id).order_by(ImportRefusal.line)
    titles = titles_of(kind)
    refusals = [
        (line, in_words(reason, titles))
        for line, reason in db.session.execute(query.limit(SHOWN))
    ]
    began = db.session.get(User, run.by_id) if run.by_id else None
    return render_template(
        "core/imports/run.html",
        run=run,
        kind=kind,
        own=own,
        began=began,
        refusals=refusals if own else [],
        error=str(error.message) if error else run.found.get("error", ""),
        undone=run.found.get("undo"),
        left=seconds_left(run),
    )


@bp.get("/import/<int:run_id>")
@colleagues_only
def show(run_id: int) -> Any:
    """How an import goes, or how it went."""
    return _draw(run_id=run_id)


@bp.post("/import/<int:run_id>/continue")
@colleagues_only
@on_refusal(_draw)
def go_on(run_id: int) -> Any:
    """Go on with an import that was stopped."""
    run, _kind = load(run_id)
    only_own(run, me())
    if run.state != "stopped":
        raise Invalid(_("This import was not stopped."))
    if not run.file_kept:
        raise Invalid(_("Its file is not here any more. Bring it in again."))
    ask(run, BRING, by=me())
    return redirect(url_for("imports.show", run_id=run.id), 303)


def _draw_undo(error: CRMError | None = None, *, run_id: int) -> Any:
    run, kind = load(run_id)
    if run.state not in ENDED:
        return redirect(page_of(run), 303)
    made, changed = count_entries(run.id)
    return render_template(
        "core/imports/undo.html",
        run=run,
        kind=kind,
        made=made,
        changed=changed,
        error=str(error.message) if error else "",
    )


@bp.get("/import/<int:run_id>/undo")
@colleagues_only
def undo(run_id: int) -> Any:
    """What taking an import back would do."""
    return _draw_undo(run_id=run_id)


@bp.post("/import/<int:run_id>/undo")
@colleagues_only
@on_refusal(_draw_undo)
def take_back(run_id: int) -> Any:
    """Have an import taken back."""
    run, _kind = load(run_id)
    if run.state not in ENDED:
        raise Invalid(_("This import cannot be undone now."))
    ask(run, UNDO, by=me())
    return redirect(url_for("imports.show", run_id=run.id), 303)


@bp.get("/import/<int:run_id>/refused.csv")
@colleagues_only
def refused(run_id: int) -> Any:
    """Give the rows that were refused, to be mended and brought in again."""
    run, _kind = load(run_id)
    only_own(run, me())
    headings = [one for one in run.table.get("headings", []) if one]
    sign = run.table.get("delimiter") or ","
    query = sa.select(ImportRefusal.line, ImportRefusal.reason, ImportRefusal.row)
    query = query.where(ImportRefusal.run_id == run.id).order_by(ImportRefusal.line)
    rows = db.session.execute(query).all()
    if not headings:
        headings = list(dict.fromkeys(one for _l, _r, row in rows for one in row))
    response = Response(_lines(rows, headings, sign), mimetype="text/csv")
    name = f"refused-{run.id}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(rows: Iterable[Any], headings: list[str], sign: str) -> Iterator[str]:
    """Write the rows as the file had them, with the line and the reason before."""

    def written(cells: list[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=sign).writerow([harmless(one) for one in cells])
        return text.getvalue()

    # Excel knows by these three bytes that this is UTF-8.
    yield "\ufeff" + written([LINE, REASON, *headings])
    for line, reason, row in rows:
        yield written([str(line), reason, *(row.get(one, "") for one in headings)])
