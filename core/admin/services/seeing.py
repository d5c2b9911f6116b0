"""Why can this user see this? Each rule that decides, asked on its own.

The rules are those of `core.visibility`, evaluated one by one in SQL: there is no
second truth here, only words. What the administrator may not read themself is named
by its author and never by its title.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from core.columns import id_in
from core.contacts.models import Contact
from core.db import Record, db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction, InteractionContact
from core.permissions import can
from core.records import RecordType, parse_ref, record_types
from core.users.models import Team, User
from core.visibility import contact_id_of, contact_rules, visible_rules, visible_to

_NUMBER = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Step:
    """One rule: what it asks, whether it holds, and the words that say why."""

    title: str
    holds: bool
    why: str


@dataclass(frozen=True)
class Explanation:
    """The verdict on one user and one record; `decided` is the rule it hangs on."""

    what: str
    sees: bool
    decided: str
    steps: list[Step] = field(default_factory=list)


def find_record(words: str, viewer: User) -> tuple[RecordType, Record]:
    """Find a record by its address here or its reference; raises `Invalid`.

    It finds what the administrator cannot read too, and says nothing of it.
    """
    words = words.strip()
    found = _by_ref(words) or _by_address(words, viewer)
    if found is None:
        said = _("There is no record at this address. Copy it from its page.")
        raise Invalid(errors={"record": [said]})
    return found


def _by_ref(words: str) -> tuple[RecordType, Record] | None:
    parsed = parse_ref(words)
    if parsed is None or parsed[0] not in record_types() or parsed[1] >= 2**31:
        return None
    kind = record_types()[parsed[0]]
    record = db.session.get(kind.model, parsed[1])
    return (kind, record) if record is not None else None


def _by_address(words: str, viewer: User) -> tuple[RecordType, Record] | None:
    try:
        parts = urlsplit(words)
    except ValueError:
        return None
    # The number in an address is an id or a number of its own; whose it is, the
    # record's own address tells.
    names = _NUMBER.findall(parts.path.rpartition("/")[2])
    if not names:
        return None
    for kind in record_types().values():
        model: Any = kind.model
        conditions = []
        number = id_in(names[0])
        if number is not None:
            conditions.append(model.id == number)
        if hasattr(model, "number"):
            column = model.number
            text = names[0]
            is_text = isinstance(column.type, sa.String)
            if is_text:
                conditions.append(column == text)
            elif number is not None:
                conditions.append(column == number)
        if not conditions:
            continue
        query = sa.select(model).where(sa.or_(*conditions)).limit(4)
        for record in db.session.scalars(query).unique():
            address = kind.url(record, viewer)
            if address and urlsplit(address).path == parts.path.rstrip("/"):
                return kind, record
    return None


def explain(
    user: User, kind: RecordType, record: Record, *, viewer: User
) -> Explanation:
    """Say whether `user` sees `record`, and which rule decides it."""
    steps = [_account(user), _permission(user, kind)]
    rules = visible_rules(user, kind.model)
    for name, condition in rules:
        holds = _holds(kind.model, record, condition)
        steps.append(_step(name, holds, user, record, viewer))
    if not rules:
        steps.append(_open_to_all(user, record))
    trash = _trash(record)
    steps += [trash] if trash else []
    wrong = next((one for one in steps if not one.holds), None)
    deciding = wrong or steps[2]
    what = name_for(viewer, kind, record)
    return Explanation(what, wrong is None, deciding.why, steps)


def _holds(model: type[Record], record: Record, condition: Any) -> bool:
    query = sa.select(model.id).where(model.id == record.id, condition)
    return db.session.scalar(query) is not None


def name_for(viewer: User, kind: RecordType, record: Record) -> str:
    """Name a record as far as `viewer` may know it."""
    readable = visible_to(viewer, kind.model).where(kind.model.id == record.id)
    if can(kind.permission, viewer) and db.session.scalar(readable) is not None:
        return f"{kind.title}: {kind.label(record)}"
    author = getattr(record, "author_id", None)
    writer = db.session.get(User, author) if author else None
    audience = getattr(record, "audience", None)
    words = {"kind": str(kind.title), "name": writer.name if writer else _("somebody")}
    if audience is not None and audience.kind == "private":
        return _("%(kind)s: a private one of %(name)s", **words)
    if writer is not None:
        return _("%(kind)s: one of %(name)s that you do not see", **words)
    return _("%(kind)s: one that you do not see", kind=words["kind"])


def _account(user: User) -> Step:
    title = _("Account")
    if not user.active:
        return Step(title, False, _("The account is closed: nobody signs in with it."))
    if user.kind == "staff":
        return Step(title, True, _("A colleague, whose account is open."))
    return Step(title, True, _("Somebody outside, in the portal; the account is open."))


def _permission(user: User, kind: RecordType) -> Step:
    title = _("Role")
    name = kind.permission.name
    words = {"permission": str(kind.permission.title)}
    giving = [r.name for r in user.roles if {name, "*"} & set(r.permissions)]
    if can(kind.permission, user):
        said = _(
            "“%(permission)s” is allowed by: %(roles)s",
            roles=", ".join(giving),
            **words,
        )
        return Step(title, True, said)
    return Step(title, False, _("No role of theirs allows “%(permission)s”.", **words))


def _step(name: str, holds: bool, user: User, record: Record, viewer: User) -> Step:
    if name == "audience":
        return Step(_("Audience"), holds, _audience_words(holds, user, record))
    if name == "outside":
        return Step(_("Kind"), holds, _("This kind of record is for colleagues only."))
    if name == "opening":
        said = _("People outside see it by now.")
        wait = _("It waits in case somebody takes it back: they do not see it yet.")
        return Step(_("Audience"), holds, said if holds else wait)
    if name == "contact":
        return _contact_step(holds, user, record)
    return Step(_("Contacts"), holds, _scope_words(name, holds, user))


def _audience_words(holds: bool, user: User, record: Record) -> str:
    audience: Any = record.audience  # type: ignore[attr-defined]
    if user.id == getattr(record, "author_id", None) and user.kind == "staff":
        return _("They wrote it themself.")
    if audience.kind == "private":
        named = _("It is private, and they are named as a reader.")
        return named if holds else _("It is private, and they are not named.")
    if audience.kind == "teams" and user.id in audience.users:
        return _("They are named as a reader, beside its teams.")
    if audience.kind == "teams":
        return _team_words(holds, user, audience)
    if user.kind == "staff":
        return _("It is for all colleagues.")
    if audience.kind == "shared":
        shared = _("It is shared with their organisation, or with them.")
        return (
            shared if holds else _("It is shared with others outside, not with them.")
        )
    if holds:
        return _("It is for every customer.")
    return _("It is for colleagues only.")


def _team_words(holds: bool, user: User, audience: Any) -> str:
    query = sa.select(Team.id, Team.name).where(Team.id.in_(audience.teams))
    teams = {row.id: row.name for row in db.session.execute(query)}
    names = ", ".join(sorted(teams.values()))
    if not holds:
        return _("It is for these teams, and they are in none: %(names)s", names=names)
    mine = ", ".join(sorted(teams[one] for one in user.team_ids if one in teams))
    return _("It is for a team they are in: %(names)s", names=mine)


def _scope_words(name: str, holds: bool, user: User) -> str:
    if name.startswith("plugin:"):
        plugin = name.partition(":")[2]
        if holds:
            return _("The plugin %(name)s lets them see this contact.", name=plugin)
        return _("The plugin %(name)s hides this contact from them.", name=plugin)
    if name == "own":
        if holds:
            return _("It is their own organisation, or themself.")
        return _("It is neither their organisation nor themself.")
    words = (
        _("Their roles reach the contacts they own and those of their teams.")
        if user.reach == "team"
        else _("Their roles reach only the contacts they own.")
    )
    end = _("This is one of them.") if holds else _("This is none of them.")
    return f"{words} {end}"


def _contact_step(holds: bool, user: User, record: Record) -> Step:
    """Say what each rule on contacts makes of the record's contacts."""
    title = _("Contacts")
    ids = _contact_ids(record)
    if not ids:
        if holds:
            return Step(title, True, _("It belongs to no contact, so none limits it."))
        return Step(title, False, _("It belongs to no contact of theirs."))
    said = []
    for name, condition in contact_rules(user):
        query = sa.select(Contact.id).where(Contact.id.in_(ids), condition)
        said.append(_scope_words(name, db.session.scalar(query) is not None, user))
    start = (
        _("They see a contact it belongs to.")
        if holds
        else _("They see no contact it belongs to.")
    )
    return Step(title, holds, " ".join([start, *said]))


def _contact_ids(record: Record) -> list[int]:
    if isinstance(record, Interaction):
        query = sa.select(InteractionContact.contact_id).where(
            InteractionContact.interaction_id == record.id
        )
        return list(db.session.scalars(query))
    one = contact_id_of(record)
    return [one] if one else []


def _open_to_all(user: User, record: Record) -> Step:
    if user.kind != "staff":
        return Step(_("Kind"), True, _("Every customer sees records of this kind."))
    if isinstance(record, Contact) or hasattr(record, "contact_id"):
        said = _("Their roles reach all contacts, and no plugin hides one.")
        return Step(_("Contacts"), True, said)
    return Step(_("Kind"), True, _("All colleagues see records of this kind."))


def _trash(record: Record) -> Step | None:
    if getattr(record, "trashed_at", None) is None:
        return None
    said = _("It is in the trash: only the trash shows it.")
    return Step(_("Trash"), False, said)
