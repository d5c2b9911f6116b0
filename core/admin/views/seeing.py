"""/admin/why: why a user sees a record, or does not."""

from typing import Any

import sqlalchemy as sa
from flask import render_template, request

from core.admin.forms import WhyForm
from core.admin.permissions import USERS
from core.admin.services.seeing import explain, find_record
from core.admin.views.blueprint import bp
from core.db import db
from core.errors import Invalid
from core.permissions import me, requires
from core.problems import flatten
from core.users.models import User
from core.visibility import get_visible, visible_to


@bp.get("/why")
@requires(USERS)
def why() -> Any:
    """Ask about a user and a record; the answer names the rule that decides."""
    asked = "record" in request.args
    errors: dict[str, Any] = {}
    found = None
    user = None
    if asked:
        errors = flatten(messages) if (messages := _wrong()) else {}
    if asked and not errors:
        form = WhyForm().load(request.args.to_dict())
        try:
            user = get_visible(me(), User, form["user"])
            kind, record = find_record(form["record"], me())
            found = explain(user, kind, record, viewer=me())
        except Invalid as refused:
            errors = refused.errors
    return render_template(
        "core/admin/why.html",
        people=_people(),
        chosen=request.args.get("user", ""),
        record=request.args.get("record", ""),
        user=user,
        found=found,
        errors=errors,
    )


def _wrong() -> Any:
    return WhyForm().validate(request.args.to_dict())


def _people() -> list[tuple[int, str]]:
    query = visible_to(me(), User).with_only_columns(User.id, User.name, User.email)
    rows = db.session.execute(query.order_by(sa.func.lower(User.name)).limit(2000))
    return [(row.id, f"{row.name} · {row.email}") for row in rows]
