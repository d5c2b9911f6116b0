"""Clearing up the outbox, and what `rapport doctor` says about it."""

from datetime import timedelta

import sqlalchemy as sa

from core import settings
from core.db import db, now
from core.jobs import Job
from core.mail.models import CANCELLED, SENT, OutgoingMail
from core.mail.setup import mail_setup
from core.pages import Check


def forget_old_mail() -> None:
    """Delete sent and cancelled mails that are older than `mail.keep_days`."""
    old = now() - timedelta(days=settings.get("mail")["keep_days"])
    db.session.execute(
        sa.delete(OutgoingMail).where(
            OutgoingMail.state.in_([SENT, CANCELLED]), OutgoingMail.created_at < old
        )
    )


def check_setup() -> str | None:
    """Say what the configuration lacks for mail to go out."""
    return mail_setup().lacks_for_links()


JOBS = [Job("mail.sweep", timedelta(days=1), forget_old_mail)]
CHECKS = [Check("mail", check_setup, hint=True)]
