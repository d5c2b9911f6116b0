"""What tests of outgoing mail share: write one, look at what became of it."""

import sqlalchemy as sa

from core.db import db
from core.mail.models import OutgoingMail
from core.mail.services import queue_mail
from core.mail.words import from_text

PEKKA = "pekka@customer.example"


def write(to=(PEKKA,), subject="Your offer", text="Here it is.", language="en", **more):
    """Queue a mail as somebody's service would, and commit."""
    with db.transaction():
        words = from_text(subject, text, language=language)
        return queue_mail(to, words=words, **more).id


def look(mail_id):
    """Give a mail as it is now."""
    with db.read_only() as session:
        found = session.get_one(OutgoingMail, mail_id)
        session.expunge_all()
    return found


def all_mails():
    """Give every mail of the outbox, oldest first."""
    with db.read_only() as session:
        found = session.scalars(sa.select(OutgoingMail).order_by(OutgoingMail.id)).all()
        session.expunge_all()
    return found
