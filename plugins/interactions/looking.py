"""Looking at a story: how far one has read, and what changed meanwhile."""

from typing import Any

from flask import redirect, render_template, request

from core.contacts.history import changes
from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.errors import Forbidden
from core.interactions.permissions import READ
from core.permissions import can, me, requires
from core.records import record_type_of
from core.visibility import get_visible
from plugins.interactions.schemas import FilterForm, SeenForm, sent
from plugins.interactions.seen import Looked, mark_seen
from plugins.interactions.views import bp as bp

# How many changes one line opens.
MOST_CHANGES = 20


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id, trashed=True)


@bp.post("/interactions/timeline/<int:contact_id>/seen")
@requires(READ)
def see(contact_id: int) -> Any:
    """Remember how far the reader of a story has read."""
    contact = _contact(contact_id)
    form = SeenForm().load(sent(request.form))
    mark_seen(me(), contact, form["upto"])
    if request.headers.get("HX-Request"):
        return "", 204
    kind = record_type_of(contact)
    return redirect((kind and kind.url(contact, me())) or "/", 303)


@bp.get("/interactions/timeline/<int:contact_id>/changed")
@requires(READ)
def changed(contact_id: int) -> Any:
    """Show what others changed of a contact since the reader last looked."""
    contact = _contact(contact_id)
    mark = FilterForm(only=["new"]).load(sent(request.args))["new"]
    since = Looked.read(mark).at if mark else contact.created_at
    found, _older = changes(contact, me(), limit=MOST_CHANGES, news_since=since)
    fields = dict.fromkeys(title for one in found for title, *_ in one.fields)
    whole = not request.headers.get("HX-Request")
    return render_template(
        "interactions/changed_page.html" if whole else "interactions/changed.html",
        contact=contact,
        changed=found,
        fields=list(fields) or [found[0].what] if found else [],
        since=since,
    )
