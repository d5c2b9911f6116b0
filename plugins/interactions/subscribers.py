"""Telling people that a text calls them."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.interactions.entries import name_of_author
from core.interactions.models import Interaction
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import TeamMember, User

MENTIONED = NotificationKind(
    "interactions.mentioned", _l("Somebody mentions you"), "at"
)
KINDS = [MENTIONED]


def tell_mentioned(event: Event) -> None:
    """Tell each colleague whom an entry calls, by name or with their team, once.

    Who may not read the entry is not told, whoever called them.
    """
    entry = load_ref(event.subject)
    if not isinstance(entry, Interaction) or entry.trashed_at is not None:
        return
    teams = sa.select(TeamMember.user_id).where(
        TeamMember.team_id.in_(event.data["teams"])
    )
    called = sa.or_(User.id.in_(event.data["users"]), User.id.in_(teams))
    query = sa.select(User).where(called, User.kind == "staff", User.active)
    name = name_of_author(entry)
    text = _l("%(name)s mentions you in a note", name=name)
    if entry.contact is not None:
        text = _l(
            "%(name)s mentions you: %(contact)s", name=name, contact=entry.contact.name
        )
    notify(
        db.session.scalars(query.order_by(User.id)),
        kind=MENTIONED.name,
        record=entry,
        text=text,
        by=entry.author_id,
    )


ALL = [
    Subscriber(
        "interactions.mentioned",
        ("interaction.mentioned",),
        tell_mentioned,
        # History that is brought in calls nobody today.
        bulk=False,
    )
]
