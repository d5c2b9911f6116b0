"""The pages of merging: choosing whom, side by side, and parting again."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug import Response

from core.columns import id_in
from core.contacts import lists, permissions
from core.contacts.merging import comparing, fields, services
from core.contacts.merging.fields import BOTH, GONE, KEPT, OTHER, Choice
from core.contacts.merging.models import Merge
from core.contacts.merging.parting import part
from core.contacts.merging.readers import marks_of, new_readers
from core.contacts.models import Contact
from core.contacts.views import ROLE_TITLES
from core.db import db
from core.errors import Conflict, CRMError, Invalid, NotFound
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, requires
from core.undo.offers import offer_undo

bp = Blueprint("merging", __name__)

OFFERED = 20


def _go(contact: Contact) -> Response:
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)


# -- Whom --------------------------------------------------------------------------


def _draw_choosing(contact: Contact, message: str = "") -> Any:
    q = request.values.get("q", "").strip()[:100].replace("\x00", "")
    # Who was typed twice has the same name, or one that begins alike.
    tried = [q] if q else [contact.name, contact.name.split()[0]]
    found: list[Contact] = []
    for text in tried:
        wanted = lists.Wanted(q=text, kind=contact.kind)
        found = found or comparing.found_like(contact, me(), wanted, OFFERED)
    return render_template(
        "core/contacts/merge_with.html",
        contact=contact,
        q=q,
        found=found,
        message=message,
    )


# -- Side by side ------------------------------------------------------------------


def _other() -> int | None:
    return request.values.get("other", type=int)


def _draw(error: CRMError | None = None, *, contact_id: int) -> Any:
    contact = lists.load_contact(me(), contact_id, trashed=True)
    if contact.trashed_at is not None:
        # Pressed twice, or put away meanwhile: there is no form to come back to.
        if error is not None:
            raise error
        return _go(contact)
    other_id = _other()
    if other_id is None:
        return _draw_choosing(contact, str(error.message) if error else "")
    other = lists.load_contact(me(), other_id, trashed=True)
    try:
        services.check_mergeable(contact, other)
    except (Invalid, Conflict) as refused:
        said = str(refused.message)
        return _draw_choosing(contact, said), refused.status
    return _draw_both(contact, other, error)


def _draw_both(one: Contact, other: Contact, error: CRMError | None) -> Any:
    keeps, sides = _kept_first(one, other)
    choice = _choice(keeps)
    rows = fields.rows_of(*keeps)
    lists_ = fields.united(one, other)
    try:
        changed = fields.outcome(*keeps, choice)
    except Invalid:
        changed = {}
    readers = new_readers(*keeps, changed, me())
    meanwhile = comparing.Meanwhile([], frozenset())
    if isinstance(error, Conflict):
        seen = request.form.get("seen", 0, type=int)
        meanwhile = comparing.changed_since((one, other), _versions(), seen, me())
    return render_template(
        "core/contacts/merge.html",
        both=(one, other),
        kept=keeps[0],
        sides=sides,
        rows=[row for row in rows if row.differs],
        agreeing=[row for row in rows if not row.differs],
        says={
            row.name: [comparing.words_of(row, c, me()) for c in (one, other)]
            for row in rows
        },
        taken={row.name: choice.sides.get(row.name, row.side) for row in rows},
        other_name=choice.name,
        several=[each for each in lists_ if each.differs],
        same=[each for each in lists_ if not each.differs],
        left_out=choice.left_out,
        role_titles=ROLE_TITLES,
        coming=[comparing.belonging_to(each, me()) for each in (one, other)],
        readers=readers,
        marks=" ".join(sorted(marks_of(readers))),
        error=error,
        errors=error.errors if error else {},
        meanwhile=meanwhile,
        seen=comparing.last_event_of((one, other)),
    )


def _kept_first(
    one: Contact, other: Contact
) -> tuple[tuple[Contact, Contact], dict[int, str]]:
    """Order the two by which is kept, and say of each which side it is."""
    keeps = (
        (other, one) if request.values.get("keep") == str(other.id) else (one, other)
    )
    return keeps, {keeps[0].id: KEPT, keeps[1].id: GONE}


def _choice(keeps: tuple[Contact, Contact]) -> Choice:
    """Read what was chosen; the form names contacts, for their places may change."""
    ids = {str(keeps[0].id): KEPT, str(keeps[1].id): GONE, BOTH: BOTH, OTHER: OTHER}
    sides = {
        name.removeprefix("take."): ids.get(value, value)
        for name, value in request.form.items()
        if name.startswith("take.")
    }
    left_out = {}
    for name in fields.SEVERAL:
        shown = set(request.form.getlist(f"shown.{name}"))
        ticked = set(request.form.getlist(f"list.{name}"))
        left_out[name] = frozenset(shown - ticked)
    return Choice(sides, request.form.get("other_name", ""), left_out)


def _versions() -> dict[int, int]:
    found = {}
    for text in request.form.getlist("version"):
        contact_id, _colon, version = text.partition(":")
        of, known = id_in(contact_id), id_in(version)
        if of is not None and known is not None:
            found[of] = known
    return found


@bp.get("/contacts/<int:contact_id>/merge")
@requires(permissions.WRITE)
def look(contact_id: int) -> Any:
    """Look for the other one; with it, show the two side by side."""
    return _draw(contact_id=contact_id)


@bp.post("/contacts/<int:contact_id>/merge")
@requires(permissions.WRITE)
@on_refusal(_draw)
def save(contact_id: int) -> Any:
    """Merge the two."""
    one = lists.load_contact(me(), contact_id, trashed=True)
    other_id = _other()
    if other_id is None:
        raise Invalid(_("Choose the other one."))
    other = lists.load_contact(me(), other_id, trashed=True)
    (kept, gone), _sides = _kept_first(one, other)
    accepted = request.form.get("marks", "").split() if "yes" in request.form else []
    made = services.merge(
        kept,
        gone,
        actor=me(),
        choice=_choice((kept, gone)),
        accepted=accepted,
        versions=_versions(),
    )
    said = _(
        "%(gone)s and %(kept)s are one contact now.",
        gone=made.gone.name,
        kept=made.kept.name,
    )
    offer_undo(made.kept, said)
    return _go(made.kept)


# -- Parting again -----------------------------------------------------------------


@bp.get("/contacts/<int:contact_id>/merged")
@requires(permissions.WRITE)
def merged(contact_id: int) -> Any:
    """List what went into a contact, each with its way back."""
    contact = lists.load_contact(me(), contact_id)
    return render_template(
        "core/contacts/merged.html",
        contact=contact,
        merges=services.merges_into(contact, me()),
    )


@bp.post("/contacts/<int:contact_id>/merged/<int:merge_id>/part")
@requires(permissions.WRITE)
def part_again(contact_id: int, merge_id: int) -> Any:
    """Make two of them again."""
    contact = lists.load_contact(me(), contact_id)
    found = db.session.get(Merge, merge_id) if merge_id < 2**31 else None
    if found is None or found.kept_id != contact.id:
        raise NotFound
    gone = lists.load_contact(me(), found.gone_id, trashed=True)
    part(found)
    said = _(
        "%(kept)s and %(gone)s are two contacts again.",
        kept=found.kept.name,
        gone=gone.name,
    )
    flash(said, "ok")
    return _go(gone)
