"""Looking after hand-overs that nobody presses a button for."""

from datetime import timedelta

from core.jobs import Job
from plugins.interactions.hand_overs.services import end_what_is_looked_at

JOBS = [
    Job("interactions.hand_overs", timedelta(minutes=10), end_what_is_looked_at),
]
