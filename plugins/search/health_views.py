"""/admin/search: how the index is, and having it compared and mended."""

from typing import Any

from flask import flash, redirect, render_template, url_for

from core.i18n import _
from core.jobs import run_soon
from core.permissions import requires
from plugins.search.health import RECONCILE, health
from plugins.search.permissions import MANAGE
from plugins.search.views import bp as bp


@bp.get("/admin/search")
@requires(MANAGE)
def health_page() -> Any:
    """How the index is: what it holds, what waits for it, when it was compared."""
    return render_template("search/health.html", index=health())


@bp.post("/admin/search/compare")
@requires(MANAGE)
def compare_now() -> Any:
    """Have the worker compare the index with the database, and mend what differs."""
    run_soon(RECONCILE)
    flash(_("The worker compares the index now, and mends what differs."), "ok")
    return redirect(url_for("search.health_page"), 303)
