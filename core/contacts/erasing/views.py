"""The page on which somebody's data is erased for good."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request

from core.contacts.erasing import services
from core.contacts.erasing.plan import plan_for
from core.contacts.lists import load_contact
from core.contacts.permissions import ERASE
from core.errors import CRMError
from core.i18n import _
from core.links import url_for
from core.pages import on_refusal
from core.permissions import me, requires

bp = Blueprint("erasing", __name__)


def _draw(error: CRMError | None = None, *, contact_id: int) -> Any:
    contact = load_contact(me(), contact_id, trashed=True)
    if contact.erased_at is not None:
        return redirect(url_for("contacts.show", contact_id=contact.id), 303)
    return render_template(
        "core/contacts/erase.html",
        contact=contact,
        plan=plan_for(contact, me()),
        form=request.form,
        errors=error.errors if error else {},
        message=error.message if error and not error.errors else "",
    )


@bp.get("/contacts/<int:contact_id>/erase")
@requires(ERASE)
def ask(contact_id: int) -> Any:
    """Say what erasing would take away and what stays, and ask for the name."""
    return _draw(contact_id=contact_id)


@bp.post("/contacts/<int:contact_id>/erase")
@requires(ERASE)
@on_refusal(_draw)
def erase(contact_id: int) -> Any:
    """Erase a person's data for good."""
    contact = load_contact(me(), contact_id, trashed=True)
    services.erase_contact(
        contact,
        reason=request.form.get("reason", ""),
        confirm=request.form.get("confirm", ""),
        with_others=request.form.get("entries") == "all",
        by=me(),
    )
    flash(_("The data is erased for good."), "ok")
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)
