"""Audiences in words: the badge on an entry, and the list of who will read it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from core.audiences import Audience, AudienceSpec
from core.contacts.models import Contact
from core.db import JSONType, db
from core.errors import Invalid
from core.i18n import _, ngettext
from core.users.models import Team, TeamMember, User
from core.visibility import get_visible


@dataclass(frozen=True)
class AudienceView:
    """An audience as its badge shows it; `outside` is solid orange on screen."""

    kind: str
    label: str
    outside: bool


@dataclass(frozen=True)
class OutsideReader:
    """Somebody outside the house who will read an entry; `id` is their account's."""

    id: int
    name: str
    organisation: str


@dataclass(frozen=True)
class Readers:
    """Who exactly will see an entry: colleagues by name, outsiders by name and firm.

    `silent` are contacts it is shared with in which nobody can sign in yet.
    """

    inside: tuple[str, ...]
    outside: tuple[OutsideReader, ...]
    silent: tuple[str, ...]


def describe(
    audiences: Iterable[Audience],
    viewer: User,
    *,
    others: Iterable[tuple[str, int]] = (),
) -> dict[int, AudienceView]:
    """Put audiences into words, by audience id; at most one statement for any list.

    The names of `others`, ("user", id) or ("team", id), are read along for `name_of`.
    """
    found = {one.id: one for one in audiences}
    names = _names(found.values(), others)
    return {
        key: AudienceView(one.kind, _label(one, viewer, names), one.kind == "shared")
        for key, one in found.items()
    }


@dataclass(frozen=True)
class _Name:
    name: str
    roles: list[str]


# Names by what they are of ("team", "user", "contact") and their id.
_Names: TypeAlias = dict[tuple[str, int], _Name]


def remember_names(of: Literal["team", "user"], names: Mapping[int, str]) -> None:
    """Spare `describe` a statement in this request: these names were read already."""
    _remembered().update({(of, key): _Name(one, []) for key, one in names.items()})


def remember_contact(contact: Contact) -> None:
    """Spare `describe` a statement in this request, as `remember_names` does."""
    _remembered()["contact", contact.id] = _Name(contact.name, contact.roles)


def name_of(of: Literal["team", "user"], number: int) -> str | None:
    """Give a name that this request has read already."""
    found = _remembered().get((of, number))
    return found.name if found else None


def _remembered() -> _Names:
    # A session lives as long as a request or a delivery, so nothing here grows old.
    names: _Names = db.session.info.setdefault("rapport_names", {})
    return names


def _names(
    audiences: Collection[Audience], others: Iterable[tuple[str, int]] = ()
) -> _Names:
    known = _remembered()
    beside: dict[str, set[int]] = {"team": set(), "user": set()}
    for of, number in others:
        beside[of].add(number)
    none = sa.cast(sa.null(), JSONType)
    wanted: list[tuple[str, Any, Any, set[int]]] = [
        ("team", Team, none, beside["team"].union(*(one.teams for one in audiences))),
        ("user", User, none, beside["user"].union(*(one.users for one in audiences))),
        (
            "contact",
            Contact,
            Contact.roles,
            {c for one in audiences for c in one.shared_with},
        ),
    ]
    parts = []
    for of, model, roles, ids in wanted:
        unknown = {one for one in ids if (of, one) not in known}
        if unknown:
            columns = (model.id.label("id"), model.name.label("name"))
            part = sa.select(sa.literal(of).label("of"), *columns, roles.label("roles"))
            parts.append(part.where(model.id.in_(unknown)))
    if parts:
        for row in db.session.execute(sa.union_all(*parts)):
            known[row.of, row.id] = _Name(row.name, row.roles or [])
    return known


def _label(audience: Audience, viewer: User, names: _Names) -> str:
    if audience.kind == "teams":
        teams = _sorted_names(names, "team", audience.teams)
        return ", ".join([*teams, *_sorted_names(names, "user", audience.users)])
    if audience.kind == "staff":
        return _("All colleagues")
    if audience.kind == "private":
        others = _sorted_names(
            names, "user", [one for one in audience.users if one != viewer.id]
        )
        if not others:
            return _("Only you")
        return _("Only you and %(names)s", names=", ".join(others))
    if viewer.kind != "staff":
        # Who else it is shared with is not this reader's business.
        return _("Shared with you")
    firms = [
        names[key] for one in audience.shared_with if (key := ("contact", one)) in names
    ]
    if len(audience.shared_with) == 1 or not firms:
        vendor = all(
            "vendor" in one.roles and "customer" not in one.roles for one in firms
        )
        return _("Vendor sees this") if firms and vendor else _("Customer sees this")
    first, more = min(one.name for one in firms), len(audience.shared_with) - 1
    return _("%(name)s + %(count)d sees this", name=first, count=more)


def _sorted_names(names: _Names, of: str, ids: Iterable[int]) -> list[str]:
    return sorted(names[of, one].name if (of, one) in names else "?" for one in ids)


def readers_of(spec: AudienceSpec) -> Readers:
    """List who exactly will see an entry with this audience."""
    active = sa.select(User.name).where(User.active, User.kind == "staff")
    if spec.kind == "private":
        inside = active.where(User.id.in_(spec.users))
    elif spec.kind == "teams":
        members = sa.select(TeamMember.user_id).where(
            TeamMember.team_id.in_(spec.teams)
        )
        inside = active.where(sa.or_(User.id.in_(members), User.id.in_(spec.users)))
    else:
        inside = active
    names = tuple(db.session.scalars(inside.order_by(User.name)))
    if spec.kind != "shared":
        return Readers(names, (), ())
    return Readers(names, *_outside(spec))


def _outside(
    spec: AudienceSpec,
) -> tuple[tuple[OutsideReader, ...], tuple[str, ...]]:
    wanted = spec.shared_with
    accounts = db.session.execute(
        sa.select(
            User.id,
            User.name,
            User.contact_id,
            User.person_id,
            Contact.name.label("firm"),
        )
        .outerjoin(Contact, Contact.id == User.contact_id)
        .where(
            User.active,
            User.kind != "staff",
            sa.or_(User.contact_id.in_(wanted), User.person_id.in_(wanted)),
        )
        .order_by(Contact.name, User.name)
    ).all()
    reached = {row.contact_id for row in accounts} | {row.person_id for row in accounts}
    silent = db.session.scalars(
        sa.select(Contact.name).where(Contact.id.in_(wanted - reached))
    )
    outside = tuple(OutsideReader(row.id, row.name, row.firm or "") for row in accounts)
    return outside, tuple(silent)


def words_for(readers: Readers) -> str:
    """Say in one sentence who will see it."""
    inside = ngettext(
        "%(num)d colleague will see this.",
        "%(num)d colleagues will see this.",
        len(readers.inside),
    )
    if not readers.outside and not readers.silent:
        nobody = _("Nobody outside.")
        return f"{inside} {nobody}"
    outside = ngettext(
        "%(num)d person outside will see this.",
        "%(num)d people outside will see this.",
        len(readers.outside),
    )
    return f"{outside} {inside}"


def choose_audience(
    author: User,
    kind: str | None,
    *,
    teams: Iterable[str] = (),
    users: Iterable[int] = (),
    shared_with: Iterable[int] = (),
    contact: Contact | None = None,
    also: Iterable[int] = (),
) -> AudienceSpec:
    """Turn what a form or program sent into an audience; `kind` None is the default.

    `teams` are names; `also` are colleagues who read it beside these teams. `shared`
    without readers means the contact it is written on. A portal user's own words are
    always shared with their organisation. Raises `Invalid` for an unknown team or
    colleague, and for a contact the author cannot see.
    """
    if author.kind != "staff":
        own = author.contact_id or author.person_id
        return AudienceSpec("shared", shared_with=frozenset({own} if own else set()))
    if kind is None:
        return _default(author)
    if kind == "staff":
        return AudienceSpec("staff")
    if kind == "teams":
        named = _colleagues(also)
        return AudienceSpec("teams", teams=_team_ids(author, list(teams)), users=named)
    if kind == "private":
        return AudienceSpec("private", users=_colleagues({*users, author.id}))
    if kind == "shared":
        wanted = frozenset(shared_with) or frozenset({contact.id} if contact else set())
        for one in wanted:
            get_visible(author, Contact, one)
        return AudienceSpec("shared", shared_with=wanted)
    raise Invalid(errors={"audience": [_("Choose private, teams, staff or shared.")]})


def _default(author: User) -> AudienceSpec:
    if author.team_ids:
        return AudienceSpec("teams", teams=frozenset(author.team_ids))
    return AudienceSpec("staff")


def _colleagues(ids: Iterable[int]) -> frozenset[int]:
    chosen = frozenset(ids)
    query = sa.select(User.id).where(User.id.in_(chosen), User.kind == "staff")
    if chosen and chosen - set(db.session.scalars(query)):
        raise Invalid(errors={"users": [_("This colleague is not known.")]})
    return chosen


def _team_ids(author: User, names: list[str]) -> frozenset[int]:
    if not names:
        return frozenset(author.team_ids)
    rows = db.session.execute(
        sa.select(Team.id, Team.name).where(Team.name.in_(names))
    ).all()
    missing = sorted(set(names) - {row.name for row in rows})
    if missing:
        said = _("There is no team %(names)s.", names=", ".join(missing))
        raise Invalid(errors={"teams": [said]})
    return frozenset(row.id for row in rows)
