"""/admin/deliveries and /admin/jobs: what the worker has in hand."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import format_timedelta

from core.admin.forms import ReasonForm
from core.admin.permissions import SYSTEM
from core.admin.services import queue
from core.admin.views.blueprint import bp
from core.errors import CRMError
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import requires
from core.worker import try_again


def _draw(error: CRMError | None = None, **_more: object) -> Any:
    subscriber = request.values.get("subscriber", "")
    return render_template(
        "core/admin/deliveries.html",
        queues=queue.queues(),
        deliveries=queue.failing_deliveries(subscriber=subscriber),
        subscriber=subscriber,
        seen=queue.worker_seen(),
        errors=error.errors if error else {},
        chosen=request.form.getlist("delivery", type=int),
    )


@bp.get("/deliveries")
@requires(SYSTEM)
def deliveries() -> Any:
    """The queue by subscriber, and what failed, with what was said."""
    return _draw()


def _back() -> Any:
    return redirect(url_for("admin.deliveries"), 303)


@bp.post("/deliveries/try-again")
@requires(SYSTEM)
def retry() -> Any:
    """Put parked deliveries back into the queue: the chosen, or a subscriber's."""
    subscriber = request.form.get("all_of", "")
    if subscriber:
        count = queue.try_all_again(subscriber)
    else:
        count = try_again(request.form.getlist("delivery", type=int))
    said = ngettext(
        "%(num)d delivery is tried again.", "%(num)d deliveries are tried again.", count
    )
    flash(said, "ok")
    return _back()


@bp.post("/deliveries/give-up")
@requires(SYSTEM)
@on_refusal(_draw)
def give_up() -> Any:
    """Drop parked deliveries for good, with a reason."""
    form = ReasonForm().load(request.form.to_dict())
    chosen = request.form.getlist("delivery", type=int)
    count = queue.give_up(chosen, reason=form["reason"])
    said = ngettext(
        "%(num)d delivery is given up.", "%(num)d deliveries are given up.", count
    )
    flash(said, "ok")
    return _back()


@bp.get("/jobs")
@requires(SYSTEM)
def jobs() -> Any:
    """Scheduled work: when it runs next, and how it went last."""
    found = queue.job_states(current_app.extensions["rapport_jobs"])
    return render_template(
        "core/admin/jobs.html",
        jobs=found,
        spans={one.name: format_timedelta(one.every) for one in found},
        seen=queue.worker_seen(),
    )


@bp.post("/jobs/<name>/run")
@requires(SYSTEM)
def run_job(name: str) -> Any:
    """Have the worker run a job now."""
    queue.ask_for_run(current_app.extensions["rapport_jobs"], name)
    flash(_("The worker runs %(name)s within half a minute.", name=name), "ok")
    return redirect(url_for("admin.jobs"), 303)
