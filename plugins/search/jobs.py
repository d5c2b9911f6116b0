"""Scheduled work of search."""

from datetime import timedelta

from core.jobs import Job
from plugins.search.engine import backend
from plugins.search.indexing import build_if_needed
from plugins.search.reconciling import reconcile
from plugins.search.saved import tell_news

# Joining takes a while and holds up writing, so it waits until it is worth it.
MANY_PIECES = 12


def tidy() -> None:
    """Join the pieces of the index when there are many, so that it stays fast."""
    if backend().needs_build() is None and backend().stats().segments > MANY_PIECES:
        backend().optimise()


JOBS = [
    Job("search.build", timedelta(minutes=5), build_if_needed),
    Job("search.reconcile", timedelta(days=1), reconcile),
    Job("search.tidy", timedelta(days=1), tidy),
    Job("search.news", timedelta(minutes=15), tell_news),
]
