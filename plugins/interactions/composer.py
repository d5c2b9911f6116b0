"""What the composer is drawn with: what may be chosen, and what was typed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import to_user_timezone

from core.contacts.models import Contact
from core.interactions.models import Interaction
from core.kinds import kind_of
from core.users.models import User
from plugins.interactions.fields import draw_fields, kinds_to_choose, values_of
from plugins.interactions.readers import Choices, WhoSees, choices


def for_input(moment: datetime) -> str:
    """Write a moment in the reader's zone, as a form's date field takes it."""
    return str(to_user_timezone(moment).strftime("%Y-%m-%dT%H:%M"))


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
    running: bool = False,
) -> dict[str, Any]:
    """Give the template its composer for a new entry on `contact`.

    It opens inside, whatever was chosen last; its clock may be `running`. `target` is
    the element that shows the new entry in place; without it, the next page does.
    """
    offered = offered or choices(user, contact)
    inside = {
        "audience": "teams" if user.teams else "staff",
        "teams": [team.name for team in user.teams],
    }
    kinds = kinds_to_choose()
    values = {**inside, **(typed or {})}
    kind = values.get("kind") or (kinds[0][0] if kinds else "")
    fields = draw_fields(kind, values, errors=errors, running=running)
    # A kind that was asked for brings its beginning along; scripts do it later on.
    if "kind" in values and not values.get("body") and not errors:
        values["body"] = fields["template"]
    return {
        "action": url_for("interactions.write"),
        "draft_key": f"contact-{contact.id}" if contact else "new",
        "contact": contact,
        "kinds": kinds,
        "fields": fields,
        "offered": offered,
        "team_names": [(name, name) for _id, name in offered.teams],
        "values": values,
        "errors": errors or {},
        "who": who,
        "hidden": hidden or {},
        "target": target,
    }


def composer_to_change(
    entry: Interaction,
    user: User,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Any] | None = None,
    who: WhoSees | None = None,
    hidden: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the template its composer for changing `entry`."""
    context = composer_for(entry.contact, user, errors=errors, who=who)
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
        **values_of(entry),
    }
    values = now | dict(typed or {})
    return context | {
        "kinds": _with_own(context["kinds"], entry.kind),
        "fields": draw_fields(values["kind"], values, errors=errors),
        "action": url_for("interactions.save", interaction_id=entry.id),
        "draft_key": f"entry-{entry.id}",
        "values": values,
        "hidden": {"version": entry.version, **(hidden or {})},
    }


def _with_own(kinds: list[tuple[str, object]], own: str) -> list[tuple[str, object]]:
    """Offer the kind that an entry has, also if nobody can choose it any more."""
    if any(name == own for name, _title in kinds):
        return kinds
    found = kind_of(own)
    return [*kinds, (own, found.title if found else own)]
