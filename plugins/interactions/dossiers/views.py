"""The pages of the dossier: what to take along, and the files themselves."""

import re
from typing import Any

from flask import Response, redirect, render_template, request, send_file
from werkzeug.datastructures import MultiDict

from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db, now
from core.errors import Conflict, Forbidden, NotFound
from core.files import file_store
from core.i18n import _
from core.interactions.permissions import READ
from core.links import url_for
from core.permissions import can, me, requires
from core.visibility import get_visible
from plugins.interactions.dossiers import making, story
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.dossiers.rechecking import still_theirs
from plugins.interactions.schemas import DossierForm, sent
from plugins.interactions.story import FILTERS, wanted_from
from plugins.interactions.views import bp as bp

TYPES = {"pdf": "application/pdf", "json": "application/json"}
_FORM = (*FILTERS, "audience")


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id, trashed=True)


def _answer(contact_id: int, ending: str) -> Any:
    """Give the file at once, or where there is too much, the ways to have it."""
    contact = _contact(contact_id)
    form = DossierForm().load(sent(request.args))
    shared = form["audience"] == "shared"
    found = story.dossier_of(contact, me(), wanted_from(form), shared=shared)
    if found.complete or "latest" in request.args:
        return _file(contact, making.as_file(found, ending), ending)
    return render_template(
        "interactions/dossier_long.html",
        contact=contact,
        kept=_kept(request.args),
        ending=ending,
        latest=len(found.lines),
        latest_url=f"{request.path}?{request.query_string.decode()}&latest=1",
    )


def _kept(values: Any) -> dict[str, str]:
    return {one: values[one] for one in _FORM if values.get(one)}


def _named(contact: Contact, ending: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", contact.name).strip("-") or "contact"
    return f"{name[:60]}.{ending}"


def _file(contact: Contact, content: bytes, ending: str) -> Response:
    answer = Response(content, content_type=TYPES[ending])
    name = _named(contact, ending)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
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
    return _answer(contact_id, "json")


@bp.get("/interactions/timeline/<int:contact_id>.pdf")
@requires(READ)
def dossier_pdf(contact_id: int) -> Any:
    """Give the story of a contact on paper."""
    return _answer(contact_id, "pdf")


# -- A long one --------------------------------------------------------------------


@bp.post("/interactions/timeline/<int:contact_id>/dossier")
@requires(READ)
def dossier_ask(contact_id: int) -> Any:
    """Have a long dossier made, and wait for it elsewhere."""
    contact = _contact(contact_id)
    kept = _kept(request.form)
    DossierForm().load(sent(MultiDict(kept)))
    ending = "json" if request.form.get("ending") == "json" else "pdf"
    made = making.ask_for(contact, me(), kept, ending)
    return redirect(url_for("interactions.dossier_kept", dossier_id=made), 303)


def _mine(dossier_id: int) -> KeptDossier:
    """Give one's own dossier, of a contact that one still sees."""
    small = 0 < dossier_id < 2**31
    found = db.session.get(KeptDossier, dossier_id) if small else None
    if found is None or found.user_id != me().id:
        raise NotFound
    if found.expires_at is not None and found.expires_at < now():
        raise NotFound(_("This dossier has expired. Have it made again."))
    _contact(found.contact_id)
    return found


@bp.get("/interactions/dossiers/<int:dossier_id>")
@requires(READ)
def dossier_kept(dossier_id: int) -> Any:
    """Show how far a dossier is, and where it is to be had."""
    part = "_part" if request.headers.get("HX-Request") else ""
    return render_template(
        f"interactions/dossier_kept{part}.html", made=_mine(dossier_id)
    )


@bp.get("/interactions/dossiers/<int:dossier_id>/file")
@requires(READ)
def dossier_file(dossier_id: int) -> Any:
    """Give a dossier that was made, if all of it is still for its reader."""
    made = _mine(dossier_id)
    if made.sha256 is None:
        raise Conflict(_("This dossier is not ready yet."))
    if not still_theirs(made, me()):
        said = _(
            "Something in it was changed, or is not for you any more. Make it anew."
        )
        raise Conflict(said)
    answer = send_file(
        file_store().path(made.sha256),
        mimetype=TYPES[made.ending],
        as_attachment=True,
        download_name=_named(made.contact, made.ending),
    )
    answer.cache_control.private = True
    answer.cache_control.no_store = True
    return answer
