"""Opening a private entry: for erasure, disclosure or a leaver, and never unseen.

Administrators do not read private entries. Where the law or a leaver's desk needs it,
one entry is opened once, with a reason that stays in the house's history and reaches
the entry's author.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.admin.permissions import USERS
from core.audiences import Audience, AudienceSpec, intern_audience
from core.db import db, now
from core.errors import Invalid, NotFound
from core.events import tell
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.notifications.services import notify
from core.pages import NotificationKind
from core.users.models import User

OPENED = "private.opened"
TOLD = NotificationKind(OPENED, _l("A private entry of yours was opened"), "unlock")
SHORTEST, LONGEST, MOST = 10, 500, 200


@dataclass(frozen=True)
class Closed:
    """A private entry as an administrator may know of it: that it is there."""

    id: int
    occurred_at: datetime
    trashed: bool


def private_entries_of(user: User) -> list[Closed]:
    """List the private entries of `user`, the newest first, without a word of them."""
    query = (
        sa.select(Interaction.id, Interaction.occurred_at, Interaction.trashed_at)
        .join(Audience, Audience.id == Interaction.audience_id)
        .where(Interaction.author_id == user.id, Audience.kind == "private")
        .order_by(Interaction.occurred_at.desc(), Interaction.id.desc())
        .limit(MOST)
    )
    return [
        Closed(row.id, row.occurred_at, row.trashed_at is not None)
        for row in db.session.execute(query)
    ]


def closed_entry(interaction_id: int) -> Interaction:
    """Find a private entry; raises `NotFound` for any other."""
    small = 0 < interaction_id < 2**31
    entry = db.session.get(Interaction, interaction_id) if small else None
    if entry is None or entry.audience.kind != "private":
        raise NotFound
    return entry


def open_private(entry: Interaction, *, reason: str, by: User) -> None:
    """Write down that `by` opens a private entry and why, and tell its author.

    The fact is for the administrators of accounts and the author. Raises `Invalid`
    without a reason that says something.
    """
    reason = " ".join(reason.split())
    if not SHORTEST <= len(reason) <= LONGEST:
        said = _("Say in a sentence why it must be opened.")
        raise Invalid(errors={"reason": [said]})
    readers = {one.id for one in _administrators()} | {by.id}
    if entry.author_id is not None:
        readers.add(entry.author_id)
    audience = intern_audience(AudienceSpec("private", users=frozenset(readers)))
    # The reason is no value of a record: it must outlive the entry it opened.
    tell(OPENED, entry.ref, audience_id=audience.id, data={"reason": reason})
    if entry.author is not None:
        notify(
            [entry.author],
            kind=OPENED,
            record=entry,
            text=_l(
                "%(name)s opened a private entry of yours: %(reason)s",
                name=by.name,
                reason=reason,
            ),
            key=f"{OPENED}:{entry.id}:{now().isoformat()}",
            by=by.id,
        )


def _administrators() -> list[User]:
    query = sa.select(User).where(User.kind == "staff", User.active)
    found = db.session.scalars(query).unique()
    return [one for one in found if USERS.name in one.permissions]
