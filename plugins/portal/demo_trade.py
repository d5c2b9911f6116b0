"""Two years of trade for the demo company: what was bought and sold before today.

It comes out the same every time; only the days move with the day it is loaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

_SEED = "Lehto Supply, trade"
_LONG_AGO = -720
# The youngest of these orders; newer ones are in the data file, in every state.
_LATELY = -5
# How dear one is, and the most boxes somebody orders of it.
_MOST = (("10", 12), ("60", 9), ("250", 6), ("100000", 2))


def past_orders(
    buyers: Sequence[Mapping[str, Any]],
    products: Sequence[Mapping[str, Any]],
    today: date,
) -> Iterator[dict[str, Any]]:
    """Give orders that were delivered or are under way, for each of `buyers`."""
    random = Random(_SEED)  # noqa: S311 - a tale, no secret
    sold = [one for one in products if not one.get("discontinued")]
    for group in buyers:
        likely = [one for one in sold if one["category"] in group["most"]]
        for contact in group["of"]:
            usual = random.sample(likely, min(12, len(likely)))
            days = (random.randint(_LONG_AGO, _LATELY) for _ in range(group["orders"]))
            for day in days:
                chosen = random.sample(usual, random.randint(2, 4))
                if random.random() < 0.3:
                    chosen.append(random.choice(sold))
                yield {
                    "contact": contact,
                    "day": working_day(today, day),
                    "at": f"{random.randint(7, 17):02}:{random.randint(0, 59):02}",
                    "reference": random.choice(group["reference"]),
                    "state": _state(day, random),
                    "lines": {one["sku"]: _quantity(one, random) for one in chosen},
                }


def past_purchases(
    bought: Mapping[str, int], products: Sequence[Mapping[str, Any]], today: date
) -> Iterator[dict[str, Any]]:
    """Give purchase orders that were received, of each vendor as many as `bought`."""
    random = Random(_SEED)  # noqa: S311 - a tale, no secret
    for vendor, count in bought.items():
        made = [one for one in products if one.get("supplier") == vendor]
        for _one in range(count):
            sent = working_day(today, random.randint(-700, -110))
            lines = random.sample(made, min(len(made), random.randint(2, 4)))
            yield {
                "vendor": vendor,
                "sent": sent,
                "state": "received",
                "reference": f"Stock, week {_week(today, sent)}",
                "lines": [_bought(one, sent, today, random) for one in lines],
            }


def _bought(
    said: Mapping[str, Any], sent: int, today: date, random: Random
) -> dict[str, Any]:
    # We buy at three fifths of the price we sell at.
    price = (Decimal(said["price"]) * Decimal("0.6")).quantize(Decimal("0.01"))
    return {
        "sku": said["sku"],
        "quantity": 5 * _quantity(said, random),
        "price": str(price),
        "wanted": working_day(today, sent + said["lead"] + random.randint(0, 3)),
    }


def _quantity(said: Mapping[str, Any], random: Random) -> int:
    price = Decimal(said["price"])
    most = next(most for limit, most in _MOST if price < Decimal(limit))
    box: int = said.get("box", 1)
    return box * random.randint(1, most) * (2 if box == 1 and price < 60 else 1)


def _state(day: int, random: Random) -> str:
    if random.random() < 0.02:
        return "cancelled"
    return "delivered" if day < -9 else "shipped"


def _week(today: date, day: int) -> int:
    return (today + timedelta(days=day)).isocalendar().week


def working_day(today: date, day: int) -> int:
    """Move what fell on a weekend to the Friday before; days count from `today`."""
    return day - max(0, (today + timedelta(days=day)).weekday() - 4)
