"""/api/v1/interactions/<id>/reactions; other parts add their own routes."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.permissions import me, requires
from core.schemas import ApiBlueprint, Schema
from core.visibility import get_visible
from plugins.interactions.reactions import REACTIONS, react, reactions_on

bp = ApiBlueprint(
    "interactions_api",
    __name__,
    description="Reactions, meetings, and what is to be done about contacts",
)


class ReactionSchema(Schema):
    """A sign on an entry; outside, colleagues but its author are counted, not named."""

    name = fields.String(validate=validate.OneOf(list(REACTIONS)))
    count = fields.Integer()
    people = fields.List(fields.String())
    mine = fields.Boolean()


class ReactionsSchema(Schema):
    """The signs on an entry: a fixed few, so there are no pages of them."""

    items = fields.List(fields.Nested(ReactionSchema))


@bp.route("/interactions/<int:interaction_id>/reactions", methods=["GET"])
@requires(READ, portal=True)
@bp.response(200, ReactionsSchema)
def list_reactions(interaction_id: int) -> Any:
    """Read who reacted to an entry, and how."""
    entry = get_visible(me(), Interaction, interaction_id)
    return {"items": reactions_on(entry, me())}


@bp.route("/interactions/<int:interaction_id>/reactions/<name>", methods=["PUT"])
@requires(WRITE, portal=True)
@bp.response(200, ReactionsSchema)
def add_reaction(interaction_id: int, name: str) -> Any:
    """Leave a sign on an entry; doing it twice is harmless."""
    entry = get_visible(me(), Interaction, interaction_id)
    react(entry, me(), name, on=True)
    return {"items": reactions_on(entry, me())}


@bp.route("/interactions/<int:interaction_id>/reactions/<name>", methods=["DELETE"])
@requires(WRITE, portal=True)
@bp.response(204)
def remove_reaction(interaction_id: int, name: str) -> Any:
    """Take one's own sign away from an entry."""
    entry = get_visible(me(), Interaction, interaction_id)
    react(entry, me(), name, on=False)
    return Response(status=204)
