"""What was said and done going out, as the rows that an import of it takes."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.interactions.linked import links_of
from core.interactions.models import Interaction
from core.users.models import Team, User
from core.visibility import visible_to

_SAME = (
    "id",
    "kind",
    "subject",
    "body",
    "occurred_at",
    "direction",
    "source",
    "details",
)


def rows_of_interactions(
    entries: Sequence[Interaction], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of entries, with the names of contacts and teams."""
    wanted = {one.contact_id for one in entries if one.contact_id}
    seen = visible_to(user, Contact).where(Contact.id.in_(wanted))
    names = {one.id: one.name for one in db.session.scalars(seen)}
    teams = {one.id: one.name for one in db.session.scalars(sa.select(Team))}
    named = {id_ for one in entries for id_ in one.audience.spec.users}
    people = sa.select(User.id, User.email).where(User.id.in_(named))
    mails = {row.id: row.email for row in db.session.execute(people)} if named else {}
    links = links_of(entries, user)
    for one in entries:
        row: dict[str, object] = {name: getattr(one, name) for name in _SAME}
        spec = one.audience.spec
        row["contact"] = names.get(one.contact_id or 0)
        row["author"] = one.author.email if one.author else one.author_name
        row["audience"] = spec.kind
        row["links"] = links.get(one.id, [])
        row["teams"] = sorted(teams[team] for team in spec.teams if team in teams)
        # Whom an entry names beside its author, by what an import knows them by.
        others = spec.users - {one.author_id}
        row["users"] = sorted(mails[id_] for id_ in others if id_ in mails)
        yield row
