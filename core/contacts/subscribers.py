"""Telling somebody that a contact became theirs."""

from core.contacts.models import Contact
from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import User

OWNER = NotificationKind("contacts.owner", _l("A contact became yours"), "person-check")
KINDS = [OWNER]


def tell_owner(event: Event) -> None:
    """Tell a colleague that somebody else made them the owner of a contact.

    What an import brings in is told by its own notification, so this does not hear of
    it. Running twice is harmless: the event is the key.
    """
    fields = event.data.get("fields", [])
    if event.type == "contact.updated" and "owner_id" not in fields:
        return
    contact = load_ref(event.subject)
    if not isinstance(contact, Contact) or contact.owner_id is None:
        return
    if event.actor_id is None or contact.owner_id == event.actor_id:
        return
    owner = db.session.get(User, contact.owner_id)
    actor = db.session.get(User, event.actor_id)
    if owner is None or actor is None:
        return
    notify(
        [owner],
        kind=OWNER.name,
        record=contact,
        text=_l(
            "%(name)s made you the owner of %(contact)s.",
            name=actor.name,
            contact=contact.name,
        ),
        key=f"{OWNER.name}:{event.id}",
        by=actor.id,
        deputies=True,
    )


ALL = [
    Subscriber(
        "contacts.owner",
        ("contact.created", "contact.updated"),
        tell_owner,
        bulk=False,
    ),
]
