"""Following a merge to what could not move at that moment."""

from datetime import timedelta

from core.contacts.merging.events import MERGED
from core.contacts.merging.models import Merge
from core.contacts.merging.parting import follow, follow_all
from core.db import db
from core.events import Event, Subscriber
from core.jobs import Job


def move_strays(event: Event) -> None:
    """Move what somebody saved on the one that went while it was being merged."""
    merge = db.session.get(Merge, event.data["merge"])
    if merge is not None and merge.parted_at is None:
        follow(merge)


ALL = [Subscriber("contacts.merged", (MERGED.name,), move_strays)]
# A plugin that was off during a merge comes on with rows that still name who went.
JOBS = [Job("contacts.merged", timedelta(minutes=15), follow_all)]
