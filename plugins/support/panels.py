"""What support puts on other pages: tickets of a contact, my day, the menu."""

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.orm import lazyload

from core.contacts.models import Contact
from core.db import Record, db
from core.i18n import lazy_gettext as _l
from core.pages import Action, DayItem, MenuItem, PaletteItem, Panel
from core.users.models import User
from core.visibility import visible_to
from plugins.support.models import Ticket
from plugins.support.permissions import READ, WRITE

SHOWN = 5
UNSOLVED = ("open", "waiting")


def _count_own(user: User) -> int:
    """Count the open tickets of one's own: the work, never the total."""
    if user.kind != "staff":
        return 0
    own = visible_to(user, Ticket).where(
        Ticket.state == "open", Ticket.owner_id == user.id
    )
    few = own.options(lazyload("*")).with_only_columns(Ticket.id).limit(100)
    count = sa.select(sa.func.count()).select_from(few.subquery())
    return db.session.scalar(count) or 0


def menu(user: User) -> list[MenuItem]:
    """Support in the house's menu, and in the portal's."""
    return [
        MenuItem(
            _l("Support"),
            "support.index",
            READ,
            "life-preserver",
            weight=50,
            count=_count_own(user) or None,
            key="s",
        ),
        MenuItem(
            _l("Messages"),
            "support.portal_index",
            READ,
            "chat-dots",
            weight=70,
            portal=True,
        ),
    ]


def of_record(record: Record, user: User) -> list[Panel]:
    """The tickets of a contact."""
    if not isinstance(record, Contact):
        return []
    query = (
        visible_to(user, Ticket)
        .where(Ticket.contact_id == record.id)
        .order_by(Ticket.state.in_(UNSOLVED).desc(), Ticket.id.desc())
        .limit(SHOWN + 1)
    )
    tickets = db.session.scalars(query).unique().all()
    return [
        Panel(
            "support.tickets",
            _l("Tickets"),
            "support/panel.html",
            {
                "tickets": tickets[:SHOWN],
                "more": len(tickets) > SHOWN,
                "contact": record,
            },
            READ,
            weight=30,
            types=("support.ticket.",),
            empty=not tickets,
            add_url=url_for("support.new", contact=record.id),
        )
    ]


def actions(record: Record, _user: User) -> list[Action]:
    """A button on the contact page."""
    if not isinstance(record, Contact):
        return []
    address = url_for("support.new", contact=record.id)
    return [Action(_l("New ticket"), address, WRITE, "life-preserver", 40, key="t")]


def day(user: User) -> list[DayItem]:
    """The unsolved tickets that are mine or nobody's, oldest first."""
    query = (
        visible_to(user, Ticket)
        .where(
            Ticket.state == "open",
            sa.or_(Ticket.owner_id == user.id, Ticket.owner_id.is_(None)),
        )
        .order_by(Ticket.id)
        .limit(SHOWN)
    )
    tickets = db.session.scalars(query).unique().all()
    context = {"tickets": tickets}
    if not tickets:
        return []
    title = _l("Tickets that wait")
    return [DayItem("support.mine", title, "support/day.html", context, READ, 20)]


def palette(_user: User) -> list[PaletteItem]:
    """What Ctrl-K can do."""
    return [
        PaletteItem(_l("New ticket"), url_for("support.new"), WRITE, "new"),
    ]
