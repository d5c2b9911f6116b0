"""Does mail go out? One test mail, now, with the server's own words."""

from core.db import db, now
from core.i18n import _
from core.mail import smtp
from core.mail.message import test_parcel
from core.mail.setup import MailSetup


def send_test_mail(address: str, setup: MailSetup) -> str | None:
    """Send a test mail to `address` now; say what failed, or None if it was taken.

    Talks to the mail server for up to 20 seconds, so call it with no transaction open
    that has written. Raises `Invalid` for an address that is none.
    """
    if lacking := setup.lacks():
        return lacking
    with db.read_only():
        parcel = test_parcel(address, setup, at=now())
    # Somebody waits who has just put something right: what failed before is no answer.
    smtp.forget_silence(setup)
    try:
        outcome = smtp.send(parcel, setup)
    except smtp.TryLaterError as why:
        return str(why)
    for said in {**outcome.later, **outcome.refused}.values():
        return _("The mail server answered: %(said)s", said=said)
    return None
