"""A mail as the mail server gets it: MIME, the same bytes' worth on every try."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import Any

from markupsafe import escape

from core import settings
from core.files import file_store
from core.i18n import _
from core.mail.addresses import check_recipients, for_server
from core.mail.models import MailAttachment, OutgoingMail
from core.mail.services import CALENDAR, seal_secret, sealed_place
from core.mail.setup import MailSetup
from core.mail.words import Words, house_name

# Addresses, which are longer than a line (RFC 2369, RFC 8058).
_BY_HAND = {"List-Unsubscribe"}


@dataclass(frozen=True)
class Parcel:
    """What goes over the wire, and to whom it has still to go."""

    mail_id: int
    content: bytes
    # Addresses as they are stored, each with how the server wants it written.
    recipients: dict[str, str]
    utf8: bool


def pack(mail: OutgoingMail, setup: MailSetup, words: Words | None = None) -> Parcel:
    """Make the parcel of a mail; raises `NotFound` when an attachment is gone.

    `words` are those of a mail that is written only when it is sent.
    """
    said = words or Words(mail.subject, mail.text, mail.html, "")
    left = [one for one in mail.recipients if one not in mail.delivered]
    wire = {one: for_server(one) for one in left}
    written = [for_server(one) for one in mail.recipients]
    utf8 = not all(one.isascii() for one in written)
    message = _with_headers(mail, setup, said.subject, utf8=utf8)
    message.set_content(_opened(mail, said.text), charset="utf-8")
    message.add_alternative(_opened(mail, said.html), "html", charset="utf-8")
    attached = [(one, _read(one)) for one in mail.attachments]
    for one, found in attached:
        if method := CALENDAR.fullmatch(one.media_type):
            _add_calendar(message, found, method[1])
    for one, found in attached:
        # A mail program that has read the part above takes this for a file.
        invites = CALENDAR.fullmatch(one.media_type)
        kind, _slash, subtype = one.media_type.partition("/")
        if invites:
            kind, subtype = "application", "ics"
        message.add_attachment(found, maintype=kind, subtype=subtype, filename=one.name)
    content = _threading(mail) + message.as_bytes()
    return Parcel(mail.id, content, wire, utf8)


def _read(attachment: MailAttachment) -> bytes:
    with file_store().open(attachment.sha256) as file:
        return file.read()


def _add_calendar(message: EmailMessage, found: bytes, method: str) -> None:
    """Say the same a third time, for calendars (iMIP, RFC 6047, section 2.4)."""
    message.add_alternative(
        found.decode(), "calendar", charset="utf-8", params={"method": method}
    )


def sender(setup: MailSetup) -> Address:
    """Give the address mails come from, with its name."""
    name = settings.get("mail")["sender_name"] or house_name()
    return _address({"address": setup.sender, "name": name})


def _with_headers(
    mail: OutgoingMail, setup: MailSetup, subject: str, *, utf8: bool
) -> EmailMessage:
    policy = SMTPUTF8 if utf8 else SMTP
    # Seven bits: the server need not offer anything beyond the oldest SMTP.
    message = EmailMessage(policy=policy.clone(cte_type="7bit"))
    message["From"] = sender(setup)
    message["To"] = [_address(one) for one in mail.to]
    if mail.cc:
        message["Cc"] = [_address(one) for one in mail.cc]
    if mail.reply_to:
        message["Reply-To"] = _address(mail.reply_to)
    message["Subject"] = subject
    message["Date"] = mail.created_at
    message["Message-ID"] = mail.message_id
    for name, value in mail.headers.items():
        if name not in _BY_HAND:
            message[name] = value
    return message


def _address(one: dict[str, Any]) -> Address:
    # The part before the @ may need quotes, which `addr_spec` would lose.
    local, _at, domain = for_server(one["address"]).rpartition("@")
    return Address(one["name"], local, domain)


def _threading(mail: OutgoingMail) -> bytes:
    """Write which mails this one answers, and how its reader stops such mails.

    By hand: the library breaks long Message-IDs and addresses into encoded words, and
    then no mail program finds the thread or the button. They are plain ASCII.
    """
    lines = [
        f"{name}: {value}\r\n"
        for name, value in mail.headers.items()
        if name in _BY_HAND
    ]
    if mail.in_reply_to:
        lines.append(f"In-Reply-To: {mail.in_reply_to}\r\n")
    known = list(dict.fromkeys([*mail.references, *filter(None, [mail.in_reply_to])]))
    if known:
        lines.append("References: " + "\r\n ".join(known) + "\r\n")
    return "".join(lines).encode("ascii")


def _opened(mail: OutgoingMail, words: str) -> str:
    """Put the secret where the words keep its place."""
    if mail.seal is None:
        return words
    return words.replace(sealed_place(mail.seal), seal_secret(mail.seal))


def test_parcel(address: str, setup: MailSetup, *, at: datetime) -> Parcel:
    """Make the parcel of a test mail that is not in the outbox; `Invalid`."""
    [receiver] = check_recipients("to", [address])
    mail = OutgoingMail(
        message_id=f"<{secrets.token_hex(16)}@{setup.domain}>",
        to=[receiver],
        cc=[],
        subject=_("A test mail from %(house)s", house=house_name()),
        text=_("Mail from this server arrives."),
        html=str(escape(_("Mail from this server arrives."))),
        references=[],
        headers={"Auto-Submitted": "auto-generated"},
        created_at=at,
        delivered=[],
    )
    return pack(mail, setup)
