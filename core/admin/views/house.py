"""/admin/logo: the picture of the house."""

from typing import Any

from flask import Response, flash, redirect, request, url_for

from core.admin.models import HouseLogo
from core.admin.permissions import SETTINGS
from core.admin.services.logo import MOST_BYTES, keep_logo, remove_logo
from core.admin.views.blueprint import bp
from core.admin.views.settings import draw as draw_settings
from core.db import db
from core.errors import CRMError, NotFound
from core.i18n import _
from core.pages import on_refusal
from core.permissions import public, requires


@bp.get("/logo/<sha256>")
@public
def logo(sha256: str) -> Any:
    """Show the logo, to anybody: it stands on the sign-in page."""
    found = db.session.get(HouseLogo, sha256)
    if found is None:
        raise NotFound
    answer = Response(found.content, mimetype=found.media_type)
    # Opened by itself, a picture may neither run nor load anything.
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


def _draw(error: CRMError | None = None, **_more: object) -> Any:
    return draw_settings(error, owner="house")


@bp.post("/settings/house/logo")
@requires(SETTINGS)
@on_refusal(_draw)
def change_logo() -> Any:
    """Take a picture as the logo."""
    keep_logo(uploaded_logo())
    flash(_("The logo is changed."), "ok")
    return redirect(url_for("admin.show_settings", owner="house"), 303)


def uploaded_logo() -> bytes:
    """Read the picture that was sent, and one byte more than is allowed."""
    upload = request.files.get("logo")
    return upload.stream.read(MOST_BYTES + 1) if upload else b""


@bp.post("/settings/house/logo/remove")
@requires(SETTINGS)
def drop_logo() -> Any:
    """Do without a logo."""
    remove_logo()
    flash(_("The logo is gone."), "ok")
    return redirect(url_for("admin.show_settings", owner="house"), 303)
