"""/api/v1/contacts: people and organisations for programs."""

from typing import Any

from flask import redirect, url_for

from core.contacts import permissions, services
from core.contacts.lists import Wanted, contact_list, load_contact, sent
from core.contacts.merging.services import became
from core.contacts.models import Contact
from core.contacts.schemas import (
    ContactArguments,
    ContactChangeSchema,
    ContactSchema,
    NewContactSchema,
)
from core.errors import NotFound
from core.permissions import me, requires
from core.schemas import (
    ApiBlueprint,
    check_version,
    etag_of,
    keyset_page,
    next_link,
    page_schema,
)

bp = ApiBlueprint("contacts_api", __name__, description="People and organisations")


@bp.route("/contacts", methods=["GET"])
@requires(permissions.READ, portal=True)
@bp.arguments(ContactArguments, location="query")
@bp.response(200, page_schema(ContactSchema))
def list_contacts(arguments: dict[str, Any]) -> Any:
    """List the contacts one may see, by name; portal users see their own."""
    limit, cursor = arguments.pop("limit"), arguments.pop("cursor")
    if me().kind != "staff":
        # Their fields are not sent to people outside, so they are not asked either.
        arguments = {**arguments, "owner": "", "tag": ""}
    page = keyset_page(
        contact_list(me(), Wanted(**arguments)),
        [Contact.sort_name, Contact.id],
        cursor=cursor,
        limit=limit,
    )
    return {"items": sent(page.items, me()), "next": page.next}, 200, next_link(page)


@bp.route("/contacts", methods=["POST"])
@requires(permissions.WRITE)
@bp.arguments(NewContactSchema)
@bp.response(201, ContactSchema)
def add_contact(values: dict[str, Any]) -> Any:
    """Add a person or an organisation."""
    contact = services.create_contact(values, actor=me())
    place = {"Location": _address(contact)}
    return _one(contact), 201, etag_of(contact) | place


@bp.route("/contacts/<int:contact_id>", methods=["GET"])
@requires(permissions.READ, portal=True)
@bp.response(200, ContactSchema)
def read_contact(contact_id: int) -> Any:
    """Read one contact; one that was merged leads on to what it became."""
    contact = load_contact(me(), contact_id, trashed=True)
    now_in = became(contact, me()) if contact.merged_into_id is not None else None
    if now_in is not None:
        return redirect(_address(now_in), 307)
    if contact.trashed_at is not None:
        raise NotFound
    return _one(contact), 200, etag_of(contact)


@bp.route("/contacts/<int:contact_id>", methods=["PATCH"])
@requires(permissions.WRITE)
@bp.arguments(ContactChangeSchema)
@bp.response(200, ContactSchema)
def change_contact(values: dict[str, Any], contact_id: int) -> Any:
    """Change the fields that are sent; needs `If-Match`."""
    contact = load_contact(me(), contact_id)
    check_version(contact)
    services.change_contact(contact, values, actor=me())
    return _one(contact), 200, etag_of(contact)


@bp.route("/contacts/<int:contact_id>", methods=["DELETE"])
@requires(permissions.WRITE)
@bp.response(204)
def trash_contact(contact_id: int) -> None:
    """Put a contact in the trash, where it can be brought back; needs `If-Match`."""
    contact = load_contact(me(), contact_id)
    check_version(contact)
    services.trash_contact(contact)


def _one(contact: Contact) -> dict[str, Any]:
    return sent([contact], me())[0]


def _address(contact: Contact) -> str:
    return url_for("contacts_api.read_contact", contact_id=contact.id)
