"""Naming who stands in while one is away."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from marshmallow import fields

from core.db import db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.permissions import colleagues_only, me
from core.users import deputies
from core.users.models import User
from core.users.schemas import Form

bp = Blueprint("deputies", __name__)


class DeputyForm(Form):
    """Who stands in, from when until when."""

    deputy = fields.Integer(required=True)
    from_on = fields.Date(required=True)
    until_on = fields.Date(required=True)


def colleagues_of(user: User) -> list[tuple[int, str]]:
    """List the colleagues of `user` by id and name."""
    query = (
        sa.select(User.id, User.name)
        .where(User.kind == "staff", User.active, User.id != user.id)
        .order_by(User.name)
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def _draw(error: CRMError | None = None, **_arguments: object) -> Any:
    user = me()
    return render_template(
        "core/users/deputies.html",
        named=deputies.deputies_named_by(user),
        colleagues=colleagues_of(user),
        today=deputies.today_of(user),
        form=request.form,
        errors=error.errors if error else {},
    )


@bp.get("/me/deputies")
@colleagues_only
def index() -> Any:
    """Who stands in for me, and a form to name somebody."""
    return _draw()


@bp.post("/me/deputies")
@colleagues_only
@on_refusal(_draw)
def name() -> Any:
    """Name who stands in for me."""
    user = me()
    form = DeputyForm().load(request.form.to_dict())
    chosen = dict(colleagues_of(user)).get(form["deputy"])
    if chosen is None:
        raise Invalid(errors={"deputy": [_("Choose a colleague.")]})
    deputies.name_deputy(
        user,
        db.session.get_one(User, form["deputy"]),
        from_on=form["from_on"],
        until_on=form["until_on"],
    )
    flash(_("%(name)s stands in for you.", name=chosen), "ok")
    return redirect(url_for("deputies.index"), 303)


@bp.post("/me/deputies/<int:line_id>/end")
@colleagues_only
def end(line_id: int) -> Any:
    """Have somebody no longer stand in for me."""
    deputies.end_deputy(me(), line_id)
    flash(_("Nobody stands in for you on these days any more."), "ok")
    return redirect(url_for("deputies.index"), 303)
