"""What the composer is drawn with: what may be chosen, and what was typed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import to_user_timezone

from core.contacts.models import Contact
from core.interactions.models import Interaction
from core.pages import interaction_kinds
from core.users.models import User
from plugins.interactions.readers import Choices, WhoSees, choices


def kinds_to_choose() -> list[tuple[str, object]]:
    """Give the kinds that people write by hand, as the composer offers them."""
    return [(one.name, one.title) for one in interaction_kinds().values() if one.chosen]


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
) -> dict[str, Any]:
    """Give the template its composer for a new entry on `contact`.

    It opens inside, whatever was chosen last. `target` is the element that shows the
    new entry in place; without it, the next page does.
    """
    offered = offered or choices(user, contact)
    inside = {
        "audience": "teams" if user.teams else "staff",
        "teams": [team.name for team in user.teams],
    }
    return {
        "action": url_for("interactions.write"),
        "draft_key": f"contact-{contact.id}" if contact else "new",
        "contact": contact,
        "kinds": kinds_to_choose(),
        "offered": offered,
        "team_names": [(name, name) for _id, name in offered.teams],
        "values": {**inside, **(typed or {})},
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
    }
    return context | {
        "action": url_for("interactions.save", interaction_id=entry.id),
        "draft_key": f"entry-{entry.id}",
        "values": now | dict(typed or {}),
        "hidden": {"version": entry.version, **(hidden or {})},
    }
