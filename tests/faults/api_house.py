"""A house to which programs send: what stands in addresses, and what is accepted."""

import io
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.db import db, now
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from tests.core.world import PDF

Start = Callable[[int], dict[str, Any]]


@dataclass
class House:
    """Somebody who sends, and where: `places` fills what stands in addresses."""

    client: Any
    browser: Any
    places: dict[str, Any]
    starts: dict[str, Start]
    wrong: list[str] = field(default_factory=list)
    unseen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def told_to(user: Any) -> int:
    """Tell somebody a piece of news, and give its id."""
    with db.transaction() as session:
        news = Notification(user_id=user.id, key="told", kind="x", text="News.")
        session.add(news)
        session.flush()
        return news.id


def make_house(api: Any, as_user: Any) -> House:
    """Make one record of everything that can be changed, and bodies that are taken."""
    chief = make_user("Ada Admin", roles=["admin"], teams=["Sales"])
    heir = make_user("Mika Koski", teams=["Sales"])
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer", "vendor"])
    client = api(chief)
    entry = make_interaction(
        firm, author=chief, kind="meeting", occurred_at=now() + timedelta(days=30)
    )
    guest = {"address": "guest@example.com"}
    other = make_contact("Outi Kallio", kind="person")

    def post(path: str, **sent: Any) -> Any:
        answer = client.post(f"/api/v1/{path}", **sent)
        assert answer.status_code == 201, answer.text
        return answer.json

    post(
        "products", json={"sku": "KV-1", "name": "Valve", "stock": {"on_hand": 999999}}
    )
    # What is ordered is a product that nothing else here changes.
    post("products", json={"sku": "KV-2", "name": "Tap", "stock": {"on_hand": 999999}})
    lines = [{"sku": "KV-2", "quantity": 1}]
    order = post("orders", json={"lines": lines, "contact": firm.id})
    wanted = {"vendor": firm.id, "lines": lines, "send": True}
    bought = post("purchase-orders", json=wanted)
    words = {"subject": "Pump", "body": "Loud.", "contact": firm.id}
    ticket = post("tickets", json=words)
    file = {"file": (io.BytesIO(PDF), "Prices.pdf"), "contact": firm.id}
    document = post("documents", data=file)
    moment = "2031-01-01T08:00:00Z"
    reminder = {"contact": firm.id, "text": "Call.", "due_at": moment}
    follow_up = post("follow-ups", json=reminder)
    given = post("hand-overs", json={"contact": other.id, "receiver": heir.id})
    places = {
        "follow_up_id": follow_up["id"],
        "hand_over_id": given["id"],
        "name": "thanks",
        "contact_id": firm.id,
        "interaction_id": entry.id,
        "document_id": document["id"],
        "sku": "KV-1",
        "key": order["id"],
        "ticket_id": ticket["id"],
        "notification_id": told_to(chief),
    }

    def merged(turn: int) -> int:
        """Let another contact have gone into the firm."""
        twin = post("contacts", json={"kind": "organisation", "name": f"Twin {turn}"})
        path = f"/api/v1/contacts/{firm.id}/merge"
        done = client.post(
            path, json={"contact": twin["id"]}, headers={"If-Match": "*"}
        )
        assert done.status_code == 200, done.text
        return int(twin["id"])

    def doomed(turn: int) -> dict[str, Any]:
        """Let there be another contact, to be erased."""
        name = f"Gone {turn}"
        made = post("contacts", json={"kind": "person", "name": name})
        places["to_erase"] = made["id"]
        return {"reason": "They asked for it.", "confirm": name, "entries": "own"}

    def invited(turn: int) -> str:
        """Name a guest; a list has room for a hundred, and begins anew in time."""
        if turn % 40 == 0:
            where = f"/api/v1/interactions/{places['interaction_id']}/meeting"
            tag = client.get(where).headers.get("ETag", "")
            few = {"title": "Prices", "attendees": [guest]}
            answer = client.put(where, json=few, headers={"If-Match": tag})
            assert answer.status_code == 200, answer.text
        return f"guest{turn}@example.com"

    starts: dict[str, Start] = {
        "POST /api/v1/contacts": lambda turn: {
            "kind": "person",
            "name": f"Person {turn}",
            "affiliations": [{"organisation": firm.id}],
            "emails": [{"address": f"a{turn}@example.com"}],
            "phones": [{"number": "+358 9 1234"}],
        },
        "PATCH /api/v1/contacts/{contact_id}": lambda turn: {
            "affiliations": [{"person": other.id}],
            "emails": [{"address": f"b{turn}@example.com"}],
            "phones": [{"number": "+358 9 1234"}],
        },
        "POST /api/v1/contacts/{contact_id}/merge": lambda turn: {
            "contact": post("contacts", json={"kind": "organisation", "name": "Twin"})[
                "id"
            ],
            "take": {"name": "kept"},
            "accepted": [],
        },
        "POST /api/v1/contacts/{contact_id}/part": lambda turn: {
            "contact": merged(turn),
        },
        "POST /api/v1/interactions": lambda turn: {
            "contacts": [firm.id],
            "body": f"Note {turn}.",
        },
        "POST /api/v1/follow-ups": lambda turn: dict(reminder),
        "POST /api/v1/hand-overs": lambda turn: {
            "contact": post("contacts", json={"kind": "person", "name": "P"})["id"],
            "receiver": heir.id,
        },
        "PUT /api/v1/interactions/{interaction_id}/meeting": lambda turn: {
            "title": f"Prices {turn}",
            "attendees": [guest],
        },
        "POST /api/v1/interactions/{interaction_id}/meeting/attendees": (
            lambda turn: {"address": invited(turn)}
        ),
        "POST /api/v1/tickets": lambda turn: dict(words),
        "POST /api/v1/tickets/{ticket_id}/messages": lambda turn: {
            "kind": "note",
            "body": f"Note {turn}.",
        },
        "POST /api/v1/products": lambda turn: {"sku": f"KV-1-{turn}", "name": "Pipe"},
        "POST /api/v1/orders": lambda turn: {"lines": lines, "contact": firm.id},
        "POST /api/v1/purchase-orders": lambda turn: {
            "lines": lines,
            "vendor": firm.id,
        },
        "PATCH /api/v1/purchase-orders/{key}": lambda turn: {
            "lines": [{"id": bought["lines"][0]["id"], "promised_on": "2031-01-01"}]
        },
        "PATCH /api/v1/orders/{key}": lambda turn: {"state": "confirmed"},
        "PATCH /api/v1/agreements/{contact_id}": lambda turn: {
            "prices": [{"sku": "KV-1", "price": "2.00"}]
        },
    }
    nothing: Start = lambda turn: {}  # noqa: E731
    starts |= dict.fromkeys(
        (
            "POST /api/v1/documents",
            "POST /api/v1/documents/{document_id}/versions",
            "PATCH /api/v1/documents/{document_id}",
            "PATCH /api/v1/follow-ups/{follow_up_id}",
            "PATCH /api/v1/hand-overs/{hand_over_id}",
            "PATCH /api/v1/interactions/{interaction_id}",
            "POST /api/v1/interactions/{interaction_id}/restore",
            "PUT /api/v1/contacts/{contact_id}/follow",
            "PUT /api/v1/interactions/{interaction_id}/follow",
            "PUT /api/v1/interactions/{interaction_id}/pin",
            "PUT /api/v1/interactions/{interaction_id}/reactions/{name}",
            "PATCH /api/v1/notifications/{notification_id}",
            "PATCH /api/v1/products/{sku}",
            "PATCH /api/v1/tickets/{ticket_id}",
        ),
        nothing,
    )
    starts["PUT /api/v1/contacts/{contact_id}/seen"] = lambda turn: {"upto": turn}
    starts["POST /api/v1/contacts/{contact_id}/erase"] = doomed
    return House(client, as_user(chief), places, starts)
