"""/api/v1/interactions/<id>: its pin, what it said before, and the way back."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from core.events import Event
from core.interactions import services
from core.interactions.history import Edit, edits_of
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.interactions.schemas import InteractionSchema, as_items
from core.permissions import me, requires
from core.schemas import (
    Moment,
    Page,
    PageArguments,
    Schema,
    check_version,
    decode_cursor,
    encode_cursor,
    etag_of,
    next_link,
    page_schema,
)
from core.visibility import get_visible
from plugins.interactions.api import bp as bp
from plugins.interactions.trashed import entry_or_trashed


class PieceSchema(Schema):
    """Some words of a text, and whether they stayed, went or came."""

    state = fields.String(validate=validate.OneOf(["same", "gone", "new"]))
    text = fields.String()


class DifferenceSchema(Schema):
    """One field that changed, in words; `pieces` only of the text."""

    field = fields.String()
    before = fields.String()
    after = fields.String()
    pieces = fields.List(fields.Nested(PieceSchema))


class EditSchema(Schema):
    """One change of an entry; without differences its words were erased."""

    id = fields.Integer()
    time = Moment()
    who = fields.String()
    differences = fields.List(fields.Nested(DifferenceSchema))


def _shown(edit: Edit) -> dict[str, Any]:
    return {
        "id": edit.id,
        "time": edit.time,
        "who": edit.who,
        "differences": [
            {
                "field": one.name,
                "before": str(one.before or ""),
                "after": str(one.after or ""),
                "pieces": [
                    {"state": state, "text": text} for state, text in one.pieces
                ],
            }
            for one in edit.differences
        ],
    }


@bp.route("/interactions/<int:interaction_id>/history", methods=["GET"])
@requires(READ)
@bp.arguments(PageArguments, location="query")
@bp.response(200, page_schema(EditSchema))
def list_edits(arguments: dict[str, Any], interaction_id: int) -> Any:
    """Read what an entry said before and who changed it, the latest first.

    Who may take an entry out of the trash reads it there too, with its `ETag`.
    """
    entry = entry_or_trashed(me(), interaction_id)
    cursor, before = arguments["cursor"], None
    if cursor:
        [before] = decode_cursor(cursor, [Event.id])
    edits, older = edits_of(entry, me(), before=before, limit=arguments["limit"])
    page = Page(edits, encode_cursor([older]) if older else None)
    body = {"items": [_shown(one) for one in edits], "next": page.next}
    return body, 200, next_link(page) | etag_of(entry)


@bp.route("/interactions/<int:interaction_id>/pin", methods=["PUT"])
@requires(WRITE)
@bp.response(200, InteractionSchema)
def pin_entry(interaction_id: int) -> Any:
    """Keep an entry at the top of its timelines; needs If-Match."""
    entry = _pinned(interaction_id, pinned=True)
    return as_items([entry], me())[0], 200, etag_of(entry)


@bp.route("/interactions/<int:interaction_id>/pin", methods=["DELETE"])
@requires(WRITE)
@bp.response(204)
def unpin_entry(interaction_id: int) -> Any:
    """Let an entry go back to its place; needs If-Match."""
    _pinned(interaction_id, pinned=False)
    return Response(status=204)


def _pinned(interaction_id: int, *, pinned: bool) -> Interaction:
    entry = get_visible(me(), Interaction, interaction_id)
    check_version(entry)
    services.pin_interaction(entry, pinned=pinned)
    return entry


@bp.route("/interactions/<int:interaction_id>/restore", methods=["POST"])
@requires(WRITE)
@bp.response(200, InteractionSchema)
def restore_entry(interaction_id: int) -> Any:
    """Take an entry out of the trash; needs If-Match, which its history tells."""
    entry = entry_or_trashed(me(), interaction_id)
    check_version(entry)
    services.restore_interaction(entry, actor=me())
    return as_items([entry], me())[0], 200, etag_of(entry)
