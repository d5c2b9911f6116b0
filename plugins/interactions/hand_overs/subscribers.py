"""Telling the giver that all of a hand-over was looked at.

Its receiver is told that they own the contact, as always when somebody else makes them
the owner; the hand-over stands on its page and on "my day".
"""

from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from plugins.interactions.hand_overs.models import HandOver

TAKEN = NotificationKind(
    "interactions.taken", _l("A customer you handed over was taken over"), "check-lg"
)
KINDS = [TAKEN]


def tell_giver(event: Event) -> None:
    """Tell who handed a customer over that the receiver has looked at everything."""
    made = load_ref(event.subject)
    if not isinstance(made, HandOver) or made.giver is None or made.receiver is None:
        return
    if made.finished_at is None or "finished_at" not in event.data.get("fields", []):
        return
    notify(
        [made.giver],
        kind=TAKEN.name,
        record=made,
        text=_l(
            "%(who)s has taken over %(name)s",
            who=made.receiver.name,
            name=made.contact.name,
        ),
        by=event.actor_id,
    )


ALL = [
    Subscriber(
        "interactions.hand_over",
        ("interactions.hand_over.updated",),
        tell_giver,
        bulk=False,
    )
]
