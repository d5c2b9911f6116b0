"""What is done with the ticked contacts of the list, and with one pin."""

import io
from typing import Any

from flask import flash, redirect, request, send_file, url_for
from werkzeug import Response

from core.contacts import imports, lists, permissions, rail, services
from core.contacts.models import Contact
from core.contacts.step_views import bp
from core.db import db
from core.errors import Forbidden, Invalid
from core.exporting import export_rows
from core.exporting.writers import WRITERS
from core.i18n import _, ngettext
from core.pages import flash_undo
from core.permissions import me, requires
from core.users.desk import pin
from core.visibility import visible_to

__all__ = ["bp"]

# More than a page holds cannot be ticked.
MOST = 200


def _ticked() -> list[Contact]:
    """Give the contacts the form names, as far as one sees them."""
    ids = request.values.getlist("contact", type=int)[:MOST]
    query = visible_to(me(), Contact, trashed=True).where(Contact.id.in_(ids))
    return list(db.session.scalars(query.order_by(Contact.id)))


@bp.post("/contacts/selected")
@requires(permissions.WRITE)
def selected() -> Any:
    """Tag, give away, merge or put away the ticked contacts."""
    act, contacts = request.values.get("act", ""), _ticked()
    if not contacts:
        flash(_("Nothing was selected."), "ok")
    elif act == "tag":
        _tag(contacts)
    elif act == "owner":
        _give(contacts)
    elif act == "merge":
        if len(contacts) == 2:
            first, second = (one.id for one in contacts)
            address = url_for("merging.look", contact_id=first, other=second)
            return redirect(address, 303)
        flash(_("Select two contacts to merge them."), "error")
    elif act == "trash":
        _trash(contacts)
    elif act == "restore":
        contacts = [one for one in contacts if one.erased_at is None]
        for one in contacts:
            services.restore_contact(one)
        many = len(contacts)
        flash(ngettext("%(num)d contact is back.", "%(num)d contacts are back.", many))
    return _back()


# What a spreadsheet opens; the other formats are the command's.
_FILES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@bp.post("/contacts/export")
@requires(permissions.READ)
def export_selected() -> Response:
    """Give the ticked contacts as a file, as far as one sees them."""
    if me().kind != "staff":
        raise Forbidden
    form = request.form.get("form", "")
    if form not in _FILES:
        raise Invalid(_("Choose CSV or XLSX."))
    ids = set(request.form.getlist("contact", type=int))
    ids = {one for one in ids if 0 < one < 2**31}
    if len(ids) > MOST:
        raise Invalid(_("Export no more than %(most)s contacts at once.", most=MOST))
    rows = list(export_rows(imports.KIND, me(), among=ids))
    if not rows:
        flash(_("Nothing was selected."), "ok")
        return _back()
    out = io.BytesIO()
    WRITERS[form](imports.KIND, rows, out)
    out.seek(0)
    name = f"contacts.{form}"
    answer = send_file(out, _FILES[form], as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _back() -> Response:
    """Go back to the list as it was filtered."""
    query = request.form.get("here", "").lstrip("?")
    address = url_for("contacts.index")
    return redirect(f"{address}?{query}" if query else address, 303)


def _tag(contacts: list[Contact]) -> None:
    new = [one.strip() for one in request.form.get("tag", "").split(",") if one.strip()]
    if not new:
        flash(_("Write a tag first."), "error")
        return
    for one in contacts:
        missing = [tag for tag in new if tag not in one.tags]
        if missing:
            services.change_contact(one, {"tags": [*one.tags, *missing]}, actor=me())
    said = ngettext(
        "%(num)d contact tagged.", "%(num)d contacts tagged.", len(contacts)
    )
    flash(said, "ok")


def _give(contacts: list[Contact]) -> None:
    owner = request.form.get("owner", "")
    if owner and owner not in {str(id_) for id_, _name in lists.colleagues()}:
        raise Invalid(errors={"owner": [_("Choose a colleague.")]})
    for one in contacts:
        services.change_contact(one, {"owner": owner}, actor=me())
    said = ngettext(
        "%(num)d contact has another owner.",
        "%(num)d contacts have another owner.",
        len(contacts),
    )
    flash(said, "ok")


def _trash(contacts: list[Contact]) -> None:
    there = [one for one in contacts if one.trashed_at is None]
    for one in there:
        services.trash_contact(one)
    ids = [one.id for one in there]
    said = ngettext(
        "%(num)d contact is in the trash.",
        "%(num)d contacts are in the trash.",
        len(ids),
    )
    flash_undo(said, url_for("contacts.selected", act="restore", contact=ids))


@bp.post("/contacts/<int:contact_id>/pin")
@requires(permissions.READ)
def pin_contact(contact_id: int) -> Response:
    """Pin a contact to one's rail, or take the pin off."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    if pin(me(), contact.id, most=rail.SHOWN):
        flash(_("%(name)s is pinned.", name=contact.name), "ok")
    else:
        flash(_("%(name)s is not pinned any more.", name=contact.name), "ok")
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)
