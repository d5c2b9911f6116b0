"""A small house with one record of everything, for tests that try every route.

`Samples` gives what stands in an address for each of its parameters. A new kind of
record in an address needs a line there; the tests say which.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from core.app import CRM
from core.contacts.models import Affiliation, Contact
from core.contacts.services import change_contact
from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.defaults import ROLES, ensure_role
from core.users.models import ApiToken, User
from core.users.sessions import create_token
from plugins.portal.services.orders import place_order
from plugins.portal.services.products import create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    send_purchase_order,
)

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"


@dataclass(frozen=True)
class Visitor:
    """Somebody who comes: who, with what in hand, and what that gives them."""

    name: str
    kind: str = "nobody"
    permissions: frozenset[str] = frozenset()
    email: str = ""
    secret: str = ""
    # Whose records they see: those of the first house, of the second, of both.
    sees: frozenset[str] = frozenset()


@dataclass
class World:
    """Who is here, and the records of the two houses `ours` and `theirs`."""

    app: CRM
    visitors: list[Visitor] = field(default_factory=list)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)


def place_of(rule: Rule, name: str) -> str:
    """Name a parameter by the word before it: `orders/number`, else by itself."""
    before = rule.rule.partition(f":{name}>")[0] or rule.rule
    head = rule.rule.partition("<" + before.rpartition("<")[2] + f":{name}>")[0]
    if f":{name}>" not in rule.rule:
        head = rule.rule.partition(f"<{name}>")[0]
    word = head.rstrip("/").rpartition("/")[2]
    return name if word.endswith(">") or not word else f"{word}/{name}"


def make_world(app: CRM) -> World:
    """Fill the database; gives who is here and what stands in addresses."""
    world = World(app)
    firms = {
        "ours": make_contact("Kallion Vesijohto Oy", roles=["customer", "vendor"]),
        "theirs": make_contact("Tapio Rakennus Oy", roles=["customer", "vendor"]),
    }
    chief = make_user("Ada Admin", roles=["admin"], email="chief@example.com")
    with db.transaction() as session:
        for firm in firms.values():
            row = session.get_one(Contact, firm.id)
            change_contact(row, {"owner": chief.id}, actor=None)
        sku = create_product({"sku": "KV-1", "name": "Valve", "price": Decimal(4)})
        del sku
    _fill(world, firms, chief)
    _invite(world, firms)
    return world
