"""/api/v1/contacts/<id>/follow and /interactions/<id>/follow, for programs."""

from typing import Any

from flask import Response
from marshmallow import fields

from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.errors import Forbidden
from core.interactions.models import Interaction
from core.interactions.permissions import READ
from core.permissions import can, me, requires
from core.schemas import Schema
from core.visibility import get_visible
from plugins.interactions.api import bp as bp
from plugins.interactions.following import services


class FollowSchema(Schema):
    """Whether you follow something, and who does; of many only the first are named."""

    following = fields.Boolean()
    count = fields.Integer()
    followers = fields.List(fields.String())


def _shown(record: Contact | Interaction) -> dict[str, Any]:
    who = services.followers_of(record, me())
    return {
        "following": me().id in who.wanted,
        "count": len(who.names),
        "followers": who.names[: services.NAMED],
    }


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id)


@bp.route("/contacts/<int:contact_id>/follow", methods=["GET"])
@requires(READ)
@bp.response(200, FollowSchema)
def show_contact_follow(contact_id: int) -> Any:
    """Read whether you follow a contact, and who does."""
    return _shown(_contact(contact_id))


@bp.route("/contacts/<int:contact_id>/follow", methods=["PUT"])
@requires(READ)
@bp.response(200, FollowSchema)
def follow_contact(contact_id: int) -> Any:
    """Be told of what is new on a contact; doing it twice is harmless."""
    contact = _contact(contact_id)
    services.follow(me(), contact)
    return _shown(contact)


@bp.route("/contacts/<int:contact_id>/follow", methods=["DELETE"])
@requires(READ)
@bp.response(204)
def unfollow_contact(contact_id: int) -> Any:
    """Be told of a contact no more, also as its owner."""
    services.follow(me(), _contact(contact_id), wanted=False)
    return Response(status=204)


@bp.route("/interactions/<int:interaction_id>/follow", methods=["GET"])
@requires(READ)
@bp.response(200, FollowSchema)
def show_thread_follow(interaction_id: int) -> Any:
    """Read whether you follow the thread of an entry, and who does."""
    return _shown(get_visible(me(), Interaction, interaction_id))


@bp.route("/interactions/<int:interaction_id>/follow", methods=["PUT"])
@requires(READ)
@bp.response(200, FollowSchema)
def follow_thread(interaction_id: int) -> Any:
    """Be told of what is new in the thread of an entry."""
    entry = get_visible(me(), Interaction, interaction_id)
    services.follow(me(), entry)
    return _shown(entry)


@bp.route("/interactions/<int:interaction_id>/follow", methods=["DELETE"])
@requires(READ)
@bp.response(204)
def unfollow_thread(interaction_id: int) -> Any:
    """Be told of a thread no more, also as somebody who wrote in it."""
    entry = get_visible(me(), Interaction, interaction_id)
    services.follow(me(), entry, wanted=False)
    return Response(status=204)
