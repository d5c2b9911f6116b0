"""/admin/first-hour: from an empty house to its first customer, step by step."""

from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, render_template, request, url_for

from core import settings
from core.admin.forms import ColleaguesForm
from core.admin.permissions import SETTINGS, USERS
from core.admin.services import first_hour
from core.admin.services.colleagues import add_colleagues
from core.admin.services.first_hour import DONE, SKIPPED, STEPS
from core.admin.services.logo import keep_logo
from core.admin.services.setting_forms import base_of, read_form, shown_settings
from core.admin.views.blueprint import bp
from core.admin.views.house import uploaded_logo
from core.contacts.models import Contact
from core.contacts.permissions import READ
from core.db import db
from core.errors import CRMError, Forbidden, Invalid, NotFound
from core.i18n import _, ngettext
from core.mail.setup import mail_setup
from core.mail.trying import send_test_mail
from core.pages import DayItem, on_refusal
from core.permissions import can, me, requires
from core.problems import flatten
from core.users.models import Role, User
from core.visibility import visible_to

# Which settings of the house a step asks for.
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "logo": ("brand",),
    "language": ("language", "timezone"),
    "currency": ("currency",),
    "hours": ("open_days", "opens", "closes"),
}


@bp.get("/first-hour")
@requires(SETTINGS)
def first_hour_page() -> Any:
    """Go on where it was left; when all is behind us, to the first customer."""
    following = first_hour.progress().next
    if following is None:
        return render_template(
            "core/admin/first_hour_done.html",
            hour=first_hour.progress(),
            here=_contacts(),
        )
    return redirect(url_for("admin.first_hour_step", step=following.name))


def _draw(
    error: CRMError | None = None, *, step: str = "mailbox", **_more: object
) -> Any:
    if step not in STEPS:
        raise NotFound
    shown = shown_settings("house", FIELDS[step]) if step in FIELDS else []
    views = current_app.view_functions
    importing = next(
        (e for e in ("imports.index", "importing.index") if e in views), ""
    )
    return render_template(
        "core/admin/first_hour.html",
        step=step,
        title=STEPS[step],
        hour=first_hour.progress(),
        number=list(STEPS).index(step) + 1,
        shown=shown,
        base=base_of(shown),
        typed=request.form if error else None,
        errors=flatten(error.errors) if error and error.errors else {},
        logo=settings.get("house")["logo"],
        roles=_roles() if step == "colleagues" else [],
        colleagues=_colleagues() if step == "colleagues" else [],
        import_url=url_for(importing) if importing else "",
        here=_contacts() if step == "import" else 0,
        mail=mail_setup(),
        invites=mail_setup().lacks_for_links() is None,
    )


def _roles() -> list[tuple[str, str]]:
    names = db.session.scalars(sa.select(Role.name).order_by(Role.name))
    return [(one, one) for one in names if one not in {"customer", "vendor"}]


def _colleagues() -> list[User]:
    query = sa.select(User).where(User.kind == "staff", User.id != me().id)
    return list(db.session.scalars(query.order_by(User.name).limit(50)))


def _contacts() -> int:
    """Count the contacts the reader finds here."""
    if not can(READ):
        return 0
    query: sa.Select[Any] = visible_to(me(), Contact)
    return db.session.scalar(query.with_only_columns(sa.func.count(Contact.id))) or 0


@bp.get("/first-hour/<step>")
@requires(SETTINGS)
def first_hour_step(step: str) -> Any:
    """One step; each can be left out and come back to."""
    return _draw(step=step)


@bp.post("/first-hour/<step>")
@requires(SETTINGS)
@on_refusal(_draw)
def save_first_hour_step(step: str) -> Any:
    """Save a step, or leave it out, and go on to the next."""
    if step not in STEPS:
        raise NotFound
    if "skip" in request.form:
        first_hour.mark_step(step, SKIPPED, by=me())
        return _onward(step)
    if step in FIELDS:
        _save_fields(step)
    if step == "colleagues":
        _save_colleagues()
        if "more" in request.form:
            first_hour.mark_step(step, DONE, by=me())
            return redirect(url_for("admin.first_hour_step", step=step), 303)
    first_hour.mark_step(step, DONE, by=me())
    return _onward(step)


def _onward(step: str) -> Any:
    """Go to the next open step after this one, else to the first that is open."""
    hour = first_hour.progress()
    names = list(STEPS)
    later = names[names.index(step) + 1 :]
    open_ = [one.name for one in hour.steps if not one.state]
    following = next((one for one in later if one in open_), None) or next(
        iter(open_), None
    )
    if following is None:
        return redirect(url_for("admin.first_hour_page"), 303)
    return redirect(url_for("admin.first_hour_step", step=following), 303)


def _save_fields(step: str) -> None:
    before = dict(settings.get("house"))
    changed = read_form("house", shown_settings("house", FIELDS[step]), request.form)
    if changed:
        settings.save("house", changed)
    for name in ("language", "timezone"):
        # Whoever builds the house lives in it: their account was made before there was
        # anything to choose. What they chose for themselves since stays.
        if name in changed and getattr(me(), name) == before[name]:
            setattr(me(), name, changed[name])
    if step == "logo":
        content = uploaded_logo()
        if content:
            keep_logo(content)


def _save_colleagues() -> None:
    if not can(USERS):
        raise Forbidden
    if not request.form.get("people", "").strip():
        said = _("Write at least one colleague, or skip this step.")
        raise Invalid(errors={"people": [said]})
    form = ColleaguesForm().load(request.form.to_dict())
    added = add_colleagues(me(), form["people"], form["role"], form["password"])
    if form["password"]:
        said = ngettext(
            "%(num)d colleague may sign in now.",
            "%(num)d colleagues may sign in now.",
            len(added),
        )
    else:
        said = ngettext(
            "%(num)d invitation is on its way.",
            "%(num)d invitations are on their way.",
            len(added),
        )
    flash(said, "ok")


@bp.post("/first-hour/mailbox/test")
@requires(SETTINGS)
@on_refusal(_draw)
def send_first_mail() -> Any:
    """Send a test mail to whoever asks, and show what the mail server says."""
    address = me().email
    # Talking takes seconds: until it is over, others get the database.
    db.session.rollback()
    failed = send_test_mail(address, mail_setup())
    if failed is not None:
        raise Invalid(errors={"_schema": [failed]})
    taken = _("The mail server has taken it. Look into %(address)s.", address=address)
    flash(taken, "ok")
    return redirect(url_for("admin.first_hour_step", step="mailbox"), 303)


@bp.post("/first-hour")
@requires(SETTINGS)
def put_first_hour_aside() -> Any:
    """Take the first hour off "my day", or put it back."""
    if "again" in request.form:
        first_hour.take_up_again()
        return redirect(url_for("admin.first_hour_page"), 303)
    first_hour.dismiss(by=me())
    flash(_("You find it again in the administration."), "ok")
    return redirect(url_for("core.home"), 303)


def landing() -> str | None:
    """Lead the first administrator of an empty house into the first hour."""
    if not can(SETTINGS) or first_hour.progress().begun:
        return None
    return url_for("admin.first_hour_page") if first_hour.house_is_empty() else None


def _house_is_empty() -> bool:
    # Once there is somebody it need not be asked again in this process.
    if current_app.extensions.get("rapport_house_filled"):
        return False
    empty: bool = first_hour.house_is_empty()
    current_app.extensions["rapport_house_filled"] = not empty
    return empty


def day_block() -> list[DayItem]:
    """Remind those who look after the house, until it is done or put aside."""
    if not can(SETTINGS):
        return []
    hour = first_hour.progress()
    if not hour.open or not (hour.begun or _house_is_empty()):
        return []
    return [
        DayItem(
            "admin.first_hour",
            _("The first hour"),
            "core/admin/day.html",
            {"hour": hour},
            SETTINGS,
            weight=5,
        )
    ]
