"""What happens to entries by the clock: people outside come to see them."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber, announce
from core.interactions.events import OPENED, OPENING
from core.interactions.models import Interaction
from core.opening import waits_for_outside
from core.records import load_ref


def tell_it_is_open(event: Event) -> None:
    """Tell everybody who reads an entry that people outside see it from now on.

    They do without this. Running twice is harmless; what was taken back, or waits
    again, is not told.
    """
    entry = load_ref(event.subject)
    if not isinstance(entry, Interaction) or entry.opens_at is None:
        return
    if entry.trashed_at is not None or waits_for_outside(entry):
        return
    told = sa.select(Event.id).where(
        Event.subject == entry.ref,
        Event.type == OPENED.name,
        Event.time >= entry.opens_at,
    )
    if db.session.scalar(told.limit(1)) is None:
        announce(OPENED.name, entry)


ALL = [Subscriber("interaction.opening", (OPENING.name,), tell_it_is_open)]
