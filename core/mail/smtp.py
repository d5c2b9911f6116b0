"""Talking to the mail server (RFC 5321), and what its answers mean for a mail."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Timer

from core.db import now
from core.i18n import _
from core.mail.message import Parcel
from core.mail.setup import MailSetup

# Seconds for one answer, and for a whole conversation.
PATIENCE, DEADLINE = 20, 300
# How long a server that did not answer is left alone, so that a long queue of mails
# does not keep the worker from its other work.
PAUSE = timedelta(seconds=30)

_silent: dict[tuple[str, int], tuple[datetime, str]] = {}


class TryLaterError(Exception):
    """The mail server cannot take anything now; the words are for people."""


@dataclass
class Outcome:
    """What became of each address: taken, or refused for now or for good."""

    delivered: list[str] = field(default_factory=list)
    later: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def note(self, address: str, code: int, said: bytes) -> None:
        """File the server's answer about `address`; 5xx is for good."""
        (self.refused if code >= 500 else self.later)[address] = spoken(code, said)


def spoken(code: int, said: bytes | str) -> str:
    """Write a server's answer in one line."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:500]


def send(parcel: Parcel, setup: MailSetup) -> Outcome:
    """Hand a parcel to the mail server; raises `TryLaterError` if it cannot now."""
    with connected(setup) as smtp:
        return _hand_over(smtp, parcel, str(setup.sender))


def forget_silence(setup: MailSetup) -> None:
    """Ask the mail server again at once, even if it has just not answered."""
    _silent.pop((str(setup.host), setup.port), None)


@contextmanager
def connected(setup: MailSetup) -> Iterator[smtplib.SMTP]:
    """Open a conversation as it is set up, signed in; raises `TryLaterError`."""
    place = (str(setup.host), setup.port)
    until, words = _silent.get(place, (None, ""))
    if until is not None and now() < until:
        raise TryLaterError(words)
    try:
        smtp = _connect(setup)
    except (OSError, smtplib.SMTPException) as error:
        said = _failure(error)
        _silent[place] = (now() + PAUSE, said)
        raise TryLaterError(said) from error
    _silent.pop(place, None)
    # A server that dribbles its answers must not outlast the time the mail is ours.
    watch = Timer(DEADLINE, _hang_up, [smtp])
    watch.daemon = True
    watch.start()
    try:
        yield smtp
    except (OSError, smtplib.SMTPException) as error:
        raise TryLaterError(_failure(error)) from error
    finally:
        watch.cancel()
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _connect(setup: MailSetup) -> smtplib.SMTP:
    context = ssl.create_default_context()
    host, port, name = str(setup.host), setup.port, setup.domain
    smtp: smtplib.SMTP
    if setup.security == "tls":
        smtp = smtplib.SMTP_SSL(
            host, port, local_hostname=name, timeout=PATIENCE, context=context
        )
    else:
        smtp = smtplib.SMTP(host, port, local_hostname=name, timeout=PATIENCE)
    try:
        if setup.security not in {"tls", "none"}:
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
        if setup.user:
            smtp.login(setup.user, setup.password or "")
    except BaseException:
        smtp.close()
        raise
    return smtp


def _hand_over(smtp: smtplib.SMTP, parcel: Parcel, sender: str) -> Outcome:
    outcome = Outcome()
    options = []
    if parcel.utf8:
        if not smtp.has_extn("smtputf8"):
            said = _("The mail server takes only addresses in plain letters (ASCII).")
            return Outcome(refused=dict.fromkeys(parcel.recipients, said))
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    if smtp.has_extn("size"):
        options.append(f"size={len(parcel.content)}")
    code, said_first = smtp.mail(sender, options)
    if code != 250:
        for address in parcel.recipients:
            outcome.note(address, code, said_first)
        return outcome
    accepted = []
    for address, written in parcel.recipients.items():
        code, answer = smtp.rcpt(written)
        if code in {250, 251}:
            accepted.append(address)
        else:
            outcome.note(address, code, answer)
    if not accepted:
        return outcome
    code, answer = _send_content(smtp, parcel.content)
    for address in accepted:
        if code == 250:
            outcome.delivered.append(address)
        else:
            outcome.note(address, code, answer)
    return outcome


def _send_content(smtp: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return smtp.data(content)
    except smtplib.SMTPDataError as error:
        said = error.smtp_error
        return error.smtp_code, said if isinstance(said, bytes) else said.encode()


def _failure(error: Exception) -> str:
    """Say why there is no conversation; never with what was to be sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = spoken(error.smtp_code, error.smtp_error)
        return _("The mail server refused the sign-in: %(said)s", said=said)
    if isinstance(error, smtplib.SMTPResponseException):
        said = spoken(error.smtp_code, error.smtp_error)
        return _("The mail server answered: %(said)s", said=said)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _(
            "The mail server does not offer what SMTP_SECURITY or SMTP_USER asks for: "
            "%(said)s",
            said=str(error),
        )
    if isinstance(error, ssl.SSLError):
        return _(
            "The connection to the mail server could not be protected: %(said)s",
            said=error.reason or str(error),
        )
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _("The mail server broke the connection.")
    if isinstance(error, socket.gaierror):
        return _("The mail server's name is not known: check SMTP_HOST.")
    said = getattr(error, "strerror", None) or str(error)
    return _("The mail server does not answer: %(said)s", said=said)


def _hang_up(smtp: smtplib.SMTP) -> None:
    with suppress(OSError, AttributeError):
        smtp.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
