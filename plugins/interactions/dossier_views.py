"""The pages of the dossier: what to take along, and the files themselves."""

import json
import re
from typing import Any

from flask import Response, render_template, request

from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.errors import Forbidden
from core.interactions.permissions import READ
from core.permissions import can, me, requires
from core.visibility import get_visible
from plugins.interactions.dossier import Dossier, as_data, dossier_of
from plugins.interactions.dossier_pdf import to_pdf
from plugins.interactions.schemas import DossierForm, sent
from plugins.interactions.story import FILTERS, wanted_from
from plugins.interactions.views import bp as bp


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id, trashed=True)


def _dossier(contact_id: int) -> Dossier:
    contact = _contact(contact_id)
    form = DossierForm().load(sent(request.args))
    shared = form["audience"] == "shared"
    return dossier_of(contact, me(), wanted_from(form), shared=shared)


def _file(dossier: Dossier, content: bytes, media_type: str, ending: str) -> Response:
    name = re.sub(r"[^A-Za-z0-9]+", "-", dossier.contact.name).strip("-") or "contact"
    answer = Response(content, content_type=media_type)
    answer.headers.set(
        "Content-Disposition", "attachment", filename=f"{name[:60]}.{ending}"
    )
    return answer


@bp.get("/interactions/timeline/<int:contact_id>/dossier")
@requires(READ)
def dossier(contact_id: int) -> Any:
    """Offer the story of a contact to take along, and ask for whom it is."""
    filters = {one: request.args[one] for one in FILTERS if request.args.get(one)}
    return render_template(
        "interactions/dossier.html", contact=_contact(contact_id), filters=filters
    )


@bp.get("/interactions/timeline/<int:contact_id>.json")
@requires(READ)
def dossier_json(contact_id: int) -> Any:
    """Give the story of a contact for a program."""
    found = _dossier(contact_id)
    text = json.dumps(as_data(found), ensure_ascii=False, indent=2)
    return _file(found, text.encode(), "application/json", "json")


@bp.get("/interactions/timeline/<int:contact_id>.pdf")
@requires(READ)
def dossier_pdf(contact_id: int) -> Any:
    """Give the story of a contact on paper."""
    found = _dossier(contact_id)
    return _file(found, to_pdf(found), "application/pdf", "pdf")
