"""Whom a text calls by `@name`, and what it is about by `#tag`.

A name is found by what it is, so that any door may write it: page, API, file. What was
found is kept with the entry by its number, so that it outlives a change of the name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from babel.lists import format_list
from flask_babel import get_locale

from core.audiences import AudienceSpec
from core.db import db
from core.errors import Invalid
from core.events import announce
from core.i18n import _
from core.interactions.models import Interaction, InteractionTag
from core.marks import TAG, mention_pattern, plain, tag_of
from core.markup import spoken
from core.users.models import Team, TeamMember, User

Of: TypeAlias = Literal["user", "team"]
MOST_MENTIONS, MOST_TAGS, MOST_SIGNS = 50, 50, 500
_MAYBE = re.compile(r"@\w")


@dataclass(frozen=True)
class Mention:
    """A colleague or a team whom a text calls by `name`."""

    of: Of
    id: int
    name: str

    def stored(self) -> dict[str, Any]:
        """Give it as the entry keeps it."""
        return {self.of: self.id, "as": self.name}


class MentionOutside(Invalid):
    """A text calls somebody who may not read it; `missing` are they."""

    def __init__(self, message: str, missing: Sequence[Mention], *, may_add: bool):
        """Say who it is, and whether they may be added."""
        super().__init__(message, errors={"body": [message]})
        self.missing = missing
        self.may_add = may_add


def mentions_of(stored: Iterable[Mapping[str, Any]]) -> list[Mention]:
    """Give the mentions that an entry keeps."""
    found = []
    for one in stored:
        of: Of = "user" if "user" in one else "team"
        found.append(Mention(of, one[of], one["as"]))
    return found


# Whom one may call, by their names in small letters.
Names: TypeAlias = dict[str, list["Mention"]]


def find_mentions(
    body: str, kept: Iterable[Mention] = (), *, names: Names | None = None
) -> list[Mention]:
    """Find whom `body` calls; each of `kept` also by the name of then.

    A first name is enough where only one colleague has it. Who reads many texts gives
    the `names_to_call`.
    """
    # What calls more often than a note can is none: each is compared with each name.
    if not _MAYBE.search(body) or body.count("@") > MOST_SIGNS:
        return []
    known = names_to_call(kept) if names is None else names
    # As they are written too: in small letters "Groß" has one letter more.
    written = [one.name for ones in known.values() for one in ones]
    pattern = mention_pattern([*known, *written])
    found: dict[tuple[Of, int], Mention] = {}
    for match in pattern.finditer(spoken(body)):
        for one in known.get(plain(match["name"]), ()):
            found.setdefault((one.of, one.id), one)
    return list(found.values())[:MOST_MENTIONS]


def names_to_call(kept: Iterable[Mention] = ()) -> Names:
    """Give whom one may call, by their names in small letters."""
    rows = db.session.execute(
        sa.union_all(
            sa.select(sa.literal("user").label("of"), User.id, User.name).where(
                User.active, User.kind == "staff"
            ),
            sa.select(sa.literal("team"), Team.id, Team.name),
        )
    ).all()
    known: Names = {}
    first: Names = {}
    for row in rows:
        one = Mention(row.of, row.id, row.name)
        known.setdefault(plain(row.name), []).append(one)
        given = row.name.split()[0] if row.name.split() else ""
        if one.of == "user" and given:
            first.setdefault(plain(given), []).append(replace(one, name=given))
    for name, ones in first.items():
        if len(ones) == 1:
            known.setdefault(name, ones)
    for one in kept:
        known.setdefault(plain(one.name), [one])
    return known


def find_tags(body: str) -> list[str]:
    """Name the tags of a text, in small letters, each once."""
    if "#" not in body:
        return []
    found = (tag_of(match["tag"]) for match in TAG.finditer(spoken(body)))
    return list(dict.fromkeys(found))[:MOST_TAGS]


def unseen_by(
    spec: AudienceSpec, mentions: Sequence[Mention], author: User | None
) -> list[Mention]:
    """Give those of `mentions` who may not read what `spec` is for."""
    if spec.kind not in {"private", "teams"}:
        return []
    mine = {author.id} if author else set()
    users = {one.id for one in mentions if one.of == "user"} - spec.users - mine
    if users and spec.teams:
        query = sa.select(TeamMember.user_id).where(
            TeamMember.team_id.in_(spec.teams), TeamMember.user_id.in_(users)
        )
        users -= set(db.session.scalars(query))
    return [
        one
        for one in mentions
        if (one.id in users if one.of == "user" else one.id not in spec.teams)
    ]


def check_mentions(
    body: str, spec: AudienceSpec, author: User, *, may_add: bool = True
) -> None:
    """Refuse with `MentionOutside` a text that calls somebody who may not read it."""
    if author.kind != "staff" or spec.kind not in {"private", "teams"}:
        return
    _refuse(unseen_by(spec, find_mentions(body), author), spec, may_add)


def check_mentions_anew(
    entry: Interaction, body: str | None, spec: AudienceSpec | None, actor: User
) -> None:
    """Refuse a change after which an entry calls somebody new who may not read it."""
    if body is None or actor.kind != "staff":
        return
    readers = spec or entry.audience.spec
    before = mentions_of(entry.mentions)
    known = {(one.of, one.id) for one in before}
    found = find_mentions(body, before)
    fresh = [one for one in found if (one.of, one.id) not in known]
    missing = unseen_by(readers, fresh, entry.author)
    _refuse(missing, readers, may_add=entry.parent_id is None)


def _refuse(missing: Sequence[Mention], spec: AudienceSpec, may_add: bool) -> None:
    if missing:
        raise MentionOutside(_why(spec, missing, may_add), missing, may_add=may_add)


def _why(spec: AudienceSpec, missing: Sequence[Mention], may_add: bool) -> str:
    names = ", ".join(one.name for one in missing)
    if not may_add:
        return _(
            "%(names)s cannot read this conversation. Remove the mention.", names=names
        )
    if spec.kind == "private":
        return _(
            "%(names)s: only you and who you named will read this. Add them, or remove "
            "the mention.",
            names=names,
        )
    query = sa.select(Team.name).where(Team.id.in_(spec.teams)).order_by(Team.name)
    names_of_teams = list(db.session.scalars(query))
    teams = format_list(names_of_teams, style="or", locale=get_locale() or "en")
    return _(
        "%(names)s is not in %(teams)s. Add them, or remove the mention.",
        names=names,
        teams=teams,
    )


def with_readers(spec: AudienceSpec, added: Iterable[tuple[Of, int]]) -> AudienceSpec:
    """Open an audience to those who were added to it.

    Raises `Invalid` for somebody who is no colleague, and no team.
    """
    wanted = set(added)
    if not wanted or spec.kind not in {"private", "teams"}:
        return spec
    users = {number for of, number in wanted if of == "user"}
    teams = {number for of, number in wanted if of == "team"}
    staff = sa.select(User.id).where(User.id.in_(users), User.kind == "staff")
    known = set(db.session.scalars(staff)) if users else set()
    there = sa.select(Team.id).where(Team.id.in_(teams))
    if users - known or (teams and teams - set(db.session.scalars(there))):
        raise Invalid(errors={"audience": [_("This colleague is not known.")]})
    everybody = AudienceSpec(
        "teams", teams=spec.teams | teams, users=spec.users | users
    )
    if not everybody.teams:
        return AudienceSpec("private", users=everybody.users)
    return everybody


def mark_text(interaction: Interaction) -> None:
    """Keep whom the text calls and its tags; tell whom it calls for the first time."""
    tags = find_tags(interaction.body)
    if tags or interaction.id:
        interaction.tags = [one for one in interaction.tags if one.tag in tags] + [
            InteractionTag(tag=one)
            for one in tags
            if one not in {known.tag for known in interaction.tags}
        ]
    if interaction.author is not None and interaction.author.kind != "staff":
        # Outside nobody knows who works here.
        return
    before = mentions_of(interaction.mentions or [])
    found = find_mentions(interaction.body, before)
    interaction.mentions = [one.stored() for one in found]
    known = {(one.of, one.id) for one in before}
    fresh = [one for one in found if (one.of, one.id) not in known]
    if fresh:
        data = {
            "users": [one.id for one in fresh if one.of == "user"],
            "teams": [one.id for one in fresh if one.of == "team"],
        }
        announce("interaction.mentioned", interaction, data)
