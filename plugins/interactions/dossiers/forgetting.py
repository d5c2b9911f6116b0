"""Forgetting dossiers: those that expired, and all that may name who was erased."""

from datetime import timedelta

import sqlalchemy as sa

from core.db import db, now
from core.events import Event, Subscriber
from core.jobs import Job
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.dossiers.rechecking import erased_since


def forget_old() -> None:
    """Delete dossiers that have expired; their files are swept away after them."""
    expired = KeptDossier.expires_at < now()
    db.session.execute(sa.delete(KeptDossier).where(expired))


def forget_erased(_event: Event | None = None) -> None:
    """Delete every dossier from before somebody was erased; its file is swept away.

    In whose story they were named nobody knows; whoever wants theirs has it made anew.
    """
    gone = sa.delete(KeptDossier).where(erased_since(KeptDossier.made_at))
    db.session.execute(gone.execution_options(synchronize_session=False))


SUBSCRIBERS = [
    Subscriber("interactions.dossiers_erased", ("contact.erased",), forget_erased)
]
# Also by the hour: one that was being made at that moment was ready only afterwards,
# and a restored backup brings back what was there.
JOBS = [
    Job("interactions.dossiers", timedelta(hours=1), forget_old),
    Job("interactions.dossiers_erased", timedelta(hours=1), forget_erased),
]
