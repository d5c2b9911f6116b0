"""Sending a mail from a page: it waits a moment, and a toast takes it back."""

from collections.abc import Iterable
from typing import Any

from flask import flash, url_for

from core.i18n import _, ngettext
from core.mail.models import OutgoingMail
from core.mail.services import Recipient, queue_mail, seconds_left
from core.mail.words import Words
from core.pages import flash_undo
from core.permissions import me


def send_from_page(
    to: Iterable[Recipient | str], *, words: Words, **more: Any
) -> OutgoingMail:
    """Queue a mail the reader wrote, and offer Undo on the next page.

    Takes what `core.mail.services.queue_mail` takes, and raises what it raises.
    """
    mail = queue_mail(to, words=words, author_id=me().id, **more)
    offer_undo(mail)
    return mail


def offer_undo(mail: OutgoingMail) -> None:
    """Say on the next page that `mail` is on its way, with Undo while it is held."""
    first = mail.to[0]["name"] or mail.to[0]["address"]
    others = len(mail.recipients) - 1
    left = seconds_left(mail)
    if others:
        said = ngettext(
            "Sending to %(name)s and %(num)d other",
            "Sending to %(name)s and %(num)d others",
            others,
            name=first,
        )
    else:
        said = _("Sending to %(name)s", name=first)
    if not left:
        flash(said, "ok")
        return
    text = _("%(said)s in %(seconds)d s", said=said, seconds=left)
    flash_undo(text, url_for("mail.undo", mail_id=mail.id))
