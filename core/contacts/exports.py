"""Contacts going out, as the rows that an import of contacts takes."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from core.contacts.models import Affiliation, Contact
from core.db import db
from core.users.models import User
from core.visibility import visible_to

_SAME = (
    "id", "kind", "name", "given_name", "family_name", "job_title", "emails", "phones",
    "addresses", "roles", "tags", "custom", "language", "website", "do_not_contact",
    "know_first", "next_step", "next_step_on",
)  # fmt: skip


def rows_of_contacts(
    contacts: Sequence[Contact], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of contacts, with the names of those they belong to."""
    ids = [one.id for one in contacts]
    parents = {one.parent_id for one in contacts if one.parent_id}
    query = (
        sa.select(Affiliation)
        .where(Affiliation.person_id.in_(ids), Affiliation.active)
        .order_by(Affiliation.id.desc())
    )
    first = {one.person_id: one for one in db.session.scalars(query)}
    wanted = parents | {one.organisation_id for one in first.values()}
    seen = visible_to(user, Contact).where(Contact.id.in_(wanted))
    names = {one.id: one.name for one in db.session.scalars(seen)}
    owners = {one.owner_id for one in contacts if one.owner_id}
    query_of_mails = sa.select(User.id, User.email).where(User.id.in_(owners))
    mails = {row.id: row.email for row in db.session.execute(query_of_mails)}
    for one in contacts:
        row: dict[str, object] = {name: getattr(one, name) for name in _SAME}
        place = first.get(one.id)
        row["organisation"] = names.get(place.organisation_id) if place else None
        row["organisation_role"] = place.role if place else ""
        row["parent"] = names.get(one.parent_id or 0)
        row["owner"] = mails.get(one.owner_id or 0)
        yield row
