"""Forgetting dossiers: those that expired, and all that may name who was erased."""

from datetime import timedelta

import sqlalchemy as sa

from core.db import db, now
from core.events import Event, Subscriber
from core.jobs import Job
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.dossiers.rechecking import erased_since


def forget(_event: Event | None = None) -> None:
    """Delete dossiers that expired, and every one from before somebody was erased.

    In whose story they were named nobody knows; whoever wants theirs has it made anew.
    The files are swept away after them.
    """
    over = KeptDossier.expires_at < now()
    gone = sa.delete(KeptDossier).where(over | erased_since(KeptDossier.made_at))
    db.session.execute(gone.execution_options(synchronize_session=False))


SUBSCRIBERS = [Subscriber("interactions.dossiers_erased", ("contact.erased",), forget)]
# By the hour also for the erased: one that was being made at that moment was ready
# only afterwards, and a restored backup brings back what was there.
JOBS = [Job("interactions.dossiers", timedelta(hours=1), forget)]
