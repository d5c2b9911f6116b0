"""/admin/search: how the index is, and having it compared and mended."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for

from core.admin.permissions import SYSTEM
from core.admin.services.queue import ask_for_run
from core.i18n import _
from core.permissions import requires
from plugins.search.health import RECONCILE, health

bp = Blueprint("search_health", __name__)


@bp.get("/admin/search")
@requires(SYSTEM)
def health_page() -> Any:
    """How the index is: what it holds, what waits for it, when it was compared."""
    return render_template("search/health.html", index=health())


@bp.post("/admin/search/compare")
@requires(SYSTEM)
def compare_now() -> Any:
    """Have the worker compare the index with the database, and mend what differs."""
    ask_for_run(current_app.extensions["rapport_jobs"], RECONCILE)
    flash(_("The worker compares the index now, and mends what differs."), "ok")
    return redirect(url_for("search_health.health_page"), 303)
