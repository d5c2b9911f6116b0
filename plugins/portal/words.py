"""States, prices and days in words, for pages and panels."""

from datetime import date
from decimal import Decimal

from babel.dates import format_skeleton
from babel.numbers import format_currency

from core.db import now
from core.i18n import get_locale
from core.i18n import lazy_gettext as _l

ORDER_STATES = {
    "placed": _l("Placed"),
    "confirmed": _l("Confirmed"),
    "picked": _l("Picked"),
    "shipped": _l("Shipped"),
    "delivered": _l("Delivered"),
    "cancelled": _l("Cancelled"),
}
# What one does to an order to bring it there.
ORDER_STEPS = {
    "confirmed": _l("Confirm"),
    "picked": _l("Mark as picked"),
    "shipped": _l("Mark as shipped"),
    "delivered": _l("Mark as delivered"),
}
PURCHASE_STATES = {
    "draft": _l("Draft"),
    "sent": _l("Sent"),
    "confirmed": _l("Confirmed"),
    "received": _l("Received"),
    "cancelled": _l("Cancelled"),
}
# To the vendor nothing was "sent": it came in.
VENDOR_STATES = PURCHASE_STATES | {
    "sent": _l("Needs your answer"),
    "received": _l("Delivered"),
}
# The kind of status chip, where it is more than a word.
STATE_KINDS = {"delivered": "ok", "received": "ok", "cancelled": "danger"}


def price_of_one(price: Decimal, currency: str) -> str:
    """Write the price of one as exactly as it is, in the reader's way."""
    return format_currency(
        price.normalize(),
        currency,
        locale=get_locale(),
        decimal_quantization=False,
    )


def day(on: date | None) -> str:
    """Write a day with its weekday, and the year where it is another one than now."""
    if on is None:
        return ""
    skeleton = "MMMEd" if on.year == now().year else "yMMMEd"
    return str(format_skeleton(skeleton, on, locale=get_locale()))
