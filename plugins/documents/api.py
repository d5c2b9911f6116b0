"""/api/v1/documents: documents, their versions and their files, for programs."""

from typing import Any, TypeVar

from flask import Response, url_for
from sqlalchemy.orm import selectinload
from werkzeug.datastructures import FileStorage

from core.contacts.models import Contact
from core.db import Record
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.permissions import READ as READ_INTERACTIONS
from core.permissions import can, me, requires
from core.schemas import (
    ApiBlueprint,
    check_version,
    etag_of,
    keyset_page,
    next_link,
)
from core.visibility import get_visible
from plugins.documents import finding, schemas, services
from plugins.documents.choosing import chosen_audience
from plugins.documents.downloads import send_version
from plugins.documents.models import Document, Version
from plugins.documents.permissions import READ, WRITE

bp = ApiBlueprint("documents_api", __name__, description="Files kept in versions")

R = TypeVar("R", bound=Record)


def _one(document: Document, status: int = 200) -> Any:
    headers = etag_of(document)
    if status == 201:
        headers["Location"] = url_for("documents_api.read", document_id=document.id)
    return schemas.as_items([document], me())[0], status, headers


def _named(model: type[R], sent: dict[str, Any], field: str) -> R | None:
    """Take the record that `field` names out of what was sent, if it names one."""
    record_id = sent.pop(field, None)
    if record_id is None:
        return None
    if model is Interaction and not can(READ_INTERACTIONS):
        raise Forbidden
    try:
        return get_visible(me(), model, record_id)
    except NotFound as error:
        said = _("There is no %(field)s %(id)s.", field=field, id=record_id)
        raise Invalid(errors={field: [said]}) from error


@bp.route("/documents", methods=["GET"])
@requires(READ, portal=True)
@bp.arguments(schemas.ListArguments, location="query")
@bp.response(200, schemas.DocumentPage)
def index(arguments: dict[str, Any]) -> Any:
    """List the documents one may read, the newest first."""
    contact_id, contact = arguments["contact"], None
    if contact_id is not None:
        contact = get_visible(me(), Contact, contact_id)
    query = finding.document_list(me(), finding.Wanted(arguments["q"], contact))
    versions = selectinload(Document.versions).joinedload(Version.uploaded_by)
    page = keyset_page(
        query.options(versions),
        [Document.id],
        cursor=arguments["cursor"],
        limit=arguments["limit"],
        descending=True,
    )
    items = schemas.as_items(page.items, me())
    return {"items": items, "next": page.next}, 200, next_link(page)


@bp.route("/documents", methods=["POST"])
@requires(WRITE)
@bp.arguments(schemas.UploadFile, location="files")
@bp.arguments(schemas.NewDocument, location="form", content_type="multipart/form-data")
@bp.response(201, schemas.DocumentSchema)
def create(files: dict[str, FileStorage], new: dict[str, Any]) -> Any:
    """Keep a file as a new document; showing it outside needs `documents:share`."""
    interaction = _named(Interaction, new, "interaction")
    contact = _named(Contact, new, "contact")
    document = services.upload_document(
        files["file"].stream,
        filename=files["file"].filename or "",
        author=me(),
        contact=contact,
        title=new.get("title", ""),
        audience=chosen_audience(new, contact),
        interaction=interaction,
    )
    return _one(document, 201)


@bp.route("/documents/<int:document_id>", methods=["GET"])
@requires(READ, portal=True)
@bp.response(200, schemas.DocumentSchema)
def read(document_id: int) -> Any:
    """Read what is known of one document."""
    return _one(finding.load_document(me(), document_id))


@bp.route("/documents/<int:document_id>", methods=["PATCH"])
@requires(WRITE)
@bp.arguments(schemas.DocumentChange)
@bp.response(200, schemas.DocumentSchema)
def change(changes: dict[str, Any], document_id: int) -> Any:
    """Change the title, the contact or the readers; needs `If-Match`."""
    document = finding.load_document(me(), document_id)
    check_version(document)
    if "contact" in changes:
        services.move_document(document, _named(Contact, changes, "contact"))
    if "title" in changes:
        services.rename_document(document, changes["title"])
    spec = chosen_audience(changes, document.contact)
    if spec is not None:
        services.change_audience(document, spec, actor=me())
    return _one(document)


@bp.route("/documents/<int:document_id>", methods=["DELETE"])
@requires(WRITE)
@bp.response(204)
def delete(document_id: int) -> Any:
    """Put a document into the trash, where it can be brought back; `If-Match`."""
    document = finding.load_document(me(), document_id)
    check_version(document)
    services.trash_document(document)
    return Response(status=204)


@bp.route("/documents/<int:document_id>/versions", methods=["POST"])
@requires(WRITE)
@bp.arguments(schemas.UploadFile, location="files")
@bp.response(201, schemas.DocumentSchema)
def add_version(files: dict[str, FileStorage], document_id: int) -> Any:
    """Keep a file as the newest version; the older ones stay reachable."""
    document = finding.load_document(me(), document_id)
    services.add_version(
        document,
        files["file"].stream,
        filename=files["file"].filename or "",
        actor=me(),
    )
    return _one(document, 201)


@bp.route("/documents/<int:document_id>/versions/<int:number>/file", methods=["GET"])
@requires(READ, portal=True)
@bp.response(
    200,
    {"type": "string", "format": "binary"},
    content_type="application/octet-stream",
)
def read_file(document_id: int, number: int) -> Any:
    """Read the file of a version, whole or in parts."""
    return send_version(finding.load_version(me(), document_id, number), me())
