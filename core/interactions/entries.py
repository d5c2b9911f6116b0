"""Entries as a page shows them: names, words and addresses, for one reader."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import aliased, load_only

from core.contacts.models import Contact
from core.i18n import _
from core.interactions.addresses import part_of_page, tags_address
from core.interactions.details import facts_of
from core.interactions.mentions import mentions_of
from core.interactions.models import Interaction, InteractionContact
from core.interactions.rules import may_change
from core.kinds import EntryWords, InteractionKind, is_automatic, kind_of
from core.marks import Marks
from core.markup import to_html
from core.opening import waits_for_outside
from core.pages import EntryFile, entry_files, entry_parts
from core.readers import AudienceView, describe, name_of
from core.records import record_type_of
from core.sight import among
from core.statements import prepared
from core.users.models import User
from core.visibility import visible_conditions

# The list of entries is a plugin's; without it a tag leads nowhere.


@dataclass(frozen=True)
class EntryView:
    """What the `timeline_entry` macro draws."""

    id: int
    version: int
    author_name: str
    author_id: int | None
    kind: str
    kind_title: object
    kind_icon: str
    subject: str
    occurred_at: datetime
    edited_at: datetime | None
    contacts: Sequence[tuple[str, str | None]]
    audience: AudienceView
    # Markdown, and what it looks like.
    body: str
    html: Markup
    replies: int
    url: str | None
    parent: int | None
    pinned: bool
    changeable: bool
    attachments: Sequence[EntryFile] = ()
    facts: Sequence[str] = ()
    # Where its replies and its former versions are shown in place.
    replies_url: str | None = None
    history_url: str | None = None
    # Where what it is linked to is named, if it is linked to anything.
    links_url: str | None = None
    # What plugins add to it, by the name of the `EntryPart`.
    parts: Mapping[str, Any] = field(default_factory=dict)
    # Whether nobody wrote it by hand: a plugin did, because something happened.
    automatic: bool = False
    # Whether people outside, who are to see it, do not see it yet.
    waits: bool = False


@dataclass
class _Around:
    contacts: list[Contact]
    replies: int = 0
    parts: Mapping[str, Any] = field(default_factory=dict)


def show_entries(
    found: Sequence[Interaction], user: User, *, on: Contact | None = None
) -> list[EntryView]:
    """Put `found` into words for `user`, with a constant number of statements.

    The contact whose page it is, `on`, is not named again beside each entry. What
    `user` may not know, such as another customer's name, is left out.
    """
    around = _around(found, user)
    called = {
        (one.of, one.id) for entry in found for one in mentions_of(entry.mentions)
    }
    inside = user.kind == "staff"
    audiences = [one.audience for one in found]
    words = describe(audiences, user, others=called if inside else ())
    return [
        _view(one, user, around[one.id], words[one.audience_id], on) for one in found
    ]


def _view(
    entry: Interaction,
    user: User,
    around: _Around,
    audience: AudienceView,
    on: Contact | None,
) -> EntryView:
    kind = kind_of(entry.kind)
    files = entry_files()
    inside = user.kind == "staff"
    others = [one for one in around.contacts if on is None or one.id != on.id]
    facts, body = _words(entry, kind, around) if inside else ((), entry.body)
    return EntryView(
        id=entry.id,
        version=entry.version,
        author_name=name_of_author(entry),
        author_id=entry.author_id if inside else None,
        kind=entry.kind,
        # The plugin that knew this kind may be gone; its entries are not.
        kind_title=kind.title if kind else entry.kind.replace("_", " ").capitalize(),
        kind_icon=kind.icon if kind else "chat-left-text",
        subject=entry.subject,
        occurred_at=entry.occurred_at,
        edited_at=entry.edited_at,
        contacts=[(one.name, _address(one, user)) for one in others],
        audience=audience,
        body=body,
        html=to_html(body, marks_of(entry, user)),
        replies=around.replies,
        url=_address(entry, user),
        parent=entry.parent_id,
        pinned=entry.pinned,
        changeable=may_change(user, entry),
        facts=facts,
        replies_url=part_of_page(entry, "replies") if inside else None,
        history_url=part_of_page(entry, "history") if inside else None,
        links_url=part_of_page(entry, "links") if around.parts.get("links") else None,
        parts=around.parts,
        automatic=is_automatic(entry.kind),
        waits=inside and waits_for_outside(entry),
        attachments=around.parts.get(files.part.name, ()) if files else (),
    )


def _words(
    entry: Interaction, kind: InteractionKind | None, around: _Around
) -> tuple[Sequence[str], str]:
    """Say an entry to a colleague: its facts and its text, as its kind has them.

    Whence somebody came to us is nobody's business outside, nor is how we put it.
    """
    facts = facts_of(entry, kind)
    if kind is None or kind.renderer is None:
        return list(facts.values()), entry.body
    # Plain values, not the record: what it may lead to is not for every reader.
    said = kind.renderer(
        EntryWords(
            entry.occurred_at,
            entry.subject,
            entry.body,
            facts,
            dict(entry.details),
            around.parts,
        )
    )
    return list(said.facts.values()), said.body


def marks_of(entry: Interaction, user: User) -> Marks:
    """Say what `@` and `#` in the text of an entry are to `user`.

    Outside they are the words that they are: who works here is nobody's business.
    """
    if user.kind != "staff":
        return Marks()
    names = tuple(
        (
            one.name,
            name_of(one.of, one.id) or one.name,
            (one.of, one.id) == ("user", user.id),
        )
        for one in mentions_of(entry.mentions)
    )
    return Marks(names, tags_address())


def name_of_author(entry: Interaction) -> str:
    """Name who wrote an entry, with an account or without."""
    if entry.author is not None:
        return entry.author.name
    return entry.author_name or _("Unknown")


def _address(record: Interaction | Contact, user: User) -> str | None:
    kind = record_type_of(record)
    return kind.url(record, user) if kind else None


def _around(found: Sequence[Interaction], user: User) -> dict[int, _Around]:
    """Read the contacts and count the replies of all entries in one statement."""
    gathered: dict[int, _Around] = defaultdict(lambda: _Around([]))
    if not found:
        return gathered
    rows = prepared(user, _beside).rows(ids=[one.id for one in found])
    parts = entry_parts()
    for entry_id, count, *texts, contact in rows:
        around = gathered[entry_id]
        around.replies = count
        around.parts = {
            part.name: part.read(text, user)
            for part, text in zip(parts, texts, strict=True)
        }
        if contact is not None:
            around.contacts.append(contact)
    return gathered


def _beside(user: User) -> sa.Select[Any]:
    reply = aliased(Interaction)
    replies = (
        sa.select(sa.func.count())
        .where(reply.parent_id == Interaction.id, reply.trashed_at.is_(None))
        .where(*visible_conditions(user, reply))
        .correlate(Interaction)
        .scalar_subquery()
    )
    link = InteractionContact
    known = sa.and_(
        Contact.id == link.contact_id,
        # Who was erased still took part.
        sa.or_(Contact.trashed_at.is_(None), Contact.erased_at.is_not(None)),
        *visible_conditions(user, Contact),
    )
    return (
        sa.select(Interaction.id, replies, *_parts(user), Contact)
        .outerjoin(link, link.interaction_id == Interaction.id)
        .outerjoin(Contact, known)
        .where(among(Interaction.id, "ids"))
        .order_by(Contact.sort_name, Contact.id)
        .options(load_only(Contact.name, Contact.kind))
    )


def _parts(user: User) -> list[sa.ColumnElement[Any]]:
    return [one.rows(user).label(f"part_{n}") for n, one in enumerate(entry_parts())]
