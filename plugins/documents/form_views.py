"""The forms of documents: keeping files, the title, and the trash."""

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from core.contacts.lists import colleagues
from core.contacts.models import Contact
from core.errors import Conflict, CRMError, Invalid
from core.i18n import _, ngettext
from core.pages import flash_undo, on_refusal
from core.permissions import can, me, requires
from core.problems import for_program
from plugins.documents import finding, services
from plugins.documents.choosing import chosen_audience, outside_word, team_names
from plugins.documents.models import Document
from plugins.documents.permissions import SHARE, WRITE
from plugins.documents.schemas import Choice
from plugins.documents.views import bp as bp
from plugins.documents.views import contact_asked, go

# Files one form may bring at once.
MOST_FILES = 50

# -- Keeping files -----------------------------------------------------------------


def _draw_new(error: CRMError | None = None) -> Any:
    contact = contact_asked(request.values.get("contact", type=int))
    return render_template(
        "documents/new.html",
        contact=contact,
        errors=error.errors if error else {},
        title=request.form.get("title", ""),
        values=typed_choice(),
        teams=[(name, name) for name in team_names()],
        colleagues=[one for one in colleagues() if one[0] != me().id],
        outside=finding.outside_readers(me(), contact) if can(SHARE) else [],
        outside_word=outside_word(contact),
        max_upload=services.max_upload(),
    )


def typed_choice() -> dict[str, Any]:
    """Give who was chosen to read it, as the form shows it again."""
    lists = ("teams", "users", "shared_with")
    found: dict[str, Any] = {name: request.values.getlist(name) for name in lists}
    return found | {"audience": request.values.get("audience", "")}


@bp.get("/documents/new")
@requires(WRITE)
def new() -> Any:
    """Show the form that keeps files."""
    return _draw_new()


@bp.post("/documents")
@requires(WRITE)
@on_refusal(_draw_new)
def create() -> Any:
    """Keep the files of the form, each as a document of its own.

    Nothing goes outside in one step: what is meant for a customer is kept for
    colleagues, and the next page says who exactly will read it.
    """
    contact = contact_asked(request.form.get("contact", type=int))
    sent = Choice().load(request.form)
    asked = chosen_audience(sent, contact)
    shared = asked is not None and asked.kind == "shared"
    files = sent_files()
    kept = [
        services.upload_once(
            one.stream,
            filename=one.filename or "",
            author=me(),
            contact=contact,
            title=request.form.get("title", "") if len(files) == 1 else "",
            audience=None if shared else asked,
        )
        for one in files
    ]
    return _answer(kept, contact, sent if shared else None)


def sent_files(most: int = MOST_FILES) -> list[FileStorage]:
    """Give the files of the form; raises `Invalid` without one, or with too many."""
    files = [one for one in request.files.getlist("file") if one.filename]
    if not files:
        raise Invalid(errors={"file": [_("Choose a file.")]})
    if len(files) > most:
        said = ngettext(
            "Send one file here.", "Send at most %(num)d files at once.", most
        )
        raise Invalid(errors={"file": [said]})
    return files


def _answer(
    kept: list[tuple[Document, bool]],
    contact: Contact | None,
    shared: dict[str, Any] | None,
) -> Any:
    """Lead to what was kept; a script that sends files one by one gets its address."""
    first, is_new = kept[0]
    address = url_for("documents.show", document_id=first.id)
    if shared is not None:
        address = url_for("documents.share", document_id=first.id, **shared)
    if for_program():
        return jsonify(title=first.title, url=address, same=not is_new), 201
    for document, is_new in kept:
        said = (
            _("%(title)s was added.", title=document.title)
            if is_new
            else _("%(title)s is here already.", title=document.title)
        )
        flash(said, "ok")
    if len(kept) == 1:
        return redirect(address, 303)
    contact_id = contact.id if contact else None
    return redirect(url_for("documents.index", contact=contact_id), 303)


def _draw_new_version(error: CRMError | None = None, *, document_id: int) -> Any:
    return render_template(
        "documents/version.html",
        document=finding.load_document(me(), document_id),
        errors=error.errors if error else {},
        max_upload=services.max_upload(),
    )


@bp.get("/documents/<int:document_id>/versions")
@requires(WRITE)
def new_version(document_id: int) -> Any:
    """Show the form for a new version."""
    return _draw_new_version(document_id=document_id)


@bp.post("/documents/<int:document_id>/versions")
@requires(WRITE)
@on_refusal(_draw_new_version)
def add_version(document_id: int) -> Any:
    """Keep a file as the newest version; the older ones stay."""
    document = finding.load_document(me(), document_id)
    file = sent_files(1)[0]
    version = services.add_version(
        document, file.stream, filename=file.filename or "", actor=me()
    )
    if for_program():
        address = url_for("documents.show", document_id=document.id)
        return jsonify(title=document.title, url=address, same=False), 201
    flash(_("Version %(number)d was added.", number=version.number), "ok")
    return go(document)


# -- Title and trash ---------------------------------------------------------------


def check_unchanged(document: Document) -> None:
    """Refuse with `Conflict` a form that was drawn of an older state."""
    if request.form.get("version", str(document.version)) != str(document.version):
        raise Conflict


def _draw_edit(error: CRMError | None = None, *, document_id: int) -> Any:
    document = finding.load_document(me(), document_id)
    return render_template(
        "documents/edit.html",
        document=document,
        title=request.form.get("title", document.title),
        errors=error.errors if error else {},
        conflict=isinstance(error, Conflict),
    )


@bp.get("/documents/<int:document_id>/edit")
@requires(WRITE)
def edit(document_id: int) -> Any:
    """Show the form with the title."""
    return _draw_edit(document_id=document_id)


@bp.post("/documents/<int:document_id>/edit")
@requires(WRITE)
@on_refusal(_draw_edit)
def save(document_id: int) -> Any:
    """Save the title."""
    document = finding.load_document(me(), document_id)
    check_unchanged(document)
    services.rename_document(document, request.form.get("title", ""))
    flash(_("Saved."), "ok")
    return go(document)


@bp.post("/documents/<int:document_id>/trash")
@requires(WRITE)
def trash(document_id: int) -> Any:
    """Put a document into the trash; it can be brought back."""
    document = finding.load_document(me(), document_id)
    services.trash_document(document)
    undo = url_for("documents.restore", document_id=document.id)
    said = _("%(title)s is in the trash.", title=document.title)
    flash_undo(said, undo)
    return redirect(url_for("documents.index"), 303)


@bp.post("/documents/<int:document_id>/restore")
@requires(WRITE)
def restore(document_id: int) -> Any:
    """Bring a document back from the trash."""
    document = finding.load_document(me(), document_id, trashed=True)
    services.restore_document(document)
    flash(_("%(title)s is back.", title=document.title), "ok")
    return go(document)
