"""Quick order: lines of a SKU and a quantity, each checked and told what is wrong."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from babel.dates import format_date

from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _, locale_code
from core.users.models import User
from plugins.portal.models import Product
from plugins.portal.services.catalogue import (
    Offer,
    find_products,
    offers,
    sold_to,
)
from plugins.portal.services.prices import total_of
from plugins.portal.services.stock import (
    expected_on,
    figures_of,
    promise_from_stock,
)

Verdict: TypeAlias = Literal[
    "ok", "later", "short", "unknown", "discontinued", "quantity"
]

MOST_LINES = 500
MOST_OF_ONE = 1_000_000
# Looking for the nearest SKU takes time; a paste of the wrong file must not.
_MOST_SUGGESTIONS = 20
_LONGEST_LINE = 200
# "KV-100 24", with a tab, a space, a semicolon or a comma between them.
_LINE = re.compile(r"^(?P<sku>\S+?)(?:[\s;,]+(?P<quantity>.+?))?[\s;,]*$")


@dataclass(frozen=True)
class TypedLine:
    """A line as somebody typed it; `quantity` is text or a number, whatever came."""

    sku: str
    quantity: object


@dataclass(frozen=True)
class CheckedLine:
    """A line with its verdict; `position` counts from 0.

    `ok` comes from stock on `promised_on`. `later` comes, or the rest of it, on
    `later_on`; `now` is how many come first, None where this customer is told no
    figures. The others are `problem`s and cannot be ordered; `suggestion` is the
    nearest SKU.
    """

    position: int
    typed: TypedLine
    verdict: Verdict
    offer: Offer | None = None
    quantity: int = 0
    now: int | None = None
    promised_on: date | None = None
    later_on: date | None = None
    problem: str = ""
    suggestion: str | None = None

    @property
    def can_be_ordered(self) -> bool:
        """Say whether an order would take this line."""
        return self.verdict in {"ok", "later"}

    @property
    def found(self) -> Offer:
        """The offer of a line that can be ordered; raises `LookupError` for others."""
        if self.offer is None:
            raise LookupError(f"{self.typed.sku!r} is no product")
        return self.offer

    @property
    def when(self) -> str:
        """Say when it comes: "7 now, 23 more on 3 Mar 2026."; empty for a problem."""
        if self.verdict == "ok" and self.promised_on is not None:
            return _("In stock, there by %(day)s.", day=words_of_day(self.promised_on))
        if self.verdict != "later" or self.later_on is None:
            return ""
        day = words_of_day(self.later_on)
        if self.now is None:
            return _("Some now, the rest on %(day)s.", day=day)
        if self.now == 0:
            return _("All of it on %(day)s.", day=day)
        more = self.quantity - self.now
        return _(
            "%(now)d now, %(more)d more on %(day)s.", now=self.now, more=more, day=day
        )

    @property
    def total(self) -> Decimal | None:
        """The price of the line for this customer, if it can be ordered."""
        if self.offer is None or not self.can_be_ordered:
            return None
        price = self.offer.price
        return total_of(self.quantity, price.unit_price, price.discount)


def parse_lines(text: str) -> list[TypedLine]:
    """Take pasted text apart, a SKU and a quantity a line; empty lines do not count."""
    found = []
    for line in text.replace("\x00", " ").splitlines():
        match = _LINE.match(line.strip()[:_LONGEST_LINE])
        if match:
            found.append(TypedLine(match["sku"], (match["quantity"] or "").strip()))
    return found


def check_lines(
    user: User,
    lines: str | Sequence[Mapping[str, Any]],
    *,
    contact: Contact | None = None,
) -> list[CheckedLine]:
    """Check what somebody wants to order, line by line, and reserve nothing.

    `lines` is pasted text, or mappings with `sku` and `quantity`; `contact` is the
    customer on whose behalf a colleague asks. The number of statements does not grow
    with the lines. Raises `Invalid` for more than 500 lines.
    """
    typed = parse_lines(lines) if isinstance(lines, str) else _typed(lines)
    if len(typed) > MOST_LINES:
        said = _("An order has at most %(num)d lines.", num=MOST_LINES)
        raise Invalid(errors={"lines": [said]})
    found = find_products(user, (one.sku for one in typed))
    return _Check(user, found, contact).check(typed)


def _typed(lines: Iterable[Mapping[str, Any]]) -> list[TypedLine]:
    return [
        TypedLine(str(one.get("sku") or "").strip(), one.get("quantity", ""))
        for one in lines
    ]


def words_of_day(day: date) -> str:
    """Write a day as the reader's language does."""
    return str(format_date(day, format="medium", locale=locale_code()))


def read_quantity(typed: object) -> int | None:
    """Read a whole number above zero; None if it is none."""
    text = str(typed).strip()
    if isinstance(typed, bool) or not re.fullmatch(r"\d{1,7}", text):
        return None
    number = int(text)
    return number if 0 < number <= MOST_OF_ONE else None


class _Check:
    """One check of many lines: what it read once, and what earlier lines took."""

    def __init__(
        self, user: User, found: Mapping[str, Product], contact: Contact | None
    ):
        self.user = user
        products = list(found.values())
        offered = offers(user, products, contact=contact)
        self.offers = {one.product.sku.lower(): one for one in offered}
        self.left = {
            key: max(0, one.available) for key, one in figures_of(products).items()
        }
        self.expected = expected_on(products)
        self.from_stock = promise_from_stock()
        self.skus: list[str] | None = None
        self.suggested = 0

    def check(self, typed: Iterable[TypedLine]) -> list[CheckedLine]:
        """Check each line in turn."""
        return [self._line(number, one) for number, one in enumerate(typed)]

    def _line(self, position: int, typed: TypedLine) -> CheckedLine:
        offer = self.offers.get(typed.sku.lower())
        if offer is None:
            return self._unknown(position, typed)
        product = offer.product
        if product.discontinued:
            said = _("%(sku)s is no longer sold.", sku=product.sku)
            return CheckedLine(position, typed, "discontinued", offer, problem=said)
        quantity = read_quantity(typed.quantity)
        problem = _wrong_quantity(product, quantity)
        if quantity is None or problem:
            return CheckedLine(position, typed, "quantity", offer, problem=problem)
        return self._stock(position, typed, offer, quantity)

    def _unknown(self, position: int, typed: TypedLine) -> CheckedLine:
        nearest = self._nearest(typed.sku)
        said = _("%(sku)s is not in the catalogue.", sku=typed.sku[:60])
        if nearest:
            said = _(
                "%(sku)s is not in the catalogue. Did you mean %(nearest)s?",
                sku=typed.sku[:60],
                nearest=nearest,
            )
        return CheckedLine(position, typed, "unknown", problem=said, suggestion=nearest)

    def _nearest(self, sku: str) -> str | None:
        if self.suggested >= _MOST_SUGGESTIONS or not sku:
            return None
        self.suggested += 1
        if self.skus is None:
            query = sold_to(self.user).with_only_columns(Product.sku)
            self.skus = list(db.session.scalars(query.order_by(Product.sku)))
        known = {one.lower(): one for one in self.skus}
        near = difflib.get_close_matches(sku.lower()[:60], known, n=1, cutoff=0.6)
        return known[near[0]] if near else None

    def _stock(
        self, position: int, typed: TypedLine, offer: Offer, quantity: int
    ) -> CheckedLine:
        product = offer.product
        left = self.left[product.id]
        now = min(left, quantity)
        later_on = self.expected.get(product.id)
        told = tells_figures(offer)
        if now == quantity:
            self.left[product.id] = left - now
            return CheckedLine(
                position, typed, "ok", offer, quantity, quantity, self.from_stock
            )
        if later_on is None:
            said = shortage(product, left if told else None)
            return CheckedLine(position, typed, "short", offer, quantity, problem=said)
        self.left[product.id] = left - now
        return CheckedLine(
            position,
            typed,
            "later",
            offer,
            quantity,
            now if told or not now else None,
            later_on,
            later_on,
        )


def tells_figures(offer: Offer) -> bool:
    """Say whether the reader of this offer may be told how many there are."""
    return offer.figures is not None or (
        offer.shown is not None and offer.shown.figure is not None
    )


def _wrong_quantity(product: Product, quantity: int | None) -> str:
    if quantity is None:
        return _("Write a whole number above zero after the SKU.")
    box = product.box_size
    if quantity % box:
        above = quantity + box - quantity % box
        return _(
            "Quantity must be a multiple of %(box)d, such as %(above)d.",
            box=box,
            above=above,
        )
    return ""


def shortage(product: Product, left: int | None) -> str:
    """Say that there is not enough; `left` is None where no figure may be told."""
    if left == 0 or (left is None and product.stock.available <= 0):
        return _("%(sku)s is sold out, and no date is known yet.", sku=product.sku)
    if left is None:
        return _("There are not that many of %(sku)s. Order fewer.", sku=product.sku)
    return _("Only %(num)d of %(sku)s are left.", num=left, sku=product.sku)
