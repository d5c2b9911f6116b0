"""/api/v1/contacts/<id>/seen: how far you have read a story, and what came since."""

from typing import Any

from marshmallow import fields, validate

from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.errors import Forbidden
from core.interactions.permissions import READ
from core.permissions import can, me, requires
from core.schemas import Moment, Schema
from core.visibility import get_visible
from plugins.interactions.api import bp as bp
from plugins.interactions.seen import MOST, looked_at, mark_seen


class LookedSchema(Schema):
    """Up to which entry you have read; null where you never looked."""

    upto = fields.Integer(allow_none=True)
    looked_at = Moment(allow_none=True)
    unread = fields.Integer(metadata={"description": f"At most {MOST}"})
    unread_is_exact = fields.Boolean()


class LookedMarkSchema(Schema):
    """Up to which entry a story was before your eyes."""

    upto = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, 2**31 - 1)
    )


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id, trashed=True)


def _shown(contact: Contact) -> dict[str, Any]:
    looked = looked_at(me(), contact)
    return {
        "upto": looked.entry if looked else None,
        "looked_at": looked.at if looked else None,
        "unread": min(len(looked.unread), MOST) if looked else 0,
        "unread_is_exact": not (looked and looked.many),
    }


@bp.route("/contacts/<int:contact_id>/seen", methods=["GET"])
@requires(READ)
@bp.response(200, LookedSchema)
def show_seen(contact_id: int) -> Any:
    """Read how far you have read the story of a contact, and how much is new."""
    return _shown(_contact(contact_id))


@bp.route("/contacts/<int:contact_id>/seen", methods=["PUT"])
@requires(READ)
@bp.arguments(LookedMarkSchema)
@bp.response(200, LookedSchema)
def put_seen(given: dict[str, Any], contact_id: int) -> Any:
    """Remember how far you have read; it never goes back.

    Who looks for the first time has seen all there is.
    """
    contact = _contact(contact_id)
    mark_seen(me(), contact, given["upto"])
    return _shown(contact)
