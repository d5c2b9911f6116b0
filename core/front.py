"""Core's own addresses: the first page, health, events, the API's description."""

from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from flask import (
    Blueprint,
    Flask,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
)
from flask import Response as FlaskResponse
from marshmallow import fields
from prometheus_client import CONTENT_TYPE_LATEST

from core import __version__
from core.checkup import ask_check, worker_silence
from core.cursors import events_after, latest_cursor
from core.day import blocks
from core.db import db, now
from core.errors import NotFound
from core.event_visibility import learned
from core.live import check_cursor, describe_event
from core.metrics import write_metrics
from core.pages import Check, DayItem, Failure, allowed
from core.permissions import (
    can,
    colleagues_only,
    me,
    open_to_onlookers,
    public,
    signed_in,
)
from core.plugin_manager import contributions
from core.schemas import ApiBlueprint, Moment, PageArguments

bp = Blueprint("core", __name__)
api = ApiBlueprint("core_api", __name__, description="What changed")


class EventSchema(ma.Schema):
    """One fact, in the words of CloudEvents 1.0; `ref` and `contact` as /live says."""

    id = fields.String()
    specversion = fields.Constant("1.0")
    source = fields.String()
    type = fields.String()
    subject = fields.String()
    time = Moment()
    ref = fields.String()
    contact = fields.Integer(allow_none=True)


class EventPage(ma.Schema):
    """Some events; `cursor` is where to ask again, `next` is set when there is more."""

    items = fields.List(fields.Nested(EventSchema))
    cursor = fields.String()
    next = fields.String(allow_none=True)


@bp.get("/")
@signed_in
@open_to_onlookers
def home() -> Any:
    """My day, or the portal's first page for those it belongs to."""
    if me().kind != "staff":
        from core.shell import menu

        lines = menu()
        if not lines:
            raise NotFound
        return redirect(lines[0].url)
    from core.contacts.steps import anybody

    found = contributions("day_items", user=me())
    items = allowed([one for one in found if isinstance(one, DayItem)])
    return render_template(
        "core/day.html",
        items=[(one.item, one.html) for one in blocks(items)],
        waits_count=sum(one.waits for one in items),
        failed=[one for one in found if isinstance(one, Failure)],
        today=now(),
        is_new=not items and not anybody(me()),
    )


@bp.get("/palette")
@colleagues_only
def palette() -> Any:
    """What Ctrl-K finds and does: see `core.palette`."""
    query = request.args.get("q", "").replace("\x00", "").strip()[:200]
    from core.palette import find, stranger

    return jsonify(items=find(me(), query), stranger=stranger(query))


@api.route("/events", methods=["GET"])
@signed_in
@api.arguments(PageArguments, location="query")
@api.response(200, EventPage)
def events(arguments: dict[str, Any]) -> Any:
    """What changed after `cursor`: how browsers follow that cannot hold a stream.

    Without a cursor it begins now.
    """
    cursor = arguments["cursor"] or latest_cursor()
    check_cursor(cursor)
    limit = arguments["limit"]
    found, cursor = events_after(
        cursor, learned(me(), limit=limit).scalars, limit=limit
    )
    items = [
        {
            "id": one.id,
            "source": one.source,
            "time": one.time,
            "subject": one.subject,
            **describe_event(one, me()),
        }
        for one in found
    ]
    following = cursor if len(found) == limit else None
    return {"items": items, "cursor": cursor, "next": following}


@bp.get("/healthz")
@public
def healthz() -> Any:
    """Say that the process answers."""
    return jsonify(status="ok", version=__version__)


@bp.get("/readyz")
@public
def readyz() -> Any:
    """Say whether database, worker and plugins are ready; 503 when one is not."""
    results = {}
    checks = [Check("database", _database), Check("worker", worker_silence)]
    for check in [*checks, *current_app.extensions["rapport_checks"]]:
        results[check.name] = _result(check)
    hints = {one.name for one in current_app.extensions["rapport_checks"] if one.hint}
    ready = all(said == "ok" for name, said in results.items() if name not in hints)
    return jsonify(status="ok" if ready else "not ready", checks=results), (
        200 if ready else 503
    )


def _result(check: Check) -> str:
    """Ask a check; one that cannot answer is not ready either."""
    return ask_check(check) or "ok"


def _database() -> str | None:
    db.session.execute(sa.select(1))
    return None


@bp.get("/metrics")
@signed_in
def metrics() -> Any:
    """Numbers for Prometheus, for an administrator's token."""
    from core.admin.permissions import SYSTEM

    if not can(SYSTEM):
        raise NotFound
    numbers = write_metrics(_app())
    return FlaskResponse(numbers, content_type=CONTENT_TYPE_LATEST)


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]


@bp.get("/api/v1/openapi.json")
@public
def openapi() -> Any:
    """The API, described (OpenAPI 3.1)."""
    return jsonify(current_app.extensions["rapport_api"].spec.to_dict())


@bp.get("/api/v1/docs")
@public
def api_docs() -> Any:
    """The same description as a page to read."""
    spec = current_app.extensions["rapport_api"].spec.to_dict()
    return render_template("core/api_docs.html", spec=spec)
