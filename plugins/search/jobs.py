"""Scheduled work of search."""

from datetime import timedelta

from core.jobs import Job
from plugins.search.engine import backend
from plugins.search.indexing import build_if_needed


def tidy() -> None:
    """Join the pieces of the index, so that searching stays fast."""
    if backend().needs_build() is None:
        backend().optimise()


JOBS = [
    Job("search.build", timedelta(minutes=5), build_if_needed),
    Job("search.tidy", timedelta(days=1), tidy),
]
