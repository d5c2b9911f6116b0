"""/admin: what needs attention, and the way to every part."""

from collections.abc import Sequence
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
from core.event_visibility import visible_events
from core.events import Event
from core.i18n import lazy_gettext as _l
from core.permissions import me, requires
from core.plugin_manager import plugin_names
from core.records import parse_ref
from core.users.models import Role, Team, User
from core.visibility import visible_to

_HISTORY = ("user/", "team/", "role/", "setting/", "delivery/", "job/")
# What an event calls a field, as the forms call it; a setting keeps its own name.
_FIELDS = {
    "active": _l("Account"),
    "currency": _l("Currency"),
    "email": _l("E-mail"),
    "keys": _l("Keys"),
    "language": _l("Language"),
    "logo": _l("Logo"),
    "name": _l("Name"),
    "password": _l("Password"),
    "permissions": _l("Permissions"),
    "reach": _l("Sees"),
    "roles": _l("Roles"),
    "teams": _l("Teams"),
    "theme": _l("Look"),
    "timezone": _l("Time zone"),
}


@bp.get("")
@requires(SYSTEM)
def index() -> Any:
    """What needs attention, who changed what, and the parts of administration."""
    app: Any = current_app
    behind = [one.name for one in migrate.status(app) if one.current != one.head]
    unwell = [one for one in plugin_states(app) if one.on and not one.well]
    counted = visible_to(me(), User).with_only_columns(sa.func.count(User.id))
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
    names = _names(events)
    return [
        {
            "event": one,
            "kind": one.subject.partition("/")[0],
            "what": names.get(one.subject, one.subject.partition("/")[2]),
            "who": names.get(f"user/{one.actor_id}", ""),
            "fields": ", ".join(map(_titled, one.data.get("fields", []))),
            "verb": one.type.rpartition(".")[2],
        }
        for one in events
    ]


def _titled(field: str) -> str:
    return str(_FIELDS.get(field) or field.replace("_", " "))


def _names(events: Sequence[Event]) -> dict[str, str]:
    """Name the accounts, teams and roles that events are about, and who acted."""
    refs = {one.subject for one in events}
    refs |= {f"user/{one.actor_id}" for one in events if one.actor_id}
    found: dict[str, str] = {}
    for model in (User, Team, Role):
        kind = model.record_name()
        parsed = filter(None, map(parse_ref, refs))
        ids = [number for name, number in parsed if name == kind]
        query = sa.select(model.id, model.name).where(model.id.in_(ids))
        found |= {f"{kind}/{row.id}": row.name for row in db.session.execute(query)}
    return found
