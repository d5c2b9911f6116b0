"""What the timeline of a contact is drawn with."""

from typing import Any

from flask import url_for

from core.contacts.models import Contact
from core.interactions import timeline
from core.interactions.entries import show_entries
from core.users.models import User
from plugins.interactions.fields import kinds_to_choose
from plugins.interactions.readers import Choices


def story(
    contact: Contact,
    user: User,
    *,
    offered: Choices | None = None,
    wanted: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Give a template the entries of a contact that `wanted` asks for."""
    wanted = wanted or {"kind": "", "team": None, "q": "", "cursor": ""}
    filters = {name: wanted[name] for name in ("kind", "team", "q")}
    page = timeline.timeline(
        user,
        contact,
        **filters,
        cursor=wanted["cursor"] or None,
        replies=False,
        pinned_first=not any(filters.values()),
    )
    here = {name: value for name, value in filters.items() if value}
    url = url_for("interactions.story", contact_id=contact.id, **here)
    older = ""
    if page.next:
        older = url_for(
            "interactions.story", contact_id=contact.id, **here, cursor=page.next
        )
    return {
        "contact": contact,
        "entries": show_entries(page.items, user, on=contact),
        "filters": filters,
        "filtered": bool(here),
        "kinds": kinds_to_choose(),
        "teams": offered.teams if offered else [],
        "live_url": url,
        "live_contacts": offered.heard if offered else None,
        "older_url": older,
    }
