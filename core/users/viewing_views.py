"""Choosing as whom to look at the portal, and stopping."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from core.contacts.models import Contact
from core.i18n import _, in_language
from core.permissions import me, onlooker, open_to_onlookers, requires, signed_in
from core.users import viewing
from core.users.permissions import VIEW_AS
from core.visibility import get_visible

bp = Blueprint("viewing", __name__)


@bp.get("/contacts/<int:contact_id>/portal-users")
@requires(VIEW_AS)
def choose(contact_id: int) -> Any:
    """Who signs in to the portal for a contact, each with a button to look as them."""
    contact = get_visible(me(), Contact, contact_id)
    people = viewing.people_of(me(), contact)
    return render_template(
        "core/users/viewing.html",
        contact=contact,
        people=people,
        seen=viewing.last_seen(people),
    )


@bp.post("/view-as/<int:user_id>")
@requires(VIEW_AS)
def start(user_id: int) -> Any:
    """See what somebody outside sees, in this browser, for half an hour."""
    viewing.start(me(), user_id)
    return redirect(url_for("core.home"), 303)


@bp.post("/view-as/stop")
@signed_in
@open_to_onlookers
def stop() -> Any:
    """See one's own pages again; leads back to the contact."""
    colleague, seen = onlooker(), me()
    if colleague is None:
        return redirect(url_for("core.home"), 303)
    viewing.stop(colleague)
    with in_language(colleague.language):
        flash(_("You see your own pages again."), "ok")
    contact_id = seen.contact_id or seen.person_id
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)
