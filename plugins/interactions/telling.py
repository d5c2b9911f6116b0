"""Telling those who follow a contact or a thread what is new there, each once."""

from collections.abc import Collection, Iterable

from core.contacts.models import Contact
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.notifications.services import may_see, notify
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import User
from plugins.interactions import following

WRITTEN = NotificationKind(
    "interactions.written", _l("News about a customer you follow"), "chat-left-text"
)
REPLIED = NotificationKind(
    "interactions.replied",
    _l("A reply in a conversation of yours, or one you follow"),
    "reply",
    ("staff", "customer", "vendor"),
)
KINDS = [WRITTEN, REPLIED]


def tell_followers(event: Event) -> None:
    """Tell who follows its thread or one of its contacts that an entry is new to them.

    `notify` leaves out who may not read the entry; whoever was told of it before, for
    this or another reason, is not told again. Running twice is harmless.
    """
    entry = load_ref(event.subject)
    if not isinstance(entry, Interaction) or entry.trashed_at is not None:
        return
    wrote = {entry.author_id, event.actor_id}
    thread = following.of_thread(entry)
    if entry.parent_id is not None:
        _tell_thread(entry, thread.wanted.values(), but=wrote)
    places = following.by_contact(following.above(entry.contact_ids))
    for contact, followers in places.values():
        who = [one for one in followers.wanted.values() if one.id not in thread.silent]
        _tell_of_contact(entry, contact, who, but=wrote)


def _tell_thread(
    entry: Interaction, users: Iterable[User], *, but: Collection[int | None]
) -> None:
    inside = [one for one in users if one.kind == "staff" and one.id not in but]
    outside = [one for one in users if one.kind != "staff" and one.id not in but]
    name = _author(entry)
    contact = entry.contact
    knowing = [one for one in inside if contact is not None and may_see(one, contact)]
    if contact is not None and knowing:
        said = _l(
            "%(name)s replied about %(contact)s.", name=name, contact=contact.name
        )
        _notify(knowing, REPLIED, entry, said)
    _notify(inside, REPLIED, entry, _l("%(name)s replied to you.", name=name))
    _notify(outside, REPLIED, entry, _l("You have a reply."))


def _tell_of_contact(
    entry: Interaction,
    contact: Contact,
    users: Iterable[User],
    *,
    but: Collection[int | None],
) -> None:
    # The line names the contact, so whoever may not see it any more is not told.
    who = [one for one in users if one.id not in but and may_see(one, contact)]
    said = _l(
        "%(name)s wrote about %(contact)s.", name=_author(entry), contact=contact.name
    )
    _notify([one for one in who if one.kind == "staff"], WRITTEN, entry, said)


def _author(entry: Interaction) -> str:
    if entry.author is not None:
        return entry.author.name
    return entry.author_name or str(_l("Somebody"))


def _notify(
    users: Collection[User], kind: NotificationKind, entry: Interaction, said: object
) -> None:
    if users:
        notify(
            users,
            kind=kind.name,
            record=entry,
            text=said,
            key=f"interaction:{entry.id}",
            by=entry.author_id,
            deputies=True,
        )


ALL = [
    Subscriber(
        "interactions.followers",
        ("interaction.created", "interaction.audience_widened"),
        tell_followers,
        # What an import brings in is history, and no news.
        bulk=False,
    ),
]
