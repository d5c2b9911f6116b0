"""What support puts on other pages: tickets of a contact, my day, the menu."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.orm import lazyload

from core.contacts.models import Contact
from core.db import Record, db
from core.i18n import lazy_gettext as _l
from core.markup import excerpt, to_text
from core.pages import Action, DayItem, MenuItem, PaletteItem, Panel
from core.permissions import can
from core.statements import prepared
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import visible_to
from plugins.support.models import Ticket
from plugins.support.permissions import READ, WRITE
from plugins.support.unhappy import UNSOLVED, is_unhappy, why_unhappy

SHOWN = 5
# More than so many are nobody's to look at one by one.
MOST_UNSOLVED = 50


def _count_own(user: User) -> sa.Select[Any]:
    own = visible_to(user, Ticket).where(
        Ticket.state == "open", Ticket.owner_id == sa.bindparam("own_tickets_of")
    )
    few = own.options(lazyload("*")).with_only_columns(Ticket.id).limit(100)
    return sa.select(sa.func.count()).select_from(few.subquery("own_tickets"))


def menu(user: User) -> list[MenuItem]:
    """Support in the house's menu with the open tickets of one's own; in the portal's.

    The number is the work that waits, never a total.
    """
    count = None
    if user.kind == "staff":
        count = prepared(user, _count_own).told(own_tickets_of=user.id)
    return [
        MenuItem(
            _l("Support"),
            "support.index",
            READ,
            "life-preserver",
            weight=50,
            count=count,
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
    tickets = prepared(user, _of_contact).scalars(contact_id=record.id)
    return [
        Panel(
            "support.tickets",
            _l("Tickets"),
            "support/panel.html",
            {
                "tickets": tickets[:SHOWN],
                "more": len(tickets) > SHOWN,
                "contact": record,
                "why": why_unhappy,
            },
            READ,
            weight=30,
            types=("support.ticket.",),
            empty=not tickets,
            add_url=url_for("support.new", contact=record.id),
        )
    ]


def _of_contact(user: User) -> sa.Select[Ticket]:
    return (
        visible_to(user, Ticket)
        .where(Ticket.contact_id == sa.bindparam("contact_id"))
        .order_by(Ticket.state.in_(UNSOLVED).desc(), Ticket.id.desc())
        .limit(SHOWN + 1)
        # Of each the panel shows a number, a subject and a state.
        .options(lazyload("*"))
    )


def unsolved(contact: Contact, user: User) -> list[Ticket]:
    """Give the tickets of a contact that are not solved, the unhappy ones first."""
    query = visible_to(user, Ticket).where(
        Ticket.contact_id == contact.id, Ticket.state.in_(UNSOLVED)
    )
    found = db.session.scalars(
        query.order_by(is_unhappy().desc(), Ticket.id).limit(MOST_UNSOLVED)
    )
    return list(found.unique())


def actions(record: Record, _user: User) -> list[Action]:
    """A button on the contact page."""
    if not isinstance(record, Contact):
        return []
    address = url_for("support.new", contact=record.id)
    return [Action(_l("New ticket"), address, WRITE, "life-preserver", 40, key="t")]


def day(user: User) -> list[DayItem]:
    """My tickets that wait, the unhappy ones first, and how many are nobody's.

    A colleague's ticket is mine too when my own customer is unhappy with it.
    """
    if not can(READ, user):
        return []
    desks = looked_after_by(user)
    customers = sa.select(Contact.id).where(Contact.owner_id.in_(desks))
    desk = sa.or_(
        sa.and_(Ticket.owner_id.in_(desks), Ticket.state == "open"),
        sa.and_(
            sa.or_(Ticket.owner_id.in_(desks), Ticket.contact_id.in_(customers)),
            is_unhappy(),
        ),
    )
    open_ones = visible_to(user, Ticket).where(Ticket.state.in_(UNSOLVED))
    counted = open_ones.with_only_columns(
        sa.func.count().filter(desk),
        sa.func.count().filter(Ticket.owner_id.is_(None), Ticket.state == "open"),
    )
    mine, unowned = db.session.execute(counted).one()
    if not mine and not unowned:
        return []
    tickets: Sequence[Ticket] = []
    if mine:
        query = open_ones.where(desk).order_by(is_unhappy().desc(), Ticket.id)
        tickets = db.session.scalars(query.limit(SHOWN)).unique().all()
    context = {"tickets": tickets, "mine": mine, "unowned": unowned, "know": _know}
    context |= {"why": why_unhappy, "desks": desks}
    title = _l("Tickets that wait")
    return [
        DayItem(
            "support.mine",
            title,
            "support/day.html",
            context,
            READ,
            weight=20,
            waits=bool(mine),
        )
    ]


def _know(ticket: Ticket) -> str:
    """Give the one thing to know first about whose ticket it is."""
    return excerpt(to_text(ticket.contact.know_first[:1000]), 120)


def palette(_user: User) -> list[PaletteItem]:
    """What Ctrl-K can do."""
    return [
        PaletteItem(_l("New ticket"), url_for("support.new"), WRITE, "new"),
    ]
