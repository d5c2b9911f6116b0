"""What the worker does with a queued mail: take it, send it, note what became of it.

Between taking and noting no transaction is open, since a mail server may take minutes.
A worker that dies in between has sent the mail or not: it is sent once more with the
same Message-ID, by which the receiver's server knows a repetition, and then no more.
"""

from datetime import timedelta

from core.db import db, now
from core.errors import NotFound
from core.events import Event
from core.i18n import _, in_language
from core.mail import smtp
from core.mail.message import Parcel, pack
from core.mail.models import CANCELLED, PARKED, SENT, WAITING, OutgoingMail
from core.mail.services import CANCELLED_EVENT, REFUSED, SENT_EVENT, lock_mail, tell
from core.mail.setup import MailSetup, mail_setup
from core.mail.words import Words
from core.notifications import mailing
from core.records import parse_ref

PATIENCE = timedelta(days=3)
# A worker that has not said what became of its mail after this time is dead; longer
# than `smtp.DEADLINE`, so that no two send at the same time.
OVERDUE = timedelta(seconds=smtp.DEADLINE + 60)


class MailWaitsError(Exception):
    """The mail stays in the outbox for a later try; why is said there."""


def send_queued(event: Event) -> None:
    """Send the mail of a `mail.queued` event; running twice is harmless."""
    subject = parse_ref(event.subject)
    if subject is None:
        return
    # Nothing is written yet: until the mail server has answered, others get the
    # database (on SQLite there is one writer).
    db.session.rollback()
    # What the log and the outbox keep is for administrators, in one language.
    with in_language("en"):
        _send(subject[1])


def _send(mail_id: int) -> None:
    setup = mail_setup()
    with db.transaction():
        parcel = _take(mail_id, setup)
    if parcel is None:
        return
    try:
        if lacking := setup.lacks():
            raise smtp.TryLaterError(lacking)
        outcome = smtp.send(parcel, setup)
    except smtp.TryLaterError as why:
        outcome = smtp.Outcome(later=dict.fromkeys(parcel.recipients, str(why)))
    with db.transaction():
        waits = _note(mail_id, outcome)
    if waits:
        # Neither addresses nor the server's words, which name them, go to the log.
        raise MailWaitsError(f"mail/{mail_id} waits for its next try")


def _take(mail_id: int, setup: MailSetup) -> Parcel | None:
    """Take a mail in hand; None when there is nothing to do any more."""
    mail = lock_mail(mail_id)
    if mail is None or mail.state in {SENT, CANCELLED, PARKED}:
        return None
    if mail.taken_at is not None:
        if now() - mail.taken_at < OVERDUE:
            raise MailWaitsError(f"mail/{mail_id} is in another worker's hand")
        mail.interrupted += 1
        mail.taken_at = None
        if mail.interrupted > 1:
            said = _("Sending broke off twice. It may have arrived; ask, or try again.")
            _park(mail, said)
            return None
    words = None
    if mailing.is_news(mail):
        # Only now is written what its reader may read at this moment, and it is not
        # kept: neither the outbox nor a backup of it holds the words of others.
        words = mailing.draw_news(mail)
        if words is None:
            _drop(mail)
            return None
    try:
        parcel = _parcel(mail, setup, words)
    except NotFound:
        _park(mail, _("An attachment is not in the file store any more."))
        return None
    mail.attempts += 1
    mail.taken_at = now()
    return parcel


def _parcel(mail: OutgoingMail, setup: MailSetup, words: Words | None) -> Parcel:
    return _nothing_to_send(mail) if setup.lacks() else pack(mail, setup, words)


def _drop(mail: OutgoingMail) -> None:
    """Send nothing: there is no news in it any more that its reader may read."""
    mail.state = CANCELLED
    mail.error = None
    mailing.take_back(mail)
    tell(CANCELLED_EVENT, mail)


def _nothing_to_send(mail: OutgoingMail) -> Parcel:
    """Stand for a mail that nobody can send yet; it waits in sight."""
    return Parcel(mail.id, b"", {one: one for one in mail.recipients}, utf8=False)


def _note(mail_id: int, outcome: smtp.Outcome) -> bool:
    """Write down what became of a mail; say whether it waits for another try."""
    mail = lock_mail(mail_id)
    if mail is None:
        return False
    mail.taken_at = None
    mail.delivered = [*mail.delivered, *outcome.delivered]
    said = list(dict.fromkeys([*outcome.refused.values(), *outcome.later.values()]))
    mail.error = "\n".join(said) or None
    given_up = now() - mail.due > PATIENCE
    if outcome.later and not given_up:
        mail.state = WAITING
        return True
    if outcome.refused or outcome.later:
        _park(mail, str(mail.error))
        return False
    mail.state = SENT
    mail.sent_at = now()
    mail.interrupted = 0
    tell(SENT_EVENT, mail)
    return False


def _park(mail: OutgoingMail, said: str) -> None:
    mail.state = PARKED
    mail.error = said
    tell(REFUSED, mail)
