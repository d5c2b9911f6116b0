"""How a reader refines a search on its page: kinds of hits, teams, order and period.

All of it stands in the address, so that a page can be sent to a colleague.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import request, url_for

from core.db import db
from core.i18n import _
from core.users.models import Team, User
from plugins.search import services
from plugins.search.asking import Refined, allowed_for, readable_types
from plugins.search.backend import Order
from plugins.search.services import Results

_ORDERS: Mapping[str, Order] = {"new": "newest", "old": "oldest"}
# Days back from now, by their name in the address.
_PERIODS = {"week": 7, "month": 30, "year": 365}

_KEPT = ("q", "type", "sort", "when")

#: Words, an address, and whether that is what is shown.
Choice = tuple[str, str, bool]


def chosen(args: Mapping[str, str]) -> Refined:
    """Read what the address asks for; what it should not say is left out."""
    order = _ORDERS.get(args.get("sort", ""), "best")
    return Refined(order, _PERIODS.get(args.get("when", "")), counting=True)


def here(**changes: Any) -> str:
    """Give the address of this search with other choices, from its first page."""
    kept: dict[str, Any] = {name: request.args.get(name) or None for name in _KEPT}
    return url_for("search.index", **kept | changes)


def orders(refined: Refined) -> list[Choice]:
    """Offer the orders of hits."""
    words = {None: _("Best first"), "new": _("Newest"), "old": _("Oldest")}
    return [
        (said, here(sort=name), _ORDERS.get(name or "", "best") == refined.order)
        for name, said in words.items()
    ]


def periods(refined: Refined) -> list[Choice]:
    """Offer how far back to look."""
    words = {
        None: _("Any time"),
        "week": _("Last 7 days"),
        "month": _("Last 30 days"),
        "year": _("Last 12 months"),
    }
    return [
        (said, here(when=name), _PERIODS.get(name or "") == refined.days)
        for name, said in words.items()
    ]


def tabs(
    user: User, text: str, kind: str, refined: Refined, results: Results
) -> list[tuple[object, str, bool, int | None]]:
    """Give one tab for everything, and one for each type that has hits."""
    if not text:
        return []
    counts = results.counts
    if kind:
        # Of the other types as well.
        counts = services.search(user, text, limit=0, refined=refined).counts
    found: list[tuple[object, str, bool, int | None]]
    found = [(_("All"), here(type=None), not kind, None)]
    for name, one in readable_types(user).items():
        count = counts.get(f"type:{name}")
        if count:
            current = kind in {name, one.short}
            found.append((one.title, here(type=one.short), current, count))
    return found


def teams(user: User, text: str, results: Results) -> list[tuple[str, str, int]]:
    """Offer the teams whose hits are among those found, with how many each has."""
    numbers = {
        int(name.removeprefix("team:")): count
        for name, count in results.counts.items()
        if name.startswith("team:")
    }
    if "team" not in allowed_for(user) or len(numbers) < 2:
        return []
    query = sa.select(Team.id, Team.name).where(Team.id.in_(numbers))
    rows: Sequence[tuple[int, str]] = [
        (row.id, row.name) for row in db.session.execute(query.order_by(Team.name))
    ]
    return [
        (name, here(q=f'{text} team:"{name}"'), numbers[number])
        for number, name in rows
        if '"' not in name
    ]
