"""POST /api/v1/contacts/<id>/erase: erasing a person's data, for programs."""

from typing import Any

from marshmallow import fields, validate

from core.contacts.erasing import services
from core.contacts.lists import load_contact
from core.contacts.permissions import ERASE
from core.permissions import me, requires
from core.schemas import ApiBlueprint, Moment, Schema, Text

bp = ApiBlueprint("erasing_api", __name__, description="Erasing a person's data")


class EraseSchema(Schema):
    """Why, and the contact's name once more; `entries` says which lose their words."""

    reason = Text(most=services.LONGEST, required=True)
    confirm = Text(most=200, required=True)
    entries = fields.String(load_default="own", validate=validate.OneOf(["own", "all"]))


class ErasedSchema(Schema):
    """That it is done."""

    contact = fields.Integer(attribute="contact_id")
    erased_at = Moment(attribute="at")
    reason = fields.String()


@bp.route("/contacts/<int:contact_id>/erase", methods=["POST"])
@requires(ERASE)
@bp.arguments(EraseSchema)
@bp.response(201, ErasedSchema)
def erase_contact(values: dict[str, Any], contact_id: int) -> Any:
    """Erase everything held about a person or an organisation, for good.

    With `entries` as `all` also entries that concern others too lose their words.
    """
    return services.erase_contact(
        load_contact(me(), contact_id, trashed=True),
        reason=values["reason"],
        confirm=values["confirm"],
        with_others=values["entries"] == "all",
        by=me(),
    )
