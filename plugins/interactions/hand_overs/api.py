"""/api/v1/hand-overs: who passed which customer on, and what of it was looked at."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from marshmallow import fields, validate

from core.contacts.models import Contact
from core.contacts.permissions import READ, WRITE
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.parts import open_records
from core.permissions import me, requires
from core.schemas import (
    Moment,
    PageArguments,
    Schema,
    Text,
    check_version,
    etag_of,
    keyset_page,
    next_link,
    page_schema,
)
from core.users.models import User
from core.visibility import get_visible, visible_to
from plugins.interactions.api import bp as bp
from plugins.interactions.hand_overs import services
from plugins.interactions.hand_overs.models import HandOver

_ID = validate.Range(1, 2**31 - 1)


class HandedSchema(Schema):
    """A thing to look at: `kind` is word, know, step or record, and `ref` names it."""

    id = fields.Integer()
    kind = fields.String()
    ref = fields.String()
    acknowledged_at = Moment(allow_none=True)
    unhappy = fields.String(
        metadata={"description": "Why the customer is unhappy with it; '' if not"}
    )


class HandOverSchema(Schema):
    """A contact that went from one colleague to another."""

    id = fields.Integer()
    contact = fields.Integer()
    giver = fields.Integer(allow_none=True)
    receiver = fields.Integer(allow_none=True)
    word = fields.String(metadata={"description": "Markdown"})
    items = fields.List(fields.Nested(HandedSchema))
    created_at = Moment()
    finished_at = Moment(allow_none=True)
    version = fields.Integer()


class NewHandOverSchema(Schema):
    """Whose customer it is from now on, and a word for them."""

    contact = fields.Integer(required=True, strict=True, validate=_ID)
    receiver = fields.Integer(required=True, strict=True, validate=_ID)
    word = Text(most=services.MOST_WORDS, load_default="")


class HandOverChangeSchema(Schema):
    """The items that the receiver has looked at."""

    acknowledged = fields.List(
        fields.Integer(strict=True, validate=_ID),
        required=True,
        validate=validate.Length(1, services.MOST_ITEMS),
    )


class HandOverArguments(PageArguments):
    """How the list may be narrowed."""

    contact = fields.Integer(load_default=None, validate=_ID)
    state = fields.String(
        load_default="", validate=validate.OneOf(["", "open", "done"])
    )


def _item(shown: services.Shown) -> dict[str, Any]:
    item = shown.item
    return {
        "id": item.id,
        "kind": item.kind,
        "ref": item.ref,
        "acknowledged_at": item.acknowledged_at,
        "unhappy": services.unhappy_with(shown.record),
    }


def _shown(made: HandOver, shown: Sequence[services.Shown]) -> dict[str, Any]:
    return {
        "id": made.id,
        "contact": made.contact_id,
        "giver": made.giver_id,
        "receiver": made.receiver_id,
        "word": made.word,
        "items": [_item(one) for one in shown],
        "created_at": made.created_at,
        "finished_at": made.finished_at,
        "version": made.version,
    }


@bp.route("/hand-overs", methods=["GET"])
@requires(READ)
@bp.arguments(HandOverArguments, location="query")
@bp.response(200, page_schema(HandOverSchema))
def list_hand_overs(arguments: dict[str, Any]) -> Any:
    """List who passed which customer on to whom, the latest first."""
    query = visible_to(me(), HandOver)
    if arguments["contact"] is not None:
        query = query.where(HandOver.contact_id == arguments["contact"])
    if arguments["state"]:
        open_ones = HandOver.finished_at.is_(None)
        query = query.where(open_ones if arguments["state"] == "open" else ~open_ones)
    page = keyset_page(
        query,
        [HandOver.id],
        cursor=arguments["cursor"],
        limit=arguments["limit"],
        descending=True,
    )
    items = services.items_shown(me(), page.items)
    shown = [_shown(one, items[one.id]) for one in page.items]
    return {"items": shown, "next": page.next}, 200, next_link(page)


@bp.route("/hand-overs", methods=["POST"])
@requires(WRITE)
@bp.arguments(NewHandOverSchema)
@bp.response(201, HandOverSchema)
def give_hand_over(given: dict[str, Any]) -> Any:
    """Pass a customer on to a colleague, with everything that is open."""
    contact = get_visible(me(), Contact, given["contact"])
    receiver = db.session.get(User, given["receiver"])
    if receiver is None:
        raise Invalid(errors={"receiver": [_("Choose a colleague.")]})
    made = services.hand_over(
        contact,
        receiver,
        actor=me(),
        word=given["word"],
        waiting=open_records(contact, me()),
    )
    place = url_for("interactions_api.show_hand_over", hand_over_id=made.id)
    headers = etag_of(made) | {"Location": place}
    return _shown(made, services.shown_to(me(), made)), 201, headers


@bp.route("/hand-overs/<int:hand_over_id>", methods=["GET"])
@requires(READ)
@bp.response(200, HandOverSchema)
def show_hand_over(hand_over_id: int) -> Any:
    """Show one, with what came along and what of it was looked at."""
    made = get_visible(me(), HandOver, hand_over_id)
    return _shown(made, services.shown_to(me(), made)), 200, etag_of(made)


@bp.route("/hand-overs/<int:hand_over_id>", methods=["PATCH"])
@requires(WRITE)
@bp.arguments(HandOverChangeSchema)
@bp.response(200, HandOverSchema)
def acknowledge_hand_over(given: dict[str, Any], hand_over_id: int) -> Any:
    """Say that you have looked at items; needs If-Match, and that you take it over."""
    made = get_visible(me(), HandOver, hand_over_id)
    check_version(made)
    for item_id in given["acknowledged"]:
        services.acknowledge(made, item_id, actor=me())
    return _shown(made, services.shown_to(me(), made)), 200, etag_of(made)
