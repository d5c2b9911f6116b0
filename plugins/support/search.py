"""How a ticket is titled, linked and found."""

from flask import url_for

from core.i18n import lazy_gettext as _l
from core.records import RecordType, SearchDocument, Undo
from core.users.models import User
from plugins.support.models import Ticket
from plugins.support.permissions import READ, WRITE
from plugins.support.services import put_back_ticket
from plugins.support.unhappy import why_unhappy


def label(ticket: Ticket) -> str:
    """Title a ticket: `#1042 Pallet broken`."""
    return f"#{ticket.number} {ticket.subject}"


def address(ticket: Ticket, user: User) -> str:
    """Give the page of a ticket: the house's, or the portal's."""
    page = "support.show" if user.kind == "staff" else "support.portal_show"
    return url_for(page, number=ticket.number)


def document(ticket: Ticket) -> SearchDocument:
    """Give the words of a ticket; what was said on it are interactions of their own."""
    return SearchDocument(
        title=label(ticket),
        identifiers=(str(ticket.number), f"#{ticket.number}"),
        contact_id=ticket.contact_id,
        date=ticket.updated_at,
    )


UNDO = Undo(
    WRITE,
    {"state": _l("State"), "owner_id": _l("Owner"), "subject": _l("Subject")},
    put_back_ticket,
)
RECORD = RecordType(
    Ticket,
    _l("Ticket"),
    "life-preserver",
    READ,
    label,
    address,
    document,
    UNDO,
    unhappy=why_unhappy,
    alike="title",
)
