"""The dates vendors give: confirmed, moved, and accepted or declined by our buyer."""

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa

from core.db import db, now
from core.errors import Invalid, NotFound
from core.events import announce
from core.i18n import _
from plugins.portal.events import (
    DATE_ACCEPTED,
    DATE_DECLINED,
    DATE_PROPOSED,
    PURCHASE_CONFIRMED,
)
from plugins.portal.models import Agreement, PurchaseOrder, PurchaseOrderLine
from plugins.portal.services.arrivals import attach_waiting, move_promises
from plugins.portal.services.stock import today


def line_of(order: PurchaseOrder, line_id: int) -> PurchaseOrderLine:
    """Give a line of `order`; raises `NotFound` for another order's."""
    for line in order.lines:
        if line.id == line_id:
            return line
    raise NotFound


def _refuse_unless_open(order: PurchaseOrder) -> None:
    if order.state not in ("sent", "confirmed"):
        said = _("This purchase order is closed; its dates stay as they are.")
        raise Invalid(errors={"state": [said]})


def is_trusted(order: PurchaseOrder) -> bool:
    """Say whether dates this vendor moves take effect without our buyer's yes."""
    return bool(
        db.session.scalar(
            sa.select(Agreement.trusted).where(Agreement.contact_id == order.vendor_id)
        )
    )


def confirm_lines(
    order: PurchaseOrder,
    *,
    dates: Mapping[int, date] | None = None,
    reason: str = "",
) -> PurchaseOrder:
    """Have the vendor confirm all lines, on the days wanted or those in `dates`.

    `dates` are by line id; another day than wanted is a proposal, as by
    `propose_date`, and needs a reason. Raises `Invalid` when the order is closed.
    """
    _refuse_unless_open(order)
    for line_id, on in (dates or {}).items():
        propose_date(order, line_of(order, line_id), on, reason=reason)
    for line in order.lines:
        if line.promised_on is None and line.proposed_on is None:
            line.promised_on = line.wanted_on
    if order.state == "sent":
        order.state = "confirmed"
        order.confirmed_at = now()
        db.session.flush()
        said = {"number": order.number, "state": order.state}
        announce(PURCHASE_CONFIRMED.name, order, said)
    return order


def propose_date(
    order: PurchaseOrder, line: PurchaseOrderLine, on: date, *, reason: str = ""
) -> PurchaseOrderLine:
    """Have the vendor move the date of a line; it waits for our buyer.

    It takes effect at once where it is the day we want anyway, or the vendor is
    trusted. Raises `Invalid` for a day gone by, a move without a reason, or a closed
    order.
    """
    _refuse_unless_open(order)
    if on < today():
        raise Invalid(errors={"promised_on": [_("This day has gone by.")]})
    if line.expected_on in (on, None):
        return _settle(order, line, on)
    if not reason.strip():
        raise Invalid(errors={"reason": [_("Say why the date moves.")]})
    line.proposed_on, line.reason = on, reason.strip()
    _touch(order)
    if is_trusted(order):
        return accept_proposal(order, line)
    _announce(DATE_PROPOSED.name, line, on)
    return line


def _settle(
    order: PurchaseOrder, line: PurchaseOrderLine, on: date
) -> PurchaseOrderLine:
    """Take a date nobody need ask about: the one we want, or the first we are given."""
    if (line.promised_on, line.proposed_on) != (on, None):
        line.promised_on, line.proposed_on = on, None
        _touch(order)
        attach_waiting(line)
        move_promises(line)
    return line


def accept_proposal(order: PurchaseOrder, line: PurchaseOrderLine) -> PurchaseOrderLine:
    """Let a moved date count: the customers' orders that wait for it show it now.

    They name neither the vendor nor the reason. Raises `Invalid` when no date waits.
    """
    on = _waiting_date(line)
    line.promised_on, line.proposed_on = on, None
    _touch(order)
    _announce(DATE_ACCEPTED.name, line, on)
    move_promises(line)
    return line


def decline_proposal(
    order: PurchaseOrder, line: PurchaseOrderLine
) -> PurchaseOrderLine:
    """Leave the date as it was; raises `Invalid` when no moved date waits."""
    on = _waiting_date(line)
    line.proposed_on = None
    _touch(order)
    _announce(DATE_DECLINED.name, line, on)
    return line


def _waiting_date(line: PurchaseOrderLine) -> date:
    if line.proposed_on is None:
        raise Invalid(errors={"lines": [_("No moved date waits for you here.")]})
    return line.proposed_on


def _touch(order: PurchaseOrder) -> None:
    # The lines are part of the order: a changed line is a changed order.
    order.updated_at = now()
    db.session.flush()


def _announce(event_type: str, line: PurchaseOrderLine, on: date) -> None:
    said = {"number": line.order.number, "line": line.id, "date": on.isoformat()}
    announce(event_type, line.order, said)
