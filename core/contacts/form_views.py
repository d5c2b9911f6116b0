"""The forms of contacts: adding, changing, joining, putting away and bringing back."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug import Response

from core.contacts import forms, lists, permissions, services
from core.contacts.affiliations import affiliate, end_affiliation, seen_by
from core.contacts.cleaning import Refused, text_of
from core.contacts.history import last_author
from core.contacts.models import Affiliation, Contact
from core.contacts.rail import tags_like
from core.contacts.views import ROLE_TITLES, bp
from core.db import db
from core.errors import Conflict, CRMError, Invalid, NotFound
from core.i18n import LANGUAGES, _
from core.pages import on_refusal
from core.permissions import me, requires
from core.undo.offers import offer_undo
from core.visibility import get_visible

__all__ = ["bp"]

# Organisations offered when somebody looks for one to join.
OFFERED = 20


def _go(contact: Contact, **asked: Any) -> Response:
    return redirect(url_for("contacts.show", contact_id=contact.id, **asked), 303)


# -- Adding ------------------------------------------------------------------------


def _kind() -> str:
    kind = request.values.get("kind", "")
    return kind if kind in services.KINDS else "person"


def _firm() -> Contact | None:
    """Give the organisation the new person is added to, if any."""
    organisation = request.values.get("organisation", type=int)
    if organisation is None or _kind() != "person":
        return None
    return get_visible(me(), Contact, organisation)


def _draw_new(error: CRMError | None = None) -> Any:
    kind = _kind()
    values = forms.typed(request.form, kind)
    if error is None:
        values |= {"owner": str(me().id)} | _begun_with()
    return render_template(
        "core/contacts/form.html",
        contact=None,
        kind=kind,
        values=values,
        errors=error.errors if error else {},
        firm=_firm(),
        firm_role=request.form.get("role", ""),
        begun=_begun(),
        **_choices(),
    )


def _begun_with() -> forms.Values:
    """Give the form what the address says of somebody, such as the number that rang."""
    given = {name: request.args.get(name, "") for name in ("name", "phone", "email")}
    return {
        "name": given["name"],
        "phones": [{"number": given["phone"]}] if given["phone"] else [],
        "emails": [{"address": given["email"]}] if given["email"] else [],
    }


def _choices() -> dict[str, Any]:
    return {
        "titles": forms.TITLES,
        "role_titles": ROLE_TITLES,
        "owners": lists.colleagues(),
        "languages_offered": LANGUAGES,
        "tags_in_use": tags_like(me(), most=200),
    }


@bp.get("/contacts/new")
@requires(permissions.WRITE)
def new() -> Any:
    """Show the form for a new person or organisation."""
    return _draw_new()


@bp.post("/contacts/new")
@requires(permissions.WRITE)
@on_refusal(_draw_new)
def create() -> Any:
    """Add a person or an organisation."""
    kind, firm = _kind(), _firm()
    values = forms.typed(request.form, kind) | {"kind": kind}
    contact = services.create_contact(values, actor=me())
    if firm is not None:
        affiliate(contact, organisation=firm, role=_role())
    flash(_("%(name)s was added.", name=contact.name), "ok")
    return _go(contact, **_begun())


def _begun() -> dict[str, str]:
    """Give what was begun before the person was known, such as a call, and when."""
    begin, since = request.values.get("begin", ""), request.values.get("since", "")
    return {"kind": begin, "since": since} if begin and since else {}


def _role() -> str:
    try:
        return text_of(request.form.get("role"), 100)
    except Refused as refused:
        raise Invalid(errors={"role": [str(refused)]}) from refused


# -- Changing ----------------------------------------------------------------------


def _draw_edit(error: CRMError | None = None, *, contact_id: int) -> Any:
    """Draw the form: as it stands, or with what was typed and what others saved."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    values = forms.shown(contact)
    joined = forms.Joined(values, [], [])
    if error is not None:
        joined = forms.join_form(request.form, contact)
    conflict = isinstance(error, Conflict)
    return render_template(
        "core/contacts/form.html",
        contact=contact,
        kind=contact.kind,
        values=joined.values,
        errors=error.errors if error else {},
        message=error.message if conflict and error and not joined.differing else "",
        base=forms.dump_base(values),
        differing=joined.differing if conflict else [],
        theirs=_titles(joined.theirs) if conflict else "",
        current=values,
        who=last_author(contact, me()) if conflict else "",
        **_choices(),
    )


def _titles(fields: list[str]) -> str:
    return ", ".join(str(forms.TITLES[one]) for one in fields)


@bp.get("/contacts/<int:contact_id>/edit")
@requires(permissions.WRITE)
def edit(contact_id: int) -> Any:
    """Show the form of a contact."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    if contact.trashed_at is not None:
        return _go(contact)
    return _draw_edit(contact_id=contact_id)


@bp.post("/contacts/<int:contact_id>/edit")
@requires(permissions.WRITE)
@on_refusal(_draw_edit)
def save(contact_id: int) -> Any:
    """Save the form, joined with what somebody else may have saved meanwhile."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    if contact.trashed_at is not None:
        said = _("This contact is in the trash now. Bring it back, then save again.")
        raise Conflict(said)
    joined = forms.join_form(request.form, contact)
    if joined.differing:
        raise Conflict
    services.change_contact(contact, forms.changed(joined.values, contact), actor=me())
    offer_undo(contact, _("Saved."))
    if joined.theirs:
        fields = _titles(joined.theirs)
        flash(_("Also changed by somebody else meanwhile: %(fields)s", fields=fields))
    return _go(contact)


# -- The trash ---------------------------------------------------------------------


@bp.post("/contacts/<int:contact_id>/trash")
@requires(permissions.WRITE)
def trash(contact_id: int) -> Any:
    """Put a contact in the trash; it can be brought back."""
    contact = lists.load_contact(me(), contact_id)
    services.trash_contact(contact)
    offer_undo(contact, _("%(name)s is in the trash.", name=contact.name))
    return redirect(url_for("contacts.index"), 303)


@bp.post("/contacts/<int:contact_id>/restore")
@requires(permissions.WRITE)
def restore(contact_id: int) -> Any:
    """Bring a contact back from the trash."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    services.restore_contact(contact)
    offer_undo(contact, _("%(name)s is back.", name=contact.name))
    return _go(contact)


# -- Belonging together ------------------------------------------------------------


def _draw_join(error: CRMError | None = None, *, contact_id: int) -> Any:
    contact = lists.load_contact(me(), contact_id)
    q = request.values.get("q", "").strip()[:100].replace("\x00", "")
    found: list[Contact] = []
    if q:
        wanted = lists.Wanted(q=q, kind="organisation")
        query = lists.contact_list(me(), wanted).where(Contact.id != contact.id)
        ordered = query.order_by(Contact.sort_name, Contact.id).limit(OFFERED)
        found = list(db.session.scalars(ordered))
    said = (
        [one for messages in error.errors.values() for one in messages] if error else []
    )
    return render_template(
        "core/contacts/join.html",
        contact=contact,
        q=q,
        found=found,
        role=request.form.get("role", ""),
        error=" ".join(map(str, said)),
    )


@bp.get("/contacts/<int:contact_id>/join")
@requires(permissions.WRITE)
def join(contact_id: int) -> Any:
    """Look for the organisation a person works for, or one is part of."""
    return _draw_join(contact_id=contact_id)


@bp.post("/contacts/<int:contact_id>/join")
@requires(permissions.WRITE)
@on_refusal(_draw_join)
def take(contact_id: int) -> Any:
    """Let a person belong to an organisation, or make one part of another."""
    contact = lists.load_contact(me(), contact_id)
    chosen = request.form.get("organisation", type=int)
    if contact.kind == "organisation":
        services.change_contact(contact, {"parent": chosen}, actor=me())
    else:
        query = seen_by(me()).where(Contact.id == (chosen or 0))
        organisation = db.session.scalar(query)
        if organisation is None:
            raise NotFound
        affiliate(contact, organisation=organisation, role=_role())
    flash(_("Saved."), "ok")
    return _go(contact)


@bp.post("/contacts/<int:contact_id>/affiliations/<int:affiliation_id>/end")
@requires(permissions.WRITE)
def leave(contact_id: int, affiliation_id: int) -> Any:
    """Say that a person no longer belongs to an organisation."""
    contact = lists.load_contact(me(), contact_id)
    found = db.session.get(Affiliation, affiliation_id)
    if found is None or contact.id not in {found.person_id, found.organisation_id}:
        raise NotFound
    end_affiliation(found)
    offer_undo(found.person, _("%(name)s has left.", name=found.person.name))
    return _go(contact)
