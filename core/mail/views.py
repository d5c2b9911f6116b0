"""/admin/mail: the outbox; and the way to take back what one has just written."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.db import db
from core.errors import NotFound
from core.i18n import _, gettext
from core.mail import services
from core.mail.models import PARKED, SENT, OutgoingMail
from core.mail.permissions import MANAGE
from core.mail.setup import mail_setup
from core.permissions import me, requires, signed_in
from core.schemas import keyset_page
from core.users.models import User
from core.users.views import safe_next

bp = Blueprint("mail", __name__)

PAGE = 50


@bp.get("/admin/mail")
@requires(MANAGE)
def outbox() -> Any:
    """The mails that go out, and what became of each; never what they say."""
    state = request.args.get("state", "")
    query = sa.select(OutgoingMail)
    if state == "parked":
        query = query.where(OutgoingMail.state == PARKED)
    elif state == "waiting":
        query = query.where(OutgoingMail.state.in_(["held", "waiting"]))
    page = keyset_page(
        query,
        [OutgoingMail.id],
        cursor=request.args.get("cursor"),
        limit=PAGE,
        descending=True,
    )
    return render_template(
        "core/mail/outbox.html",
        mails=page.items,
        next=page.next,
        state=state,
        authors=_authors(page.items),
        # Our own sentences in the reader's language, the server's as they came; not in
        # the template, where what is translated passes for markup.
        said={one.id: gettext(one.error) for one in page.items if one.error},
        counts=_counts(),
        missing=mail_setup().lacks_for_links(),
        waits=mail_setup().lacks() is not None,
    )


def _authors(mails: Sequence[OutgoingMail]) -> dict[int, str]:
    ids = {one.author_id for one in mails if one.author_id is not None}
    rows = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _counts() -> dict[str, int]:
    rows = db.session.execute(
        sa.select(OutgoingMail.state, sa.func.count().label("number"))
        .where(OutgoingMail.state != SENT)
        .group_by(OutgoingMail.state)
    )
    return {row.state: row.number for row in rows}


def _mail(mail_id: int) -> OutgoingMail:
    found = db.session.get(OutgoingMail, mail_id) if mail_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


@bp.post("/admin/mail/<int:mail_id>/try-again")
@requires(MANAGE)
def retry(mail_id: int) -> Any:
    """Send a mail that was given up."""
    services.try_mail_again(_mail(mail_id), by=me().id)
    flash(_("The mail is tried again."), "ok")
    return redirect(url_for("mail.outbox"), 303)


@bp.post("/admin/mail/<int:mail_id>/cancel")
@requires(MANAGE)
def cancel(mail_id: int) -> Any:
    """Take back a mail that has not been sent."""
    services.cancel_mail(_mail(mail_id), by=me().id)
    flash(_("The mail will not be sent."), "ok")
    return redirect(url_for("mail.outbox"), 303)


def _my_mail(mail_id: int) -> OutgoingMail:
    mail = _mail(mail_id)
    if mail.author_id != me().id:
        raise NotFound
    return mail


@bp.get("/mail/<int:mail_id>")
@signed_in
def mine(mail_id: int) -> Any:
    """What became of a mail of one's own, and trying again what was given up."""
    mail = _my_mail(mail_id)
    said = gettext(mail.error) if mail.error else ""
    return render_template("core/mail/mine.html", mail=mail, said=said)


@bp.post("/mail/<int:mail_id>/try-again")
@signed_in
def retry_mine(mail_id: int) -> Any:
    """Send a mail of one's own that was given up."""
    services.try_mail_again(_my_mail(mail_id), by=me().id)
    flash(_("The mail is tried again."), "ok")
    return redirect(url_for("mail.mine", mail_id=mail_id), 303)


@bp.post("/mail/<int:mail_id>/undo")
@signed_in
def undo(mail_id: int) -> Any:
    """Take back a mail of one's own; `next` says where to go on."""
    mail = _my_mail(mail_id)
    services.cancel_mail(mail, by=me().id)
    flash(_("The mail will not be sent."), "ok")
    return redirect(safe_next(request.form.get("next", "/")), 303)
