"""A vendor's whole answer to a purchase order: all its dates at once, and a yes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.errors import Invalid
from plugins.portal.models import PurchaseOrder, PurchaseOrderLine
from plugins.portal.services.vendor_dates import confirm_lines, line_of, propose_date


@dataclass(frozen=True)
class GivenDate:
    """The date a vendor gives for a line; None leaves it as it is."""

    on: date | None
    reason: str = ""


def date_shown(line: PurchaseOrderLine) -> date | None:
    """Give the date that stands in the vendor's form: theirs, else the one wanted."""
    return line.proposed_on or line.expected_on


def answer(
    order: PurchaseOrder, given: Mapping[int, GivenDate], *, confirm: bool
) -> list[PurchaseOrderLine]:
    """Take the dates a vendor gives by line id, and with `confirm` the yes to the rest.

    Gives the lines that were changed. Raises `Invalid` with the id of the line in the
    field's name (`promised_on.7`, `reason.7`), `NotFound` for another order's line.
    """
    errors: dict[str, object] = {}
    changed = []
    for line_id, one in given.items():
        line = line_of(order, line_id)
        if one.on is None or one.on == date_shown(line):
            continue
        changed.append(line)
        try:
            propose_date(order, line, one.on, reason=one.reason)
        except Invalid as refused:
            for field, said in refused.errors.items():
                errors[f"{field}.{line_id}"] = said
    if errors:
        raise Invalid(errors=errors)
    if confirm:
        confirm_lines(order)
    return changed
