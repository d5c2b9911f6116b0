"""Who reads a document: choosing, seeing who that is by name, and saying yes to it."""

import hashlib
import json
from typing import Any

from flask import flash, render_template, request
from marshmallow import ValidationError

from core.audiences import AudienceSpec
from core.contacts.lists import colleagues
from core.contacts.models import Contact
from core.errors import Conflict, CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.permissions import can, me, requires
from core.readers import Readers, readers_of, words_for
from core.visibility import get_visible
from plugins.documents import finding, services
from plugins.documents.choosing import (
    chosen_audience,
    outside_word,
    spec_as_typed,
    team_names,
)
from plugins.documents.form_views import check_unchanged, typed_choice
from plugins.documents.models import Document
from plugins.documents.permissions import SHARE, WRITE
from plugins.documents.schemas import Choice
from plugins.documents.views import bp as bp
from plugins.documents.views import go


def _draw_share(error: CRMError | None = None, *, document_id: int) -> Any:
    document = finding.load_document(me(), document_id)
    values = typed_choice()
    if not values["audience"]:
        values = spec_as_typed(document.audience.spec)
    outside = finding.outside_readers(me(), document.contact) if can(SHARE) else []
    return render_template(
        "documents/share.html",
        document=document,
        values=values,
        errors=error.errors if error else {},
        conflict=isinstance(error, Conflict),
        teams=[(name, name) for name in team_names()],
        colleagues=[one for one in colleagues() if one[0] != me().id],
        outside=outside,
        outside_word=outside_word(document.contact),
    )


@bp.get("/documents/<int:document_id>/share")
@requires(WRITE)
def share(document_id: int) -> Any:
    """Show the form that says who reads a document."""
    return _draw_share(document_id=document_id)


@bp.post("/documents/<int:document_id>/share")
@requires(WRITE)
@on_refusal(_draw_share)
def save_share(document_id: int) -> Any:
    """Let others read a document, after the page in between said who they are.

    It is asked again when somebody was added since that page was drawn.
    """
    document = finding.load_document(me(), document_id)
    check_unchanged(document)
    spec = chosen_audience(Choice().load(request.form), document.contact)
    if spec is None:
        raise Invalid(errors={"audience": [_("Choose who reads it.")]})
    effect = services.effect_of(document, spec)
    leaves_portal = effect.closes and document.audience.kind == "shared"
    if effect.opens or leaves_portal:
        readers = readers_of(spec)
        seen = _digest(readers)
        if request.form.get("seen") != seen:
            return _draw_confirm(document, spec, readers, seen, effect)
    services.change_audience(document, spec, actor=me())
    flash(_("Saved."), "ok")
    return go(document)


def _digest(readers: Readers) -> str:
    """Name a list of readers, so that a yes is a yes to exactly these."""
    listed = [readers.inside, [one.id for one in readers.outside], readers.silent]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _draw_confirm(
    document: Document,
    spec: AudienceSpec,
    readers: Readers,
    seen: str,
    effect: services.Effect,
) -> Any:
    before = readers_of(document.audience.spec)
    known = {one.id for one in before.outside}
    return render_template(
        "documents/confirm.html",
        document=document,
        values=spec_as_typed(spec),
        seen=seen,
        again=bool(request.form.get("seen")),
        effect=effect,
        readers=readers,
        sentence=words_for(readers),
        new_inside=[one for one in readers.inside if one not in before.inside],
        new_outside=[one for one in readers.outside if one.id not in known],
        opened=finding.opened_by(document) if effect.closes else [],
        goes_outside=spec.kind == "shared" and effect.opens,
    )


@bp.get("/documents/who")
@requires(WRITE)
def who() -> Any:
    """Say who would read it, for the choice in the address: a part of the form."""
    contact_id = request.args.get("contact", type=int)
    contact = get_visible(me(), Contact, contact_id) if contact_id else None
    try:
        spec = chosen_audience(Choice().load(request.args), contact)
    except (Invalid, ValidationError):
        # The choice is not complete yet; saving says what is missing.
        spec = None
    if spec is None:
        return ""
    readers = readers_of(spec)
    return render_template(
        "documents/who.html", readers=readers, sentence=words_for(readers)
    )
