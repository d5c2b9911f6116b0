"""/api/v1/tickets: the same tickets, for programs."""

from collections.abc import Sequence
from typing import Any

from flask import url_for

from core.contacts.models import Contact
from core.errors import Invalid
from core.i18n import _
from core.interactions.entries import name_of_author
from core.permissions import me, requires
from core.readers import choose_audience
from core.schemas import (
    ApiBlueprint,
    check_version,
    etag_of,
    keyset_page,
    next_link,
    page_schema,
)
from core.visibility import get_visible, visible_to
from plugins.support import services
from plugins.support.models import Ticket
from plugins.support.permissions import READ, WRITE
from plugins.support.schemas import (
    MessageSchema,
    NewMessageSchema,
    NewTicketSchema,
    TicketArguments,
    TicketChangeSchema,
    TicketSchema,
)

bp = ApiBlueprint(
    "support_api", __name__, description="Tickets and what is said on them"
)


def _shown(tickets: Sequence[Ticket]) -> list[dict[str, Any]]:
    words = services.first_words(tickets, me())
    return [
        {
            "id": one.id,
            "number": one.number,
            "subject": one.subject,
            "body": words.get(one.id, ""),
            "contact": one.contact_id,
            "state": services.state_for(me(), one),
            "audience": one.audience.kind,
            "created_at": one.created_at,
            "updated_at": one.updated_at,
            "version": one.version,
        }
        for one in tickets
    ]


@bp.route("/tickets", methods=["GET"])
@requires(READ, portal=True)
@bp.arguments(TicketArguments, location="query")
@bp.response(200, page_schema(TicketSchema))
def list_tickets(arguments: dict[str, Any]) -> Any:
    """List the tickets you may see, newest first."""
    query = visible_to(me(), Ticket)
    if arguments["state"]:
        query = query.where(services.in_state(me(), arguments["state"]))
    if arguments["contact"]:
        query = query.where(Ticket.contact_id == arguments["contact"])
    page = keyset_page(
        query,
        [Ticket.id],
        cursor=arguments["cursor"],
        limit=arguments["limit"],
        descending=True,
    )
    body = {"items": _shown(page.items), "next": page.next}
    return body, 200, next_link(page)


@bp.route("/tickets", methods=["POST"])
@requires(WRITE, portal=True)
@bp.arguments(NewTicketSchema)
@bp.response(201, TicketSchema)
def open_ticket(given: dict[str, Any]) -> Any:
    """Open a ticket; a customer's is about their own organisation."""
    user = me()
    about = given["contact"] if user.kind == "staff" else _own(given["contact"])
    if about is None:
        raise Invalid(errors={"contact": [_("Say which contact it is about.")]})
    contact = get_visible(user, Contact, about)
    spec = choose_audience(
        user,
        given.get("audience"),
        teams=given.get("teams", ()),
        users=given.get("users", ()),
        shared_with=given.get("shared_with", ()),
        contact=contact,
    )
    ticket = services.open_ticket(
        contact,
        author=user,
        subject=given["subject"],
        body=given["body"],
        audience=spec,
    )
    location = url_for("support_api.show_ticket", ticket_id=ticket.id)
    return _shown([ticket])[0], 201, etag_of(ticket) | {"Location": location}


def _own(asked: int | None) -> int | None:
    """Take a portal user's organisation when they name none."""
    return asked or me().contact_id or me().person_id


@bp.route("/tickets/<int:ticket_id>", methods=["GET"])
@requires(READ, portal=True)
@bp.response(200, TicketSchema)
def show_ticket(ticket_id: int) -> Any:
    """Show one ticket."""
    ticket = get_visible(me(), Ticket, ticket_id)
    return _shown([ticket])[0], 200, etag_of(ticket)


@bp.route("/tickets/<int:ticket_id>", methods=["PATCH"])
@requires(WRITE, portal=True)
@bp.arguments(TicketChangeSchema)
@bp.response(200, TicketSchema)
def change_ticket(given: dict[str, Any], ticket_id: int) -> Any:
    """Change the subject or state of a ticket; needs If-Match."""
    ticket = get_visible(me(), Ticket, ticket_id)
    check_version(ticket)
    services.change_ticket(ticket, actor=me(), **given)
    return _shown([ticket])[0], 200, etag_of(ticket)


@bp.route("/tickets/<int:ticket_id>/messages", methods=["GET"])
@requires(READ, portal=True)
@bp.response(200, MessageSchema(many=True))
def list_messages(ticket_id: int) -> Any:
    """List what you may read of what was said on a ticket, oldest first."""
    ticket = get_visible(me(), Ticket, ticket_id)
    return [_message(one) for one in services.thread(ticket, me())[-200:]]


def _message(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "body": one.body,
        "audience": one.audience.kind,
        "author": name_of_author(one),
        "occurred_at": one.occurred_at,
    }


@bp.route("/tickets/<int:ticket_id>/messages", methods=["POST"])
@requires(WRITE, portal=True)
@bp.arguments(NewMessageSchema)
@bp.response(201, MessageSchema)
def add_message(given: dict[str, Any], ticket_id: int) -> Any:
    """Reply, so that the customer reads it, or add an internal note."""
    ticket = get_visible(me(), Ticket, ticket_id)
    write = services.reply if given["kind"] == "reply" else services.add_note
    return _message(write(ticket, author=me(), body=given["body"]))
