"""Who sees what: the one module that answers it, for every door.

Pages, API, timeline, live, search and exports all start from `visible_to()`, or from
the labels that say the same to the index. A hit is: audience label × contact set ×
readable types. Nothing else in the code decides visibility; `core.event_visibility`
says the same of events.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import aliased

from core.audiences import AudienceLabel
from core.contacts.models import Contact
from core.db import Record, db
from core.errors import NotFound
from core.interactions.models import Interaction, InteractionContact
from core.opening import audience_by_now, is_open
from core.sight import Sight, told, told_among
from core.users.models import User

Condition: TypeAlias = sa.ColumnElement[bool]
# What plugins narrow contacts by: each condition with the plugin's name.
Scope: TypeAlias = Callable[[User], Sequence[tuple[str, Condition]]]
# A rule by its name, for explaining: all of a user's must hold for a record.
Rule: TypeAlias = tuple[str, Condition]

# Rows that the first migration writes: every colleague; every colleague and customer.
STAFF_AUDIENCE, CUSTOMERS_AUDIENCE = 1, 2

R = TypeVar("R", bound=Record)

_as_one: ContextVar[frozenset[int]] = ContextVar("rapport_as_one", default=frozenset())


def sight_of(user: User) -> Sight | None:
    """Say what of `user` a prepared statement has to be told.

    None where a plugin or the portal decides anew each time.
    """
    if user.kind != "staff" or _plugin_scopes(user):
        return None
    teams = user.team_ids
    values = {"sight_me": user.id, "sight_labels": sorted(labels_of(user))}
    return Sight((user.kind, user.reach, bool(teams)), values | {"sight_teams": teams})


def labels_of(user: User) -> frozenset[str]:
    """Name what `user` opens: `staff`, `team:3`, `user:7`, `shared:12`, `portal`."""
    if user.kind == "staff":
        teams = {f"team:{one}" for one in user.team_ids}
        return frozenset({"staff", f"user:{user.id}"} | teams)
    own = {f"shared:{one}" for one in open_contacts(user)}
    return frozenset(own | ({"portal"} if user.kind == "customer" else set()))


def opened_to(user: User) -> sa.Select[int]:
    """Select the ids of the audiences that `user` may read."""
    label = AudienceLabel.label
    return sa.select(AudienceLabel.audience_id).where(
        told_among(label, "labels", sorted(labels_of(user)))
    )


def labels(record: Record) -> frozenset[str]:
    """Name who opens `record`, for the search index: the same truth as `visible_to`."""
    if record.readers == "audience":
        audience = audience_by_now(record)
        if audience is None:
            return frozenset({"staff"})
        author: int | None = getattr(record, "author_id", None)
        mine = {f"user:{author}"} if author else set()
        return audience.spec.labels() | mine
    if record.readers == "customers":
        return frozenset({"staff", "portal"})
    contact = contact_id_of(record)
    if record.readers == "shared" and contact is not None:
        return frozenset({"staff", f"shared:{contact}"})
    if record.readers == "entry":
        entry = db.session.get(Interaction, getattr(record, "interaction_id", 0) or 0)
        found = labels(entry) if entry else {"staff"}
        return frozenset(one for one in found if not one.startswith("shared:"))
    return frozenset({"staff"})


def contact_id_of(record: Record) -> int | None:
    """Give the id of the contact a record hangs on, if it has one."""
    if isinstance(record, Contact):
        return record.id
    found: int | None = getattr(record, "contact_id", None)
    return found


def _own_contacts(user: User) -> list[int]:
    own = [one for one in (user.contact_id, user.person_id) if one is not None]
    one_day = _as_one.get()
    return list(dict.fromkeys([*own, *one_day])) if one_day & set(own) else own


@contextmanager
def as_if_one(*contact_ids: int) -> Iterator[None]:
    """Answer in the block as if these contacts were one already.

    So a merge can say beforehand what people outside would come to see.
    """
    token = _as_one.set(frozenset(contact_ids))
    try:
        yield
    finally:
        _as_one.reset(token)


def _plugin_scopes(user: User) -> Sequence[Condition]:
    return [condition for _plugin, condition in _named_scopes(user)]


def _named_scopes(user: User) -> Sequence[tuple[str, Condition]]:
    """Ask the plugins what narrows; an exception here closes the door, on purpose."""
    scope: Scope = current_app.extensions["rapport_contact_scope"]
    return scope(user)


def open_contacts(user: User) -> list[int]:
    """Give a portal user's own contacts, without those that a plugin hides."""
    own, narrowing = _own_contacts(user), _plugin_scopes(user)
    if not own or not narrowing:
        return own
    query = sa.select(Contact.id).where(Contact.id.in_(own), *narrowing)
    return list(db.session.scalars(query))


def contact_rules(user: User) -> list[Rule]:
    """Name what narrows the contacts of `user`: `plugin:…`, `own`, `reach`."""
    rules = [(f"plugin:{name}", one) for name, one in _named_scopes(user)]
    if user.kind != "staff":
        rules.append(("own", Contact.id.in_(_own_contacts(user))))
    elif user.reach == "team":
        mine: list[Condition] = [Contact.owner_id == told("me", user.id)]
        if user.team_ids:
            mine.append(told_among(Contact.team_id, "teams", user.team_ids))
        rules.append(("reach", sa.or_(*mine)))
    elif user.reach == "own":
        rules.append(("reach", Contact.owner_id == told("me", user.id)))
    return rules


def contact_scope(user: User) -> Condition | None:
    """Say which contacts `user` may see, as a condition on `Contact`; None is all."""
    conditions = [one for _name, one in contact_rules(user)]
    return sa.and_(*conditions) if conditions else None


def within(user: User, contact_id: Any) -> Condition | None:
    """Narrow a column of contact ids to the contacts `user` sees; None is all."""
    scope = contact_scope(user)
    if scope is None:
        return None
    return contact_id.in_(sa.select(Contact.id).where(scope))  # type: ignore[no-any-return]


def _audience_rules(user: User, model: Any) -> list[Rule]:
    opened = model.audience_id.in_(opened_to(user))
    rules: list[Rule]
    # What is attached to an entry is read by its readers, the moment they change.
    entry: list[Rule] = []
    if hasattr(model, "interaction_id"):
        entry.append(("entry", _entry_is_seen(user, model, trashed=True)))
    if user.kind != "staff":
        rules = [("audience", opened), *entry]
        if hasattr(model, "opens_at"):
            rules.append(("opening", is_open(model, opened_to(user))))
        # The labels name this reader's own contacts, so they are the limit here.
        return rules
    mine = model.author_id == told("me", user.id)
    rules = [("audience", sa.or_(opened, mine)), *entry]
    scope = contact_scope(user)
    if scope is None:
        return rules
    inside: Condition
    if sa.inspect(model).mapper.class_ is Interaction:
        inside = (
            sa.exists()
            .where(InteractionContact.interaction_id == model.id)
            .where(InteractionContact.contact_id == Contact.id)
            .where(scope)
        )
    else:
        inside = model.contact_id.in_(sa.select(Contact.id).where(scope))
    rules.append(("contact", sa.or_(model.contact_id.is_(None), inside)))
    return rules


def visible_rules(user: User, model: type[Record]) -> list[Rule]:
    """Name the conditions that all must hold for `user` to see a row of `model`.

    `audience`: its audience opens to them. `opening`: to them outside it is open by
    now, since it waits in case somebody takes it back. `contact`: they see its
    contact. `entry`: they see the entry it hangs on. `outside`: it is of a type that
    people outside see.
    A contact has the rules of `contact_rules`.
    """
    columns: Any = model
    if model is Contact:
        return contact_rules(user)
    if model.readers == "audience":
        return _audience_rules(user, columns)
    if user.kind != "staff":
        if model.readers == "customers":
            return [] if user.kind == "customer" else [("outside", sa.false())]
        if model.readers != "shared":
            return [("outside", sa.false())]
        inside = within(user, columns.contact_id)
        return [("contact", inside if inside is not None else sa.false())]
    if not hasattr(model, "contact_id") or model is User:
        return []
    rules: list[Rule] = []
    if model.readers == "entry":
        rules.append(("entry", _entry_is_seen(user, columns)))
    inside = within(user, columns.contact_id)
    if inside is not None:
        rules.append(("contact", sa.or_(columns.contact_id.is_(None), inside)))
    return rules


def _entry_is_seen(user: User, model: Any, *, trashed: bool = False) -> Condition:
    """Say that a row hangs on no entry, or on one that `user` sees."""
    # The statement around it may read entries of its own.
    entry = aliased(Interaction)
    inside = sa.exists().where(
        entry.id == model.interaction_id, *visible_conditions(user, entry)
    )
    if not trashed:
        inside = inside.where(entry.trashed_at.is_(None))
    return sa.or_(model.interaction_id.is_(None), inside)


def visible_conditions(user: User, model: type[Record]) -> list[Condition]:
    """Say as SQL which rows of `model` this user may see."""
    return [condition for _name, condition in visible_rules(user, model)]


def visible_to(user: User, model: type[R], *, trashed: bool = False) -> sa.Select[R]:
    """Start every list here: select the rows of `model` that `user` may see.

    Rows in the trash are left out unless `trashed`.
    """
    query = sa.select(model).where(*visible_conditions(user, model))
    if hasattr(model, "trashed_at") and not trashed:
        columns: Any = model
        query = query.where(columns.trashed_at.is_(None))
    return query


def get_visible(
    user: User, model: type[R], record_id: int, *, trashed: bool = False
) -> R:
    """Give one record, or raise `NotFound` whether it is absent or hidden."""
    if not 0 < record_id < 2**31:
        raise NotFound
    query = visible_to(user, model, trashed=trashed)
    found = db.session.scalar(query.where(model.id == record_id))
    if found is None:
        raise NotFound
    return found


def contact_ids_of(user: User) -> frozenset[int] | None:
    """Give the contacts whose records the index may show `user`; None is all.

    Portal users are limited by their labels and need no set.
    """
    if user.kind != "staff":
        return None
    scope = contact_scope(user)
    if scope is None:
        return None
    return frozenset(db.session.scalars(sa.select(Contact.id).where(scope)))
