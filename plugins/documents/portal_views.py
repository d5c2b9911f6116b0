"""Documents as customers and vendors see them: what was shared with them."""

from typing import Any

from flask import render_template, request, url_for

from core.permissions import me, requires
from core.schemas import keyset_page
from plugins.documents import finding
from plugins.documents.models import Document
from plugins.documents.permissions import READ
from plugins.documents.views import PAGE
from plugins.documents.views import bp as bp


@bp.get("/portal/documents")
@requires(READ, portal=True)
def portal_index() -> Any:
    """List what was shared with the reader, the latest first."""
    q = request.args.get("q", "")[:100].replace("\x00", "").strip()
    page = keyset_page(
        finding.document_list(me(), finding.Wanted(q)),
        [Document.updated_at, Document.id],
        cursor=request.args.get("after"),
        limit=PAGE,
        descending=True,
    )
    return render_template(
        "documents/portal_index.html",
        documents=page.items,
        q=q,
        next_url=url_for("documents.portal_index", q=q or None, after=page.next)
        if page.next
        else "",
    )


@bp.get("/portal/documents/<int:document_id>")
@requires(READ, portal=True)
def portal_show(document_id: int) -> Any:
    """Show one document and its file: what a link or a search hit leads to."""
    document = finding.load_document(me(), document_id)
    return render_template("documents/portal_show.html", document=document)
