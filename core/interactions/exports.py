"""What was said and done going out, as the rows that an import of it takes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.imports import key_of
from core.interactions.linked import links_of
from core.interactions.models import Interaction, InteractionContact
from core.references import seen_by
from core.users.models import Team, User
from core.visibility import visible_to

_SAME = (
    "id", "kind", "subject", "body", "occurred_at", "direction", "source", "details",
    "pinned_at", "edited_at",
)  # fmt: skip


def rows_of_interactions(
    entries: Sequence[Interaction], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of entries, with the names of contacts and teams.

    Other records stand there by their keys, and what `user` may not see not at all.
    """
    about = _about(entries)
    contacts = _contacts(entries, about, user)
    parents = _parents(entries, user)
    teams = {one.id: one.name for one in db.session.scalars(sa.select(Team))}
    mails = _mails({id_ for one in entries for id_ in one.audience.users})
    links, keys = _links(entries, user)
    for one in entries:
        row: dict[str, object] = {name: getattr(one, name) for name in _SAME}
        spec = one.audience.spec
        first = contacts.get(one.contact_id or 0)
        row["contact"] = first.name if first else None
        row["contact_keys"] = _keys(about.get(one.id, ()), contacts)
        row["author"] = one.author.email if one.author else one.author_name
        row["parent_key"] = parents.get(one.parent_id or 0)
        row["teams"] = sorted(teams[team] for team in spec.teams if team in teams)
        # What is private is its author's anyway; beside teams they are named too.
        own = {one.author_id} if spec.kind == "private" else set()
        row["users"] = sorted(mails[id_] for id_ in spec.users - own if id_ in mails)
        shared = _keys(sorted(spec.shared_with), contacts)
        row["shared_with_keys"] = shared
        # Without one of these readers an import would choose another one outside.
        hidden = spec.kind == "shared" and not shared
        row["audience"] = "staff" if hidden else spec.kind
        row["links"] = [keys[ref] for ref in links.get(one.id, ()) if ref in keys]
        yield row


def _about(entries: Sequence[Interaction]) -> dict[int, list[int]]:
    """Give whom each entry is about, the one it was written on first."""
    link = InteractionContact
    first = {one.id: one.contact_id for one in entries}
    query = sa.select(link.interaction_id, link.contact_id)
    rows = db.session.execute(query.where(link.interaction_id.in_(first)))
    found: dict[int, list[int]] = {}
    for entry_id, contact_id in rows:
        found.setdefault(entry_id, []).append(contact_id)
    return {id_: _in_order(ones, first[id_]) for id_, ones in found.items()}


def _in_order(ids: Iterable[int], first: int | None) -> list[int]:
    return sorted(ids, key=lambda one: (one != first, one))


def _contacts(
    entries: Sequence[Interaction], about: Mapping[int, list[int]], user: User
) -> dict[int, Contact]:
    wanted = {one.contact_id for one in entries if one.contact_id}
    wanted |= {id_ for ones in about.values() for id_ in ones}
    wanted |= {id_ for one in entries for id_ in one.audience.shared_with}
    seen = visible_to(user, Contact).where(Contact.id.in_(wanted))
    return {one.id: one for one in db.session.scalars(seen).unique()}


def _keys(ids: Iterable[int], contacts: Mapping[int, Contact]) -> list[str]:
    return [key_of(contacts[one]) for one in ids if one in contacts]


def _parents(entries: Sequence[Interaction], user: User) -> dict[int, str]:
    wanted = {one.parent_id for one in entries if one.parent_id}
    if not wanted:
        return {}
    seen = visible_to(user, Interaction).where(Interaction.id.in_(wanted))
    return {one.id: key_of(one) for one in db.session.scalars(seen).unique()}


def _mails(ids: Collection[int]) -> dict[int, str]:
    people = sa.select(User.id, User.email).where(User.id.in_(ids))
    return {row.id: row.email for row in db.session.execute(people)} if ids else {}


def _links(
    entries: Sequence[Interaction], user: User
) -> tuple[dict[int, list[str]], dict[str, str]]:
    """Give what entries are linked to by references, and the keys of those."""
    links = links_of(entries, user)
    refs = {ref for ones in links.values() for ref in ones}
    return links, {ref: key_of(one) for ref, one in seen_by(user, refs).items()}
