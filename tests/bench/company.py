"""A large company, made up and always the same, written through the bulk paths."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from core.app import CRM
from core.audiences import AudienceSpec, intern_audience
from core.bulk import record_many
from core.contacts import finding
from core.contacts.models import Affiliation, Contact, ContactKey
from core.db import Record, db, in_steps, table_of
from core.events import Declarations
from core.interactions.models import Interaction, InteractionContact
from core.users.defaults import ensure_default_roles
from core.users.services import create_user
from plugins.documents.models import Document, Version
from plugins.portal.models import Order, OrderLine, Product, Stock
from tests.bench import words

STEP = 2_000
PASSWORD = "a long benchmark password"
BEGAN = datetime(2024, 1, 1, 8, tzinfo=UTC)
# How many of the last records the search index hears of.
INDEXED = 20_000


@dataclass(frozen=True)
class Size:
    """How many there are of each; `busy` entries are on one organisation."""

    organisations: int = 10_000
    people: int = 100_000
    interactions: int = 300_000
    documents: int = 20_000
    products: int = 5_000
    orders: int = 50_000
    busy: int = 1_000

    def scaled(self, factor: float) -> "Size":
        """Give a smaller or larger company; the busy contact stays as busy."""
        parts = vars(self) | {"busy": self.busy / factor}
        return Size(**{name: max(1, round(n * factor)) for name, n in parts.items()})

    @property
    def contacts(self) -> int:
        """How many contacts there are."""
        return self.organisations + self.people


def load(
    app: CRM, size: Size, say: Callable[[str], None], *, indexed: int = INDEXED
) -> None:
    """Fill the empty, migrated database; search hears of the last `indexed` notes."""
    rng = random.Random(20_260_101)
    with app.app_context():
        staff = _staff()
        first = max(0, size.interactions - indexed)
        with _unheard(app):
            _contacts(size, rng, staff)
            say("contacts")
            _interactions(size, rng, staff, range(first))
            say("interactions")
            _documents(size, rng, staff)
            _products(size, rng)
            _orders(size, rng)
            say("documents, products and orders")
        _interactions(size, rng, staff, range(first, size.interactions))
        _finish(app)


@contextmanager
def _unheard(app: CRM) -> Iterator[None]:
    """Write events that nobody waits for: a house that has lived for years."""
    declared: Declarations = app.extensions["rapport_events"]
    nobody = Declarations([], list(declared.types.values()), declared.scope_of)
    app.extensions["rapport_events"] = nobody
    try:
        yield
    finally:
        app.extensions["rapport_events"] = declared


@dataclass(frozen=True)
class _Staff:
    users: list[int]
    audiences: list[int]


def _staff() -> _Staff:
    with db.transaction():
        ensure_default_roles()
        create_user(
            "anna@bench.example",
            name="Anna Laine",
            roles=["sales"],
            teams=["Sales", "Support"],
            password=PASSWORD,
        )
        create_user(
            "helena@bench.example", name="Helena", roles=["admin"], password=PASSWORD
        )
        users = [
            create_user(
                f"user{n}@bench.example",
                name=f"{words.GIVEN[n]} {words.FAMILY[n]}",
                roles=["sales"],
                teams=["Sales" if n % 2 else "Support"],
            )
            for n in range(30)
        ]
        teams = {team.name: team.id for user in users for team in user.teams}
        specs = [
            AudienceSpec("teams", teams=frozenset(teams.values())),
            AudienceSpec("teams", teams=frozenset({teams["Sales"]})),
            AudienceSpec("staff"),
        ]
        audiences = [intern_audience(one).id for one in specs]
        return _Staff([one.id for one in users], audiences)


def _many(model: type[Record], rows: Iterator[dict[str, Any]]) -> None:
    in_steps(rows, lambda some: record_many(model, some), size=STEP, rest=False)


def _rows(model: type[Any], rows: Iterator[dict[str, Any]]) -> None:
    def write(some: list[dict[str, Any]]) -> None:
        db.session.connection().execute(sa.insert(table_of(model)), some)

    in_steps(rows, write, size=STEP, rest=False)


def _contacts(size: Size, rng: random.Random, staff: _Staff) -> None:
    keys: list[dict[str, Any]] = []

    def add(some: list[dict[str, Any]]) -> None:
        ids = record_many(Contact, some)
        keys.clear()
        for contact_id, row in zip(ids, some, strict=True):
            blank = {"given_name": "", "family_name": "", "tags": []}
            found = finding.keys_of(Contact(**{**blank, **row}), "FI")
            keys.extend(
                {"contact_id": contact_id, "kind": kind, "value": value}
                for kind, value in found
            )
        db.session.connection().execute(sa.insert(table_of(ContactKey)), keys)

    in_steps(_contact_rows(size, rng, staff), add, size=STEP, rest=False)
    _rows(
        Affiliation,
        (
            {
                "person_id": size.organisations + n + 1,
                "organisation_id": n % size.organisations + 1,
                "role": words.TITLES[n % len(words.TITLES)],
                "active": n % 11 != 0,
            }
            for n in range(size.people)
        ),
    )


def _contact_rows(
    size: Size, rng: random.Random, staff: _Staff
) -> Iterator[dict[str, Any]]:
    for n in range(size.contacts):
        person = n >= size.organisations
        given = rng.choice(words.GIVEN)
        family = f"{rng.choice(words.FAMILY)}"
        name = f"{given} {family}" if person else words.firm(n, rng)
        row = {
            "kind": "person" if person else "organisation",
            "name": name,
            "sort_name": finding.fold(name),
            "emails": [{"address": f"c{n}@firm{n % 997}.example", "label": "work"}],
            "phones": [{"number": f"+358 40 {n:07d}", "label": "mobile"}],
            "addresses": [{"street": f"Satamakatu {n % 90}", "city": "Helsinki"}],
            "roles": ["customer"] if n % 5 else ["vendor"],
            "owner_id": staff.users[n % len(staff.users)],
            "last_interaction_at": BEGAN + timedelta(hours=n % 9_000),
        }
        if person:
            row |= {"given_name": given, "family_name": family}
        yield row


def _interactions(size: Size, rng: random.Random, staff: _Staff, span: range) -> None:
    def add(some: list[dict[str, Any]]) -> None:
        ids = record_many(Interaction, some)
        links = [
            {
                "interaction_id": one,
                "contact_id": row["contact_id"],
                "occurred_at": row["occurred_at"],
            }
            for one, row in zip(ids, some, strict=True)
        ]
        db.session.connection().execute(sa.insert(table_of(InteractionContact)), links)

    def rows() -> Iterator[dict[str, Any]]:
        for n in span:
            busy = n % max(1, size.interactions // size.busy) == 0
            yield {
                "kind": ("note", "call", "meeting")[n % 3],
                "body": words.paragraph(rng),
                "contact_id": 1 if busy else rng.randrange(2, size.contacts + 1),
                "author_id": staff.users[n % len(staff.users)],
                "audience_id": staff.audiences[n % len(staff.audiences)],
                "occurred_at": BEGAN + timedelta(minutes=4 * n),
            }

    in_steps(rows(), add, size=STEP, rest=False)


def _documents(size: Size, rng: random.Random, staff: _Staff) -> None:
    _many(
        Document,
        (
            {
                "title": f"{rng.choice(words.PAPERS)} {n}",
                "contact_id": n % size.organisations + 1,
                "audience_id": staff.audiences[n % len(staff.audiences)],
                "author_id": staff.users[n % len(staff.users)],
            }
            for n in range(size.documents)
        ),
    )
    _rows(
        Version,
        (
            {
                "document_id": n + 1,
                "number": 1,
                "sha256": sha256(str(n).encode()).hexdigest(),
                "filename": f"paper-{n}.txt",
                "media_type": "text/plain",
                "size": 400,
                "text": words.paragraph(rng),
                "text_state": "done",
                "page_count": 1,
            }
            for n in range(size.documents)
        ),
    )


def _products(size: Size, rng: random.Random) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for n in range(size.products):
            name = f"{rng.choice(words.GOODS)} {n % 60 + 6} mm"
            yield {
                "sku": f"KV-{n:05d}",
                "name": name,
                "sort_name": finding.fold(name),
                "category": words.GOODS[n % len(words.GOODS)],
                "price": Decimal(n % 900 + 1) / 10,
            }

    _many(Product, rows())
    stock = ({"product_id": n + 1, "on_hand": n % 500} for n in range(size.products))
    _rows(Stock, stock)


def _orders(size: Size, rng: random.Random) -> None:
    _many(
        Order,
        (
            {
                "number": f"SO-{n + 1}",
                "contact_id": n % size.organisations + 1,
                "state": "delivered" if n % 20 else "placed",
                "placed_at": BEGAN + timedelta(minutes=20 * n),
                "currency": "EUR",
                "total": Decimal(n % 5_000) / 4,
            }
            for n in range(size.orders)
        ),
    )

    def lines() -> Iterator[dict[str, Any]]:
        for n in range(3 * size.orders):
            at = rng.randrange(size.products)
            yield {
                "order_id": n // 3 + 1,
                "product_id": at + 1,
                "sku": f"KV-{at:05d}",
                "name": words.GOODS[at % len(words.GOODS)],
                "quantity": n % 12 + 1,
                "unit_price": Decimal(5),
                "total": Decimal(5 * (n % 12 + 1)),
            }

    _rows(OrderLine, lines())


def _finish(app: CRM) -> None:
    """Let the database learn how much of everything there is; begin an index.

    PostgreSQL also tidies, as it does by itself in a house that has lived for years.
    An index that is there is not built from everything: it hears of the last notes.
    """
    app.extensions["search_backend"].begin_build().finish()
    with db.engine.connect() as connection:
        automatic = connection.execution_options(isolation_level="AUTOCOMMIT")
        tidies = db.dialect == "postgresql"
        automatic.exec_driver_sql("VACUUM ANALYZE" if tidies else "ANALYZE")
