"""Outgoing mail for every part of Rapport: write it down, undo it, try it again.

A mail is written in the transaction of what it tells about, so it goes out if and only
if that is committed. The worker sends it when its time to be undone is over.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core import events, settings
from core.audiences import Audience, AudienceSpec, intern_audience
from core.db import db, now
from core.errors import Conflict, Invalid, NotFound
from core.events import acting
from core.i18n import _
from core.mail.addresses import Recipient, check_line, check_recipients
from core.mail.models import (
    CANCELLED,
    HELD,
    PARKED,
    SENT,
    WAITING,
    MailAttachment,
    OutgoingMail,
)
from core.mail.setup import mail_setup
from core.mail.words import Words

__all__ = [
    "Attachment",
    "Recipient",
    "cancel_mail",
    "queue_mail",
    "seal_secret",
    "sealed_place",
    "seconds_left",
    "try_mail_again",
]

QUEUED, REFUSED = "mail.queued", "mail.refused"
SENT_EVENT, CANCELLED_EVENT = "mail.sent", "mail.cancelled"

_HEADERS = {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"}
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,950}>")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
# An invitation to a calendar: it goes along as words of the mail and as a file.
CALENDAR = re.compile(r"text/calendar; method=(REQUEST|CANCEL)")


@dataclass(frozen=True)
class Attachment:
    """A file of the store (`core.files`) that goes along under `name`.

    One of `text/calendar; method=REQUEST`, or `CANCEL`, is an invitation: calendars
    read it without opening the file.
    """

    sha256: str
    name: str
    media_type: str = "application/octet-stream"


def queue_mail(
    to: Iterable[Recipient | str],
    *,
    words: Words,
    cc: Iterable[Recipient | str] = (),
    reply_to: Recipient | str | None = None,
    in_reply_to: str | None = None,
    references: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    attachments: Iterable[Attachment] = (),
    author_id: int | None = None,
    audience: Audience | None = None,
    about: str | None = None,
    hold: int | None = None,
    seal: str | None = None,
) -> OutgoingMail:
    """Write a mail down; it is sent when this transaction is committed and `hold` over.

    `hold` is in seconds, by default the setting `mail.hold_seconds`; 0 for what no
    person wrote. `about` is the reference of the record it belongs to, and `audience`
    who may learn what becomes of it: by default its author. `words` come from
    `core.mail.words`. Raises `Invalid` for a wrong address or a subject, name or
    Message-ID that is more than one line.
    """
    wait = settings.get("mail")["hold_seconds"] if hold is None else hold
    receivers = check_recipients("to", to)
    if not receivers:
        raise Invalid(errors={"to": [_("Choose at least one recipient.")]})
    answer = check_recipients("reply_to", [reply_to] if reply_to else [])
    mail = OutgoingMail(
        message_id=f"<{secrets.token_hex(16)}@{mail_setup().domain}>",
        to=receivers,
        cc=check_recipients("cc", cc),
        reply_to=answer[0] if answer else None,
        subject=check_line("subject", words.subject),
        text=words.text,
        html=words.html,
        in_reply_to=_message_id(in_reply_to) if in_reply_to else None,
        references=[_message_id(one) for one in references],
        headers=_checked_headers(headers or {}),
        seal=seal,
        author_id=author_id,
        audience_id=(audience or _own_audience(author_id)).id,
        about=about,
        due=now() + timedelta(seconds=wait),
        state=HELD if wait else WAITING,
        attachments=[_attachment(one) for one in attachments],
    )
    db.session.add(mail)
    db.session.flush()
    tell(QUEUED, mail, by=author_id)
    return mail


def _own_audience(author_id: int | None) -> Audience:
    if author_id is None:
        return intern_audience(AudienceSpec("staff"))
    return intern_audience(AudienceSpec("private", users=frozenset({author_id})))


def _message_id(given: str) -> str:
    if not _MESSAGE_ID.fullmatch(given):
        raise Invalid(errors={"references": [_("This is not a Message-ID.")]})
    return given


def _checked_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    unknown = set(headers) - _HEADERS
    if unknown:
        raise ValueError(f"mails cannot carry {', '.join(sorted(unknown))}")
    return {name: check_line(name, value) for name, value in headers.items()}


def _attachment(given: Attachment) -> MailAttachment:
    known = given.media_type
    sound = _MEDIA_TYPE.fullmatch(known) or CALENDAR.fullmatch(known)
    return MailAttachment(
        sha256=given.sha256,
        name=check_line("attachments", given.name)[:255],
        media_type=given.media_type if sound else "application/octet-stream",
    )


def tell(event_type: str, mail: OutgoingMail, *, by: int | None = None) -> None:
    """Announce what became of a mail, to those who may know; its words stay here."""
    with acting(by):
        events.tell(
            event_type,
            mail.ref,
            audience_id=mail.audience_id,
            data={"about": mail.about} if mail.about else {},
            due=mail.due if event_type == QUEUED else None,
        )


def lock_mail(mail_id: int) -> OutgoingMail | None:
    """Read a mail so that nobody else changes it before this transaction ends."""
    query = sa.select(OutgoingMail).where(OutgoingMail.id == mail_id)
    fresh = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(fresh)


def cancel_mail(mail: OutgoingMail, *, by: int | None) -> None:
    """Take a mail back; `by` is who does.

    Raises `Conflict` once it is sent, or while it is being sent.
    """
    found = lock_mail(mail.id)
    if found is None:
        raise NotFound
    if found.state == SENT:
        raise Conflict(_("This mail has been sent. It cannot be taken back."))
    if found.taken_at is not None:
        raise Conflict(_("This mail is being sent at this moment. It is too late."))
    if found.state == CANCELLED:
        return
    found.state = CANCELLED
    found.error = None
    db.session.flush()
    tell(CANCELLED_EVENT, found, by=by)


def try_mail_again(mail: OutgoingMail, *, by: int | None) -> None:
    """Send a parked mail after all, to whom it has not reached; `by` is who asks.

    Raises `Conflict` for one that is not parked.
    """
    found = lock_mail(mail.id)
    if found is None:
        raise NotFound
    if found.state != PARKED:
        raise Conflict(_("This mail was not given up, so there is nothing to repeat."))
    found.state = WAITING
    found.error = None
    found.interrupted = 0
    found.due = now()
    db.session.flush()
    tell(QUEUED, found, by=by)


def seconds_left(mail: OutgoingMail) -> int:
    """Say for how many seconds a mail can surely be undone."""
    if mail.state != HELD or mail.taken_at is not None:
        return 0
    return max(int((mail.due - now()).total_seconds()), 0)


def new_seal() -> str:
    """Make what a secret link is made of."""
    return secrets.token_hex(16)


def sealed_place(seal: str) -> str:
    """Give what stands in the words of a mail in place of its secret, until it is sent.

    Neither the outbox nor a backup of it then holds a link that opens something.
    """
    return f"sealed-{seal}"


def seal_secret(seal: str) -> str:
    """Give the secret of a seal: only who knows SECRET_KEY can work it out."""
    key = mail_setup().secret_key.encode()
    made = hmac.digest(key, f"mail-seal:{seal}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
