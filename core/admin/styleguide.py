"""/admin/styleguide: every part of the pages, once, in all its states.

The people and firms on it are made up; nothing on it does anything.
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request

from core.admin.permissions import SYSTEM
from core.charts import Series, bar_chart, line_chart
from core.db import now
from core.markup import to_html
from core.permissions import requires
from core.readers import AudienceView

bp = Blueprint("styleguide", __name__, url_prefix="/admin")

AUDIENCES = [
    AudienceView("private", "Only you", False),
    AudienceView("private", "Only you and Mika", False),
    AudienceView("teams", "Sales, Support", False),
    AudienceView("staff", "All colleagues", False),
    AudienceView("shared", "Customer sees this", True),
    AudienceView("shared", "Vendor sees this", True),
]
WRITTEN = "Has four developments under way; wants **one delivery window** per site."


def _entry(number: int, author: str, kind: str, audience: int, **more: Any) -> Any:
    return {
        "id": f"sample-{number}",
        "author_name": author,
        "author_id": number,
        "kind_title": kind,
        "kind_icon": "calendar-event",
        "occurred_at": now() - timedelta(hours=5 * number),
        "contacts": [("Pekka Virtanen", "#entry")],
        "audience": AUDIENCES[audience],
        "html": to_html(WRITTEN),
        "attachments": [],
        "replies": 0,
        "edited_at": None,
        "url": "#entry",
        **more,
    }


def _entries() -> list[Any]:
    file = {"title": "Price agreement 2026.pdf", "url": "#entry"}
    reply = _entry(4, "Sanna Niemi", "Note", 2, contacts=[])
    return [
        _entry(1, "Anna Laine", "Meeting", 2, attachments=[file], edited_at=now()),
        _entry(2, "Mika Koski", "E-mail", 4, replies=[reply]),
        _entry(3, "Outi Kallio", "Message", 5, replies=3),
    ]


def _charts() -> dict[str, Any]:
    months = ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    orders = [
        Series("Helsinki", [12, 15, 9, 18, 24, 21], ["#chart"] * 6),
        Series("Tampere", [8, 7, None, 11, 10, 13]),
        Series("Turku", [3, 5, 4, 4, 7, 6]),
        Series("Oulu", [1, 2, 2, 1, 3, 2]),
    ]
    waits = bar_chart(months, [14, 9, 11, 6, 4, 5], name="Hours")
    return {"lines": line_chart(months, orders, height=240), "bars": waits}


@bp.get("/styleguide")
@requires(SYSTEM)
def show() -> Any:
    """Draw the parts, in the light or the dark look when the address says which."""
    look = request.args.get("look")
    return render_template(
        "core/admin/styleguide.html",
        look=look if look in {"light", "dark"} else None,
        audiences=AUDIENCES,
        entries=_entries(),
        charts=_charts(),
    )


@bp.get("/styleguide/readers")
@requires(SYSTEM)
def readers() -> str:
    """Answer the composers of the page, which ask who would read."""
    return render_template("core/admin/styleguide_readers.html")
