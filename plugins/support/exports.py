"""Tickets going out."""

from collections.abc import Iterator, Sequence

from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportKind
from core.users.models import User
from plugins.support import services
from plugins.support.models import Ticket
from plugins.support.permissions import READ
from plugins.support.schemas import TicketSchema

_TABLE = (
    "number", "subject", "state", "contact", "owner", "created_at", "solved_at", "body",
)  # fmt: skip


def rows_of_tickets(
    tickets: Sequence[Ticket], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of tickets, with the first words this user may read."""
    words = services.first_words(tickets, user)
    for one in tickets:
        yield {
            "number": one.number,
            "subject": one.subject,
            "state": services.state_for(user, one),
            "contact": one.contact.name,
            "owner": one.owner.email if one.owner else None,
            "created_at": one.created_at,
            "solved_at": one.solved_at,
            "body": words.get(one.id, ""),
        }


KIND = ImportKind(
    name="tickets",
    title=_l("Tickets"),
    schema=TicketSchema,
    bring=None,
    permission=READ,
    export=Export(Ticket, rows_of_tickets, _TABLE),
)
