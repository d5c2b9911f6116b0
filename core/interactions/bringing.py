"""What the rows of a file say about entries: who, when, for whom, about whom."""

from collections.abc import Sequence

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db, now
from core.errors import Forbidden, Invalid
from core.i18n import _
from core.imports import KeyedRow, Row
from core.interactions.called import (
    INTERACTIONS,
    STAFF,
    Ready,
    Step,
    account_called,
    by_key,
    contact_called,
)
from core.interactions.details import read_details
from core.interactions.linked import MOST, linkable
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE
from core.interactions.rules import PLAIN_KIND, check_words, gains_readers
from core.permissions import can
from core.readers import choose_audience
from core.users.models import User

# What stands in a row as the entry has it.
_PLAIN = ("subject", "direction", "source", "edited_at", "pinned_at")


def prepare(row: KeyedRow, step: Step) -> Ready:
    """Read a row; raises `Invalid` or `Forbidden` for what cannot come in."""
    fields, context = row.fields, step.context
    kind = fields.get("kind", PLAIN_KIND)
    body = fields.get("body", "")
    check_words(body, kind)
    author = _author(fields, step)
    parent, inherited, about = _answered(fields, step)
    contacts = [*about, *_contacts(fields, step)]
    if not contacts and parent is None:
        raise Invalid(errors={"contact": [_("Say which contact this is about.")]})
    spec = _readers(fields, author, contacts, inherited, step)
    if spec.kind == "shared" and not can(SHARE, context.actor):
        raise Forbidden(_("Your role may not show entries to customers or vendors."))
    values = {name: fields[name] for name in _PLAIN if name in fields}
    values |= {
        "kind": kind,
        "body": body,
        "details": read_details(kind, fields.get("details", {})),
        "occurred_at": fields.get("occurred_at") or now(),
        "author_id": author.id if author else None,
        "author_name": "" if author else fields.get("author", ""),
    }
    about = list(dict.fromkeys([*contacts, *sorted(spec.shared_with)]))
    calls = author is None or author.kind == "staff"
    ready = Ready(values, spec, about, _links(fields, step), parent, calls)
    if row.key is not None:
        step.made[row.key] = ready
    return ready


def _author(row: Row, step: Step) -> User | None:
    """Find the account of who wrote it; a name without one is kept as a name."""
    if "author_key" in row:
        key = row["author_key"]
        found: User = step.context.need(User, STAFF, key, field="author_key")
        return found
    said = row.get("author", "")
    if not said:
        return step.context.actor
    known: User | None = step.once(("author", said), lambda: account_called(said))
    return known


def _answered(
    row: Row, step: Step
) -> tuple[int | Ready | None, AudienceSpec | None, list[int]]:
    """Give what the row answers, who reads that, and whom it is about."""
    key = row.get("parent_key")
    if key is None:
        return None, None, []
    made = step.made.get(key)
    if made is not None:
        return made, made.spec, made.contacts
    if key in step.parents:
        return step.parents[key]
    entry = step.context.need(Interaction, INTERACTIONS, key, field="parent_key")
    if entry.trashed_at is not None:
        said = _("What this answers is in the trash. Take that out first.")
        raise Invalid(errors={"parent_key": [said]})
    return entry.id, entry.audience.spec, entry.contact_ids


def _contacts(row: Row, step: Step) -> list[int]:
    keys = row.get("contact_keys", [])
    if keys:
        return [by_key(one, step, "contact_keys") for one in keys]
    said = row.get("contact", "")
    if not said:
        return []
    actor = step.context.actor
    return [step.once(("contact", said), lambda: contact_called(said, actor))]


def _readers(
    row: Row,
    author: User | None,
    contacts: Sequence[int],
    inherited: AudienceSpec | None,
    step: Step,
) -> AudienceSpec:
    """Say who reads it: what it answers says that, unless the row says fewer."""
    asked = _asked(row, author, contacts, step)
    if inherited is not None:
        if asked is None or not gains_readers(asked, inherited, author):
            return inherited
        if gains_readers(inherited, asked, author):
            said = _("A reply is read by everybody who reads what it answers.")
            raise Invalid(errors={"audience": [said]})
        return asked
    if asked is not None:
        return asked
    if author is None:
        return AudienceSpec("staff")
    found: AudienceSpec = step.once(
        ("default", author.id), lambda: choose_audience(author, None)
    )
    return found


def _asked(
    row: Row, author: User | None, contacts: Sequence[int], step: Step
) -> AudienceSpec | None:
    if author is not None and author.kind != "staff":
        # Their own words are their organisation's, whatever the file says.
        return None
    lists = (("teams", "teams"), ("users", "private"), ("shared_with_keys", "shared"))
    given = [kind for name, kind in lists if row.get(name)]
    kind = row.get("audience") or (given[0] if given else None)
    if kind is None:
        return None
    users = [_colleague(one, step) for one in row.get("users", [])]
    if kind == "private":
        if author is None and not users:
            said = _("Nobody could read this: its author has no account here.")
            raise Invalid(errors={"author": [said]})
        own = {author.id} if author else set()
        return AudienceSpec("private", users=frozenset({*users, *own}))
    if kind == "shared":
        keys = row.get("shared_with_keys", [])
        shared = [by_key(one, step, "shared_with_keys") for one in keys]
        return AudienceSpec("shared", shared_with=frozenset(shared or contacts[:1]))
    names = tuple(row.get("teams", []))
    who = author or step.context.actor
    chosen: AudienceSpec = step.once(
        (kind, names, tuple(users), who.id),
        lambda: choose_audience(who, kind, teams=names, also=users),
    )
    return chosen


def _colleague(said: str, step: Step) -> int:
    known: int = step.once(("colleague", said), lambda: _active(said))
    return known


def _active(said: str) -> int:
    by = User.email == said.lower() if "@" in said else User.name == said
    query = sa.select(User.id).where(by, User.kind == "staff", User.active)
    found = db.session.scalars(query.limit(2)).all()
    if len(found) != 1:
        problem = _("There is no colleague %(name)s.", name=said[:100])
        raise Invalid(errors={"users": [problem]})
    return found[0]


def _links(row: Row, step: Step) -> list[str | Ready]:
    """Give what a row is linked to, by reference or as a row of this step."""
    found: list[str | Ready] = []
    types = step.once("types", lambda: linkable(step.context.actor))
    for key in dict.fromkeys(row.get("links", [])):
        ref = step.made.get(key) or step.links.get(key)
        if ref is None:
            step.context.keys.expect(INTERACTIONS, key)
        if ref is None or (
            isinstance(ref, str) and ref.rpartition("/")[0] not in types
        ):
            said = _("There is no record “%(ref)s” to link to.", ref=key)
            raise Invalid(errors={"links": [said]})
        found.append(ref)
    if len(found) > MOST:
        raise Invalid(errors={"links": [_("No more than %(n)s.", n=MOST)]})
    return found
