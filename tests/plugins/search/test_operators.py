"""A search is narrowed in words, in three languages, to what one may see anyway."""

from datetime import UTC, datetime

import pytest

from core.audiences import AudienceSpec
from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team
from tests.plugins.search.test_search import found, refs

pytestmark = pytest.mark.soak_on_postgresql


@pytest.fixture
def house(app, deliver):
    """Two customers with notes of two years, for different readers."""
    kallio = make_contact("Kallion Vesijohto Oy", tags=["VIP", "heat pumps"])
    tapio = make_contact("Tapio Rakennus Oy")
    made = {
        "kallio": kallio,
        "tapio": tapio,
        "rep": make_user("Anna Laine", roles=("sales",), teams=("Sales",)),
        "agent": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
        "outi": make_user("Outi Kallio", kind="customer", contact=kallio),
    }
    with db.read_only() as session:
        teams = {team.name: team.id for team in session.query(Team)}
    sales = AudienceSpec("teams", teams=frozenset({teams["Sales"]}))

    def note(name, contact, day, body, spec=None):
        made[name] = make_interaction(
            contact,
            author=made["rep"],
            body=body,
            audience=spec,
            occurred_at=datetime(*day, 12, tzinfo=UTC),
        )

    note("old", kallio, (2025, 3, 31), "Valves were late. #delivery")
    note("new", kallio, (2026, 4, 1), "Valves came. #delivery #praise")
    note("secret", kallio, (2026, 4, 2), "Valves are dear. #prices", sales)
    note("other", tapio, (2026, 4, 3), "Valves for a roof.")
    deliver()
    return made


NARROWED = [
    ("valves", {"old", "new", "secret", "other"}),
    ("valves from:2026", {"new", "secret", "other"}),
    ("valves to:2025-03", {"old"}),
    ("valves from:2026-04-01 to:2026-04-01", {"new"}),
    ("valves alkaen:1.4.2026 asti:2.4.2026", {"new", "secret"}),
    ("valves 从:2026-04 标签:delivery", {"new"}),
    ("valves tag:delivery", {"old", "new"}),
    ("valves tag:#DELIVERY -tag:praise", {"old"}),
    ("tag:delivery", {"old", "new"}),
    ("valves customer:tapio", {"other"}),
    ('valves customer:"kallion vesijohto"', {"old", "new", "secret"}),
    ("valves -asiakas:kallion", {"other"}),
    ("valves team:sales", {"secret"}),
    ("valves -team:sales", {"old", "new", "other"}),
    ("valves type:entry", {"old", "new", "secret", "other"}),
    ("valves -type:entry", set()),
    ("type:contact", {"kallio", "tapio"}),
    ("type:contact tag:vip", {"kallio"}),
    ('tag:"heat pumps"', {"kallio"}),
]


def test_a_search_is_narrowed_in_words(house, api):
    anna = api(house["rep"])
    for text, names in NARROWED:
        asked = sorted(refs(anna, text))
        assert asked == sorted(house[name].ref for name in names), text


def test_what_is_narrowed_to_without_a_word_comes_newest_first(house, api):
    notes = refs(api(house["rep"]), "type:entry")
    assert notes == [house[name].ref for name in ("other", "secret", "new", "old")]


NONE = [
    "valves from:nonsense",
    "valves from:2026-13-45",
    "valves to:99999999999",
    "valves tag:",
    "valves team:nobody",
    "valves type:unicorn",
    'valves customer:"',
    "valves http://example.com:80/x?from:2026",
    "valves -from:2026",
    "valves " + "tag:a " * 200,
    "from:0000 to:9999 valves",
    "valves from:٢٠٢٦",
    "type::: valves :",
]


def test_what_is_no_operator_is_looked_for_and_never_an_error(house, api):
    anna = api(house["rep"])
    for text in NONE:
        assert found(anna, text)["total"] >= 0


@pytest.mark.parametrize("text", ["team:nobody", "customer:nobody", "type:nobody"])
def test_an_operator_that_means_nothing_is_words(house, api, deliver, text):
    made = make_interaction(house["kallio"], author=house["rep"], body=f"Say {text}.")
    deliver()
    assert refs(api(house["rep"]), text) == [made.ref]


def test_operators_tell_nothing_that_a_search_without_them_would_not(house, api):
    agent = api(house["agent"])
    assert house["secret"].ref not in refs(agent, "valves")
    for text in ("tag:prices", "team:sales", "valves -tag:delivery", "from:2026-04-02"):
        assert house["secret"].ref not in refs(agent, text)
    assert found(agent, "tag:prices type:entry")["total"] == 0
    # Outside, tags and teams are words like any other: they are of the house.
    outi = api(house["outi"])
    assert refs(outi, "kallion") == [house["kallio"].ref]
    for text in ("tag:vip", "-tag:nothing kallion", "team:sales"):
        assert house["kallio"].ref not in refs(outi, text) or "kallion" in text
    assert found(outi, "kallion -tag:vip")["total"] == 1


def test_the_page_shows_what_narrows_it_and_takes_each_away(house, as_user):
    page = as_user(house["rep"]).get("/search?q=valves+tag:delivery+from:2026").text
    assert "tag:delivery" in page
    assert "/search?q=valves+from:2026" in page.replace("%3A", ":")
    assert "/search?q=valves+tag:delivery" in page.replace("%3A", ":")


def test_operators_are_offered_while_typing_in_ones_own_language(house, as_user):
    anna = as_user(house["rep"])
    offered = anna.get("/palette?q=valves cus").text
    assert "customer:" in offered
    aino = as_user(make_user("Aino", roles=("sales",), language="fi"))
    assert "asiakas:" in aino.get("/palette?q=putki asi").text
    assert "tiimi:" in aino.get("/search").text
    outi = as_user(house["outi"])
    assert "team:" not in outi.get("/search").text
    assert "from:" in outi.get("/search").text


def test_an_operator_that_is_still_typed_hides_nothing(house, api, as_user):
    anna = api(house["rep"])
    assert refs(anna, "valves tag:") == refs(anna, "valves")
    page = as_user(house["rep"]).get("/search?q=tag:").text
    assert "Narrow by" in page
    assert "Nothing for" not in page
