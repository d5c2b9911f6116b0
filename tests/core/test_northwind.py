"""A real wholesaler's data, brought in by the general importers and kept mappings.

The files are somebody else's, read in place: the folder `northwind` below the one that
RAPPORT_TEST_DATA names, or below `../shared/data`.
"""

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.contacts.models import Affiliation, Contact
from core.db import db
from core.demo import SignIn, load_demo_company
from core.importing.folders import load_folder
from core.importing.models import ImportRefusal, ImportRun
from core.testing.factories import make_user
from core.users.models import User
from core.users.services import check_sign_in

ROOT = Path(__file__).parents[2]

# Some 3,400 rows: seconds on a free machine, minutes on one with much else to do.
pytestmark = pytest.mark.timeout(400)


def northwind() -> Path:
    """Find the files, or say what is missing."""
    named = os.environ.get("RAPPORT_TEST_DATA")
    folder = Path(named or ROOT.parent / "shared" / "data") / "northwind"
    if (folder / "expected.json").is_file():
        return folder
    said = (
        f"Northwind's CSV files and expected.json are not in {folder}: set "
        "RAPPORT_TEST_DATA to the folder that holds `northwind`"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture
def folder() -> Path:
    return northwind()


@pytest.fixture
def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return found


@pytest.fixture
def signs(app: CRM, folder: Path) -> dict[str, SignIn]:
    return {one.role: one for one in load_demo_company(app, data=folder)}


def count(model: type[Any], *conditions: Any) -> int:
    query = sa.select(sa.func.count()).select_from(model).where(*conditions)
    return db.session.scalars(query).one()


def organisations(role: str) -> int:
    """Count the organisations with a role; JSON differs between the databases."""
    found = db.session.scalars(sa.select(Contact.roles).where(Contact.kind != "person"))
    return sum(role in roles for roles in found)


def test_it_comes_in_whole_and_its_people_see_what_is_theirs(
    signs: dict[str, SignIn], expected: dict[str, Any], api: Callable[..., Any]
) -> None:
    from plugins.portal.models import Order, OrderLine, Product, Stock

    counts = expected["counts"]
    assert organisations("customer") == counts["customers"]
    assert organisations("vendor") == counts["suppliers"]
    assert count(User, User.kind == "customer") == counts["customers"]
    assert count(User, User.kind == "vendor") == counts["suppliers"]
    assert count(User, User.kind == "staff", User.active) == counts["employees"]
    assert count(Affiliation) == counts["customers"] + counts["suppliers"]
    assert count(Product) == counts["products"]
    assert count(Order) == counts["orders"]
    assert count(OrderLine) == counts["order_details"]
    assert count(Product, Product.discontinued) == expected["discontinued"]

    def total(column: Any) -> Any:
        return db.session.scalars(sa.select(sa.func.sum(column))).one()

    assert total(Stock.on_hand) == expected["units_in_stock"]
    assert total(OrderLine.total) == Decimal(str(expected["revenue_net"]))
    assert total(Order.total) == Decimal(str(expected["revenue_net"]))
    gross = sum(
        line.quantity * line.unit_price
        for line in db.session.scalars(sa.select(OrderLine))
    )
    assert gross == Decimal(str(expected["revenue_gross"]))
    assert count(ImportRefusal) == 0
    assert set(db.session.scalars(sa.select(ImportRun.state))) == {"done"}
    check_names()
    check_who_sees_what(signs, api)


def check_names() -> None:
    names = set(db.session.scalars(sa.select(Contact.name)))
    assert {"Antonio Moreno Taquería", "Königlich Essen", "Wolski  Zajazd"} <= names
    assert "Pirkko Koskitalo" in names
    joined = db.session.scalars(
        sa.select(Affiliation)
        .join(Contact, Contact.id == Affiliation.person_id)
        .where(Contact.name == "Maria Anders")
    ).one()
    assert joined.organisation.name == "Alfreds Futterkiste"
    assert joined.organisation.addresses[0]["city"] == "Berlin"
    assert joined.role == "Sales Representative"


def check_who_sees_what(signs: dict[str, SignIn], api: Callable[..., Any]) -> None:
    for one in signs.values():
        found = check_sign_in(one.email, one.password, address="127.0.0.1")
        assert found.active, one

    def listed(role: str, what: str) -> list[dict[str, Any]]:
        answer = api(signs[role].email).get(f"/api/v1/{what}?limit=200")
        assert answer.status_code == 200, answer.json
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    # Alfreds Futterkiste ordered six times, Save-a-lot Markets thirty-one.
    assert len(listed("customer", "orders")) == 6
    assert len(listed("customer2", "orders")) == 31
    assert {one["number"] for one in listed("customer", "orders")}.isdisjoint(
        one["number"] for one in listed("customer2", "orders")
    )
    assert len(listed("sales", "products")) == 77
    # Exotic Liquids has Chang and Aniseed Syrup on order.
    ours = listed("vendor", "purchase-orders")
    assert sorted(one["lines"][0]["quantity"] for one in ours) == [40, 70]
    assert api(signs["vendor"].email).get("/api/v1/orders").status_code == 403


def test_bringing_it_in_again_doubles_nothing(
    app: CRM, signs: dict[str, SignIn], folder: Path
) -> None:
    before = (count(Contact), count(User))
    again = make_user("Ada Admin", roles=["admin"]).id
    db.session.rollback()
    reports = load_folder(app, folder, actor_id=again, rest=False)
    assert sum(one.created for one in reports) == 0
    assert sum(one.refused for one in reports) == 0
    assert (count(Contact), count(User)) == (before[0], before[1] + 1)
    assert load_demo_company(app, data=folder) == list(signs.values())
