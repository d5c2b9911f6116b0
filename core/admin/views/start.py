"""/admin: what needs attention, and the way to every part."""

from typing import Any

import sqlalchemy as sa
from flask import current_app, render_template

from core import migrate
from core.admin.permissions import SYSTEM
from core.admin.services import first_hour
from core.admin.services.overview import concerns
from core.admin.services.plugins import plugin_states
from core.admin.views.blueprint import bp
from core.db import db
from core.events import Event
from core.permissions import me, requires
from core.plugin_manager import plugin_names
from core.users.models import User
from core.visibility import visible_events, visible_to

_HISTORY = ("user/", "team/", "role/", "setting/", "delivery/", "job/")


@bp.get("")
@requires(SYSTEM)
def index() -> Any:
    """What needs attention, who changed what, and the parts of administration."""
    app: Any = current_app
    behind = [one.name for one in migrate.status(app) if one.current != one.head]
    unwell = [one for one in plugin_states(app) if one.on and not one.well]
    counted = visible_to(me(), User).with_only_columns(sa.func.count())
    hour = first_hour.progress()
    return render_template(
        "core/admin/index.html",
        concerns=concerns(app.config, behind),
        unwell=unwell,
        users=db.session.scalar(counted.where(User.active)),
        plugins=len(plugin_names(app)),
        hour=hour,
        begins=hour.open and (hour.begun or first_hour.house_is_empty()),
        changes=_changes(),
    )


def _changes(most: int = 12) -> list[dict[str, Any]]:
    """Give the last changes of accounts, teams, roles and settings, with who did them.

    The names are read now; an account or role that is gone is named by its kind.
    """
    about = sa.or_(*(Event.subject.startswith(one) for one in _HISTORY))
    query = visible_events(me()).where(about).order_by(Event.id.desc()).limit(most)
    events = db.session.scalars(query).all()
    actors = {one.actor_id for one in events if one.actor_id}
    ids = {int(s) for e in events if (s := _user_id(e.subject))} | actors
    rows = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    return [
        {
            "event": one,
            "kind": one.subject.partition("/")[0],
            "what": names.get(int(_user_id(one.subject) or 0))
            or one.subject.partition("/")[2],
            "who": names.get(one.actor_id or 0, ""),
            "fields": ", ".join(one.data.get("fields", [])).replace("_", " "),
            "verb": one.type.rpartition(".")[2],
        }
        for one in events
    ]


def _user_id(subject: str) -> str:
    kind, _slash, number = subject.partition("/")
    return number if kind == "user" and number.isdigit() else ""
