"""Forgetting dossiers: those that expired, and all that may name who was erased."""

from datetime import timedelta

import sqlalchemy as sa

from core.db import db, now
from core.ddl import tables_in
from core.events import Event, Subscriber
from core.files import file_store
from core.jobs import Job
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.dossiers.rechecking import erased_since


def forget_old() -> None:
    """Delete dossiers that have expired; their files are swept away after them."""
    expired = KeptDossier.expires_at < now()
    db.session.execute(sa.delete(KeptDossier).where(expired))


def forget_erased(_event: Event | None = None) -> None:
    """Delete every dossier from before somebody was erased, and its file at once.

    In whose story they were named nobody knows; whoever wants theirs has it made anew.
    """
    # On SQLite there is one writer, and the files go when the rows are gone for good.
    db.session.rollback()
    with db.transaction() as session:
        gone = sa.delete(KeptDossier).where(erased_since(KeptDossier.made_at))
        gone = gone.execution_options(synchronize_session=False)
        found = set(session.scalars(gone.returning(KeptDossier.sha256)))
    for sha256 in sorted(one for one in found if one is not None):
        if not _mentioned(sha256):
            file_store().remove(sha256)


def _mentioned(sha256: str) -> bool:
    """Say whether a row holds the same content: somebody keeps it as a document."""
    with db.read_only() as session:
        columns = [
            one.c.sha256 for one in tables_in(session.connection()) if "sha256" in one.c
        ]
        return any(
            session.scalar(sa.select(sa.exists().where(one == sha256)))
            for one in columns
        )


SUBSCRIBERS = [
    Subscriber("interactions.dossiers_erased", ("contact.erased",), forget_erased)
]
# Also by the hour: one that was being made at that moment was ready only afterwards,
# and a restored backup brings back what was there.
JOBS = [
    Job("interactions.dossiers", timedelta(hours=1), forget_old),
    Job("interactions.dossiers_erased", timedelta(hours=1), forget_erased),
]
