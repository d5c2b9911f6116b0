"""Giving a file back through the door: as an attachment, whole or in parts."""

from flask import Response, request, send_file

from core.db import db
from core.files import file_store
from core.permissions import onlooker
from core.users.models import User
from plugins.documents import services
from plugins.documents.models import Version

# What somebody uploaded never runs in our name, whatever a browser makes of it.
_POLICY = "default-src 'none'; sandbox"


def send_version(version: Version, reader: User) -> Response:
    """Answer with the file of a version, which `reader` was found to be allowed.

    Understands `Range` and `If-None-Match` (RFC 9110). What people outside open is
    remembered.
    """
    answer = send_file(
        file_store().path(version.sha256),
        mimetype=version.media_type,
        as_attachment=True,
        download_name=version.filename,
        conditional=True,
        etag=version.sha256,
    )
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.cache_control.private = True
    outside = reader.kind != "staff" and onlooker() is None
    if outside and request.method == "GET":
        _remember(version.document_id, version.number, reader.id)
    return answer


def _remember(document_id: int, number: int, user_id: int) -> None:
    db.aside(lambda: services.note_opening(document_id, number, user_id=user_id))
