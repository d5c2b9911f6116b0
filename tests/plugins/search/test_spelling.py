"""Where a word is found nowhere, one like it is offered: never one that is hidden."""

import pytest

from core.audiences import AudienceSpec
from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team

pytestmark = pytest.mark.usefixtures("indexed")


@pytest.fixture
def house(app):
    anna = make_user("Anna", roles=("sales",), teams=("Sales",))
    pekka = make_user("Pekka", roles=("support",), teams=("Support",))
    with db.read_only() as session:
        sales = next(one.id for one in session.query(Team) if one.name == "Sales")
    kallio = make_contact("Northwind Traders Oy")
    make_interaction(kallio, author=anna, body="The gaskets are with Mäkinen.")
    make_interaction(
        kallio,
        author=anna,
        body="Thermostats are cheaper for them alone.",
        audience=AudienceSpec("teams", teams=frozenset({sales})),
    )
    return {"anna": anna, "pekka": pekka, "kallio": kallio}


@pytest.fixture
def indexed(house, deliver):
    deliver()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("northwnid", "northwind"),
        ("traders nortwhind", "traders northwind"),
        ("gazkets", "gaskets"),
        ("GAKSETS", "gaskets"),
        ("mälinen", "mäkinen"),
        ("thermosttts", "thermostats"),
        ("type:note gazkets", "type:note gaskets"),
        ('"gazkets"', '"gaskets"'),
    ],
)
def test_a_word_that_is_found_nowhere_is_offered_as_it_is_spelt(
    house, api, as_user, typed, meant
):
    answer = api(house["anna"]).get("/api/v1/search", query_string={"q": typed}).json
    assert answer["did_you_mean"] == meant
    page = as_user(house["anna"]).get("/search", query_string={"q": typed})
    assert "Did you mean" in page.text


@pytest.mark.parametrize(
    "typed",
    ["gaskets", "northwind", "qqqqqqq", "gas", "-gazkets", "gazkets@x.fi", "合同条款"],
)
def test_nothing_is_offered_for_what_is_found_or_like_nothing(house, api, typed):
    answer = api(house["anna"]).get("/api/v1/search", query_string={"q": typed}).json
    assert answer["did_you_mean"] is None


@pytest.mark.parametrize("typed", ["thermostats", "thermostat", "thermosttats"])
def test_who_may_not_read_it_is_never_offered_a_word_of_it(house, api, as_user, typed):
    outside = house["pekka"]
    answer = api(outside).get("/api/v1/search", query_string={"q": typed}).json
    assert (answer["total"], answer["did_you_mean"]) == (0, None)
    assert "Did you mean" not in as_user(outside).get(f"/search?q={typed}").text
    found = as_user(outside).get("/palette", query_string={"q": typed})
    assert "thermostats" not in found.text.replace(typed, "").lower()


def test_ctrl_k_offers_it_where_nothing_is_found(house, as_user):
    found = as_user(house["anna"]).get("/palette", query_string={"q": "gazkets"}).text
    assert "Did you mean" in found
    assert "q=gaskets" in found
