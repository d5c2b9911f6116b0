"""What the composer is drawn with: what may be chosen, and what was typed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from flask import url_for
from flask_babel import to_user_timezone

from core.columns import id_in
from core.contacts.models import Contact
from core.db import db
from core.interactions.files import most_bytes
from core.interactions.linked import linked_records, links_of
from core.interactions.models import Interaction
from core.kinds import kind_of
from core.users.models import User
from plugins.interactions.fields import draw_fields, kinds_to_choose, values_of
from plugins.interactions.follow_ups.asking import ASKED
from plugins.interactions.participants import MOST, names_of, participants_of
from plugins.interactions.readers import Choices, WhoSees, choices

# What is written before it is known about whom is kept under this name.
DRAFT_OF_NOBODY: Final = "new"


def for_input(moment: datetime) -> str:
    """Write a moment in the reader's zone, as a form's date field takes it."""
    return str(to_user_timezone(moment).strftime("%Y-%m-%dT%H:%M"))


def draft_of(contact_id: int) -> str:
    """Name the drafts of new entries on a contact, in the browser that keeps them."""
    return f"contact-{contact_id}"


def composer_for(
    contact: Contact | None,
    user: User,
    *,
    offered: Choices | None = None,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Any] | None = None,
    who: WhoSees | None = None,
    hidden: Mapping[str, Any] | None = None,
    target: str = "",
    elapsed: int | None = None,
    draft_from: str = "",
    add: Mapping[str, str] | None = None,
    participants: Sequence[tuple[int, str]] | None = (),
) -> dict[str, Any]:
    """Give the template its composer for a new entry on `contact`.

    It opens inside, whatever was chosen last; its clock may run, for `elapsed` seconds
    already, and it goes on with the draft that was kept as `draft_from`. `target` is
    the element that shows the new entry in place; without it, the next page does.
    """
    offered = offered or choices(user, contact)
    inside = {
        "audience": "teams" if user.teams else "staff",
        "teams": [team.name for team in user.teams],
    }
    kinds = kinds_to_choose()
    draft_key = draft_of(contact.id) if contact else DRAFT_OF_NOBODY
    values = {**inside, **(typed or {})}
    kind = values.get("kind") or (kinds[0][0] if kinds else "")
    fields = draw_fields(kind, values, errors=errors, elapsed=elapsed)
    if contact is None:
        participants = None
    elif values.get("contacts"):
        participants = _typed_participants(values["contacts"], contact.id, user)
    # A kind that was asked for brings its beginning along; scripts do it later on.
    if "kind" in values and not values.get("body") and not errors:
        values["body"] = fields["template"]
    return {
        "action": url_for("interactions.write"),
        "draft_key": draft_key,
        "draft_from": draft_from if draft_from != draft_key else "",
        "contact": contact,
        "kinds": kinds,
        "fields": fields,
        "offered": offered,
        "team_names": [(name, name) for _id, name in offered.teams],
        "values": values,
        "errors": errors or {},
        "who": who,
        "hidden": hidden or {},
        "also": _also(values.get("also", ()), offered),
        "add": add,
        "participants": participants,
        "links": _links(user, values.get("links", [])),
        "target": target,
        "files_most": most_bytes(user),
        # A reminder that a new text asks for is planned when it is saved.
        "asked": ASKED,
    }


def _typed_participants(
    typed: Sequence[object], contact_id: int, user: User
) -> list[tuple[int, str]]:
    ids = [id_in(one) for one in typed]
    others = [one for one in ids if one is not None and one != contact_id]
    return names_of(others[:MOST], user)


def composer_to_change(
    entry: Interaction,
    user: User,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Any] | None = None,
    who: WhoSees | None = None,
    hidden: Mapping[str, Any] | None = None,
    add: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give the template its composer for changing `entry`."""
    typed = typed or {}
    # A reply is about whom it answers.
    others = participants_of(entry, user) if entry.parent_id is None else None
    context = composer_for(
        entry.contact, user, errors=errors, who=who, add=add, participants=others
    )
    if others is not None and entry.contact is not None and "contacts" in typed:
        context["participants"] = _typed_participants(
            typed["contacts"], entry.contact.id, user
        )
    linked = typed["links"] if "links" in typed else links_of([entry], user)[entry.id]
    context["links"] = _links(user, linked)
    audience = entry.audience
    names = dict(context["offered"].teams)
    now = {
        "kind": entry.kind,
        "body": entry.body,
        "occurred_at": for_input(entry.occurred_at),
        "audience": audience.kind,
        "teams": [names[one] for one in audience.teams if one in names],
        "users": audience.users,
        "shared_with": audience.shared_with,
        "also": _added(entry),
        **values_of(entry),
    }
    values = now | dict(typed or {})
    return context | {
        "also": _also(values["also"], context["offered"], audience.users),
        "kinds": _with_own(context["kinds"], entry.kind),
        "fields": draw_fields(values["kind"], values, errors=errors),
        "asked": "",
        "action": url_for("interactions.save", interaction_id=entry.id),
        "draft_key": f"entry-{entry.id}",
        "values": values,
        "hidden": {"version": entry.version, **(hidden or {})},
    }


def _links(user: User, refs: Sequence[str]) -> list[tuple[str, str]]:
    """Give what an entry is linked to by references and titles."""
    return [(one.ref, f"{one.kind}: {one.title}") for one in linked_records(refs, user)]


def _added(entry: Interaction) -> list[str]:
    """Name the readers beside the teams, as the form sends them."""
    beside = entry.audience.users if entry.audience.kind == "teams" else []
    return [f"user:{one}" for one in beside]


def _also(
    said: Iterable[str], offered: Choices, readers: Collection[int] = ()
) -> list[tuple[str, str]]:
    """Give added readers their names: who is on offer, and who reads it already."""
    query = sa.select(User.id, User.name).where(User.id.in_(readers))
    rows = db.session.execute(query).all() if readers else []
    names = {f"user:{row.id}": row.name for row in rows}
    names |= {f"user:{id_}": name for id_, name in offered.colleagues}
    names |= {f"team:{id_}": name for id_, name in offered.teams}
    every = [one for some in said for one in str(some).split(",")]
    return [(one, names[one]) for one in dict.fromkeys(every) if one in names]


def _with_own(kinds: list[tuple[str, object]], own: str) -> list[tuple[str, object]]:
    """Offer the kind that an entry has, also if nobody can choose it any more."""
    if any(name == own for name, _title in kinds):
        return kinds
    found = kind_of(own)
    return [*kinds, (own, found.title if found else own)]
