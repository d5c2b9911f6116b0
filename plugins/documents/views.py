"""The pages of documents: the list, one document, and the forms that keep files."""

from typing import Any

from flask import (
    Blueprint,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug import Response

from core.contacts.models import Contact
from core.i18n import lazy_gettext as _l
from core.parts import hosted
from core.permissions import me, requires
from core.readers import describe
from core.schemas import keyset_page
from core.visibility import get_visible
from plugins.documents import finding, reading
from plugins.documents.downloads import send_version
from plugins.documents.models import Document
from plugins.documents.permissions import READ
from plugins.documents.words import STATES

bp = Blueprint("documents", __name__)

PAGE = 50
VIEWS = {
    "": _l("All"),
    "mine": _l("Mine"),
    "outside": _l("Shown outside"),
    "trash": _l("Trash"),
}


def go(document: Document) -> Response:
    """Lead to a document's page."""
    return redirect(url_for("documents.show", document_id=document.id), 303)


# -- The list ----------------------------------------------------------------------


@bp.get("/documents")
@requires(READ)
def index() -> Any:
    """List the documents one may see, the latest first, with filters and pages."""
    view = request.args.get("view", "")
    view = view if view in VIEWS else ""
    contact = contact_asked(request.args.get("contact", type=int))
    q = request.args.get("q", "")[:100].replace("\x00", "").strip()
    query = finding.document_list(me(), finding.Wanted(q, contact, view))
    page = keyset_page(
        query,
        [Document.updated_at, Document.id],
        cursor=request.args.get("after"),
        limit=PAGE,
        descending=True,
    )
    kept: dict[str, Any] = {"q": q or None, "view": view or None}
    kept["contact"] = contact.id if contact else None
    return render_template(
        "documents/index.html",
        documents=page.items,
        badges=describe((one.audience for one in page.items), me()),
        q=q,
        contact=contact,
        view=view,
        views=[
            (title, url_for("documents.index", view=name or None), name == view, None)
            for name, title in VIEWS.items()
        ],
        states=STATES,
        next_url=url_for("documents.index", **kept, after=page.next)
        if page.next
        else "",
        first_url=url_for("documents.index", **kept) if "after" in request.args else "",
    )


def contact_asked(contact_id: int | None) -> Contact | None:
    """Give the contact that an address or form names, None when it names none."""
    return None if contact_id is None else get_visible(me(), Contact, contact_id)


# -- One document ------------------------------------------------------------------


@bp.get("/documents/<int:document_id>")
@requires(READ)
def show(document_id: int) -> Any:
    """Show a document: its text, the facts, its versions, and who outside opened it."""
    document = finding.load_document(me(), document_id, trashed=True)
    return render_template(
        "documents/show.html",
        document=document,
        badge=describe([document.audience], me())[document.audience_id],
        opened=finding.opened_by(document),
        entry=finding.entry_of(me(), document),
        states=STATES,
        **_text(document),
        **hosted(document, me()),
    )


@bp.get("/documents/<int:document_id>/text")
@requires(READ)
def text(document_id: int) -> Any:
    """Draw the text alone: the page asks for it again when it has been read."""
    document = finding.load_document(me(), document_id, trashed=True)
    return render_template(
        "documents/text.html", document=document, states=STATES, **_text(document)
    )


def _text(document: Document) -> dict[str, Any]:
    """Give the page of the text that the address asks for, with what it looks for."""
    number = request.args.get("version", document.current, type=int)
    version = finding.version_of(me(), document, number)
    q = request.args.get("q", "")[:100].replace("\x00", "").strip()
    pages = reading.pages_of(version)
    hits = reading.pages_with(pages, q)
    asked = request.args.get("page", hits[0] if hits else 1, type=int)
    page = min(max(asked, 1), max(len(pages), 1))
    return {
        "version": version,
        "q": q,
        "page": page,
        "page_count": len(pages),
        "pieces": reading.marked(pages[page - 1], q) if pages else [],
        "hits": hits,
        "previous_hit": max((one for one in hits if one < page), default=None),
        "next_hit": min((one for one in hits if one > page), default=None),
    }


@bp.get("/documents/<int:document_id>/versions/<int:number>/file")
@requires(READ, portal=True)
def download(document_id: int, number: int) -> Any:
    """Give back the file of a version; the one door, for people outside as well."""
    return send_version(finding.load_version(me(), document_id, number), me())
