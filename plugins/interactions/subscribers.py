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
from core.notifications.services import may_see, notify
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
    """Tell those whom an entry calls since somebody changed it."""
    entry = load_ref(event.subject)
    if isinstance(entry, Interaction) and entry.trashed_at is None:
        called = {of: event.data[f"{of}s"] for of in ("user", "team")}
        _tell_mentioned(entry, called, but={entry.author_id, event.actor_id})


def _tell_mentioned(
    entry: Interaction,
    called: Mapping[str, Collection[int]],
    *,
    but: Collection[int | None],
) -> None:
    members = sa.select(TeamMember.user_id).where(
        TeamMember.team_id.in_(called["team"])
    )
    meant = sa.or_(User.id.in_(called["user"]), User.id.in_(members))
    query = sa.select(User).where(meant, User.kind == "staff").order_by(User.id)
    users = [one for one in db.session.scalars(query).unique() if one.id not in but]
    name, contact = name_of_author(entry), entry.contact
    # Who may read the entry and not see its contact is not told whom it is about.
    knowing = [one for one in users if contact is not None and may_see(one, contact)]
    if contact is not None and knowing:
        said = _l("%(name)s mentions you: %(contact)s", name=name, contact=contact.name)
        _notify(knowing, MENTIONED, entry, said)
    _notify(users, MENTIONED, entry, _l("%(name)s mentions you in a note", name=name))


def _tell_thread(
    entry: Interaction, users: Iterable[User], *, but: Collection[int | None]
) -> None:
    inside = [one for one in users if one.kind == "staff" and one.id not in but]
    outside = [one for one in users if one.kind != "staff" and one.id not in but]
    name = name_of_author(entry)
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
        "%(name)s wrote about %(contact)s.",
        name=name_of_author(entry),
        contact=contact.name,
    )
    _notify([one for one in who if one.kind == "staff"], WRITTEN, entry, said)


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
        tell_of_entry,
        # What an import brings in is history, and no news.
        bulk=False,
    ),
    Subscriber(
        "interactions.mentioned", ("interaction.mentioned",), tell_mentioned, bulk=False
    ),
]
