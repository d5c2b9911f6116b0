"""The next step with a contact, done or put off from "my day" and its page."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import flask_babel
from flask import redirect, request, url_for

from core.contacts import steps
from core.contacts.form_views import bp as bp
from core.contacts.lists import load_contact
from core.contacts.models import Contact
from core.contacts.permissions import WRITE
from core.db import now
from core.errors import Invalid
from core.i18n import _
from core.permissions import me, requires
from core.undo.offers import offer_undo, undo_in_place


def today() -> date:
    """Give the reader's own day."""
    found: date = flask_babel.to_user_timezone(now()).date()
    return found


@bp.post("/contacts/<int:contact_id>/step/done")
@requires(WRITE)
def step_done(contact_id: int) -> Any:
    """Say that the next step is done."""
    contact = load_contact(me(), contact_id)
    steps.finish_step(contact)
    return _back(contact, _("Done: %(name)s.", name=contact.name))


@bp.post("/contacts/<int:contact_id>/step/later")
@requires(WRITE)
def step_later(contact_id: int) -> Any:
    """Put the next step off by some days."""
    contact = load_contact(me(), contact_id)
    days = request.form.get("days", type=int)
    if days is None or not 0 < days <= steps.MOST_DAYS:
        raise Invalid(errors={"days": [_("Choose a day from tomorrow on.")]})
    until = today() + timedelta(days=days)
    steps.snooze_step(contact, until=until, today=today())
    day = flask_babel.format_date(until, "medium", rebase=False)
    said = _("%(name)s: again on %(day)s.", name=contact.name, day=day)
    return _back(contact, said)


def _back(contact: Contact, said: str) -> Any:
    """Lead back to "my day", or to the contact when it was done there."""
    if request.headers.get("HX-Request"):
        return undo_in_place(contact, said)
    offer_undo(contact, said)
    page = url_for("contacts.show", contact_id=contact.id)
    came_from = urlsplit(request.referrer or "")
    on_page = came_from.netloc == request.host and came_from.path == page
    return redirect(page if on_page else url_for("core.home"), 303)
