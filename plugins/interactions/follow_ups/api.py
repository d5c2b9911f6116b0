"""/api/v1/follow-ups: the same follow-ups, for programs."""

from collections.abc import Sequence
from typing import Any

from flask import Response, url_for

from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.permissions import me, requires
from core.schemas import (
    check_version,
    etag_of,
    next_link,
    page_schema,
)
from core.users.models import User
from core.visibility import get_visible
from plugins.interactions.api import bp as bp
from plugins.interactions.follow_ups import services
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.reading import page_of_follow_ups
from plugins.interactions.follow_ups.schemas import (
    FollowUpArguments,
    FollowUpChangeSchema,
    FollowUpSchema,
    NewFollowUpSchema,
)


def shown(found: Sequence[FollowUp]) -> list[dict[str, Any]]:
    """Give what a program is sent of follow-ups."""
    return [
        {
            "id": one.id,
            "text": one.text,
            "contact": one.contact_id,
            "interaction": one.interaction_id,
            "owner": one.owner_id,
            "author": one.author_id,
            "due_at": one.due_at,
            "after_minutes": one.after_minutes,
            "snoozed_until": one.snoozed_until,
            "remind_at": one.remind_at,
            "done_at": one.done_at,
            "repeat": {"every": one.repeat_every, "unit": one.repeat_unit}
            if one.repeat_every
            else None,
            "version": one.version,
        }
        for one in found
    ]


@bp.route("/follow-ups", methods=["GET"])
@requires(READ)
@bp.arguments(FollowUpArguments, location="query")
@bp.response(200, page_schema(FollowUpSchema))
def list_follow_ups(arguments: dict[str, Any]) -> Any:
    """List the follow-ups you may see, what comes up first at the top."""
    owner = arguments["owner"]
    mine = None
    if owner is not None:
        mine = [me().id if owner == "me" else int(owner)]
    page = page_of_follow_ups(
        me(),
        owners=mine,
        contact=arguments["contact"],
        entry=arguments["interaction"],
        done=arguments["state"] == "done",
        cursor=arguments["cursor"],
        limit=arguments["limit"],
    )
    body = {"items": shown(page.items), "next": page.next}
    return body, 200, next_link(page)


@bp.route("/follow-ups", methods=["POST"])
@requires(WRITE)
@bp.arguments(NewFollowUpSchema)
@bp.response(201, FollowUpSchema)
def plan_follow_up(given: dict[str, Any]) -> Any:
    """Plan something to do about a contact, or about an entry."""
    user, entry = me(), None
    if given["interaction"] is not None:
        entry = get_visible(user, Interaction, given["interaction"])
    about = given["contact"] or (entry.contact_id if entry else None)
    if about is None:
        raise Invalid(errors={"contact": [_("Say whom this is about.")]})
    contact = get_visible(user, Contact, about)
    repeat = given.get("repeat") or {}
    made = services.plan_follow_up(
        contact,
        author=user,
        text=given["text"],
        owner=_owner(given),
        due_at=given.get("due_at"),
        entry=entry,
        after_minutes=given.get("after_minutes"),
        repeat_every=repeat.get("every"),
        repeat_unit=repeat.get("unit", ""),
    )
    location = url_for("interactions_api.show_follow_up", follow_up_id=made.id)
    return shown([made])[0], 201, etag_of(made) | {"Location": location}


def _owner(given: dict[str, Any]) -> User | None:
    if "owner" not in given:
        return None
    found = db.session.get(User, given["owner"])
    if found is None:
        raise Invalid(errors={"owner": [_("Choose a colleague.")]})
    return found


@bp.route("/follow-ups/<int:follow_up_id>", methods=["GET"])
@requires(READ)
@bp.response(200, FollowUpSchema)
def show_follow_up(follow_up_id: int) -> Any:
    """Show one follow-up."""
    found = get_visible(me(), FollowUp, follow_up_id)
    return shown([found])[0], 200, etag_of(found)


@bp.route("/follow-ups/<int:follow_up_id>", methods=["PATCH"])
@requires(WRITE)
@bp.arguments(FollowUpChangeSchema)
@bp.response(200, FollowUpSchema)
def change_follow_up(given: dict[str, Any], follow_up_id: int) -> Any:
    """Change, hand over, put off or finish one; needs If-Match."""
    found = get_visible(me(), FollowUp, follow_up_id)
    check_version(found)
    plain = ("text", "due_at", "after_minutes")
    values = {name: given[name] for name in plain if name in given}
    if "repeat" in given:
        repeat = given["repeat"] or {"every": None, "unit": ""}
        values |= {"repeat_every": repeat["every"], "repeat_unit": repeat["unit"]}
    if values or "owner" in given:
        services.change_follow_up(found, values, owner=_owner(given))
    if "snoozed_until" in given:
        services.snooze_follow_up(found, given["snoozed_until"])
    if "done" in given:
        done = services.finish_follow_up if given["done"] else services.reopen_follow_up
        done(found)
    return shown([found])[0], 200, etag_of(found)


@bp.route("/follow-ups/<int:follow_up_id>", methods=["DELETE"])
@requires(WRITE)
@bp.response(204)
def trash_follow_up(follow_up_id: int) -> Any:
    """Put one into the trash; needs If-Match."""
    found = get_visible(me(), FollowUp, follow_up_id)
    check_version(found)
    services.trash_follow_up(found)
    return Response(status=204)
