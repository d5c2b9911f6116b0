"""Telling people of an entry: whom it calls, whom it answers, and who follows.

Several reasons make one line, since everything told of an entry has the same key.
"""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.interactions.entries import name_of_author
from core.interactions.mentions import mentions_of
from core.interactions.models import Interaction
from core.notifications.models import Notification
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import TeamMember, User
from plugins.interactions.following import services as following

MENTIONED = NotificationKind(
    "interactions.mentioned", _l("Somebody mentions you"), "at"
)
WRITTEN = NotificationKind(
    "interactions.written", _l("News about a customer you follow"), "chat-left-text"
)
REPLIED = NotificationKind(
    "interactions.replied",
    _l("A reply in a conversation of yours, or one you follow"),
    "reply",
    ("staff", "customer", "vendor"),
)
KINDS = [MENTIONED, WRITTEN, REPLIED]


def tell_of_entry(event: Event) -> None:
    """Tell whom an entry calls, whom it answers and who follows its contacts.

    `notify` leaves out who may not read the entry; whoever was told of it before, for
    this or another reason, is not told again. Running twice is harmless.
    """
    entry = load_ref(event.subject)
    if not isinstance(entry, Interaction) or entry.trashed_at is not None:
        return
    wrote = {entry.author_id, event.actor_id}
    mentions = mentions_of(entry.mentions)
    if mentions:
        called = {
            of: [one.id for one in mentions if one.of == of] for of in ("user", "team")
        }
        _tell_mentioned(entry, called, but=wrote)
    thread = following.of_thread(entry)
    if entry.parent_id is not None:
        _tell_thread(entry, thread.wanted.values(), but=wrote)
    places = following.by_contact(following.above(entry.contact_ids))
    for contact, followers in places.values():
        who = [one for one in followers.wanted.values() if one.id not in thread.silent]
        _tell_of_contact(entry, contact, who, but=wrote)


def tell_mentioned(event: Event) -> None:
    """Tell those whom an entry calls only since somebody changed it.

    That is news also to who was told of the entry before, for another reason.
    """
    entry = load_ref(event.subject)
    if not isinstance(entry, Interaction) or entry.trashed_at is not None:
        return
    if entry.edited_at is None:
        # Nobody has changed it: `tell_of_entry` tells of those.
        return
    called = {of: event.data[f"{of}s"] for of in ("user", "team")}
    wrote = {entry.author_id, event.actor_id}
    _tell_mentioned(entry, called, but=wrote, key=f"mention:{entry.id}")


def _tell_mentioned(
    entry: Interaction,
    called: Mapping[str, Collection[int]],
    *,
    but: Collection[int | None],
    key: str = "",
) -> None:
    members = sa.select(TeamMember.user_id).where(
        TeamMember.team_id.in_(called["team"])
    )
    told = sa.select(Notification.user_id).where(
        Notification.kind == MENTIONED.name,
        Notification.about == entry.record_name(),
        Notification.about_id == entry.id,
    )
    query = sa.select(User).where(
        sa.or_(User.id.in_(called["user"]), User.id.in_(members)),
        User.kind == "staff",
        User.id.not_in(told),
    )
    found = db.session.scalars(query.order_by(User.id)).unique()
    users = [one for one in found if one.id not in but]
    name, contact = name_of_author(entry), entry.contact
    if contact is not None:
        said = _l("%(name)s mentions you: %(contact)s", name=name, contact=contact.name)
        _notify(users, MENTIONED, entry, said, names=contact, key=key)
    said = _l("%(name)s mentions you in a note", name=name)
    _notify(users, MENTIONED, entry, said, key=key)


def _tell_thread(
    entry: Interaction, users: Iterable[User], *, but: Collection[int | None]
) -> None:
    inside = [one for one in users if one.kind == "staff" and one.id not in but]
    outside = [one for one in users if one.kind != "staff" and one.id not in but]
    name, contact = name_of_author(entry), entry.contact
    if contact is not None:
        said = _l(
            "%(name)s replied about %(contact)s.", name=name, contact=contact.name
        )
        _notify(inside, REPLIED, entry, said, names=contact)
    _notify(inside, REPLIED, entry, _l("%(name)s replied to you.", name=name))
    _notify(outside, REPLIED, entry, _l("You have a reply."))


def _tell_of_contact(
    entry: Interaction,
    contact: Contact,
    users: Iterable[User],
    *,
    but: Collection[int | None],
) -> None:
    inside = [one for one in users if one.kind == "staff" and one.id not in but]
    said = _l(
        "%(name)s wrote about %(contact)s.",
        name=name_of_author(entry),
        contact=contact.name,
    )
    _notify(inside, WRITTEN, entry, said, names=contact)


def _notify(
    users: Collection[User],
    kind: NotificationKind,
    entry: Interaction,
    said: object,
    *,
    names: Contact | None = None,
    key: str = "",
) -> None:
    """Tell `users`; whoever may not see what the words name is left for other words."""
    if users:
        notify(
            users,
            kind=kind.name,
            record=entry,
            text=said,
            key=key or f"interaction:{entry.id}",
            by=entry.author_id,
            deputies=True,
            names=names,
        )


ALL = [
    Subscriber(
        "interactions.followers",
        (
            "interaction.created",
            "interaction.audience_widened",
            # People outside are told when they see it.
            "interaction.opened",
        ),
        tell_of_entry,
        # What an import brings in is history, and no news.
        bulk=False,
    ),
    Subscriber(
        "interactions.mentioned", ("interaction.mentioned",), tell_mentioned, bulk=False
    ),
]
