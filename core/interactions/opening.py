"""Waiting before people outside see an entry, and taking it back in that time."""

from datetime import datetime

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.errors import Conflict, NotFound
from core.events import announce
from core.i18n import _
from core.interactions.events import OPENING
from core.interactions.models import Interaction
from core.opening import opening_time, waits_for_outside
from core.users.models import User


def opening_of(
    author: User | None,
    spec: AudienceSpec,
    parent: Interaction | None,
) -> datetime | None:
    """Say when a new entry is seen outside: never before what it answers.

    What people outside, an import or the house itself writes does not wait.
    """
    if author is None or author.kind != "staff" or spec.kind != "shared":
        return None
    times = [opening_time()]
    if parent is not None and waits_for_outside(parent):
        times.append(parent.opens_at)
    return max((one for one in times if one is not None), default=None)


def hold_opening(
    entry: Interaction, spec: AudienceSpec, actor: User | None, *, opens: bool
) -> None:
    """Have an entry that gets the readers of `spec` wait for those outside.

    One that waits already goes back to what it was before that, if it is taken back.
    """
    if spec.kind != "shared":
        entry.opens_at = entry.opens_from_id = None
    elif opens and actor is not None and actor.kind == "staff":
        waits, at = waits_for_outside(entry), opening_time()
        if at is not None and not waits:
            entry.opens_from_id = entry.audience_id
        if at is not None or not waits:
            entry.opens_at = at


def tell_of_opening(entry: Interaction) -> None:
    """Have the worker tell those outside once they see the entry."""
    if waits_for_outside(entry):
        announce(OPENING.name, entry, due=entry.opens_at)


def lock_waiting(entry: Interaction) -> Interaction:
    """Read an entry that still waits, so that nobody else takes it back meanwhile.

    Raises `Conflict` when people outside see it by now, or it was taken back.
    """
    query = sa.select(Interaction).where(Interaction.id == entry.id)
    fresh = query.with_for_update(of=Interaction)
    found = db.session.scalar(fresh.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    if found.trashed_at is not None or not waits_for_outside(found):
        raise Conflict(_("It is too late: this can be seen outside by now."))
    return found
