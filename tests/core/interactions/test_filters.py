"""Asking for a part of a story: by whom, what it is, when, and with which words."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from core import hookimpl
from core.audiences import AudienceSpec
from core.db import now
from core.pages import InteractionKind
from core.testing.factories import make_contact, make_interaction, make_user


class Shop:
    """A plugin that writes entries by itself."""

    @hookimpl
    def register_interaction_kinds(self):
        return [InteractionKind("shop_order", "Order", "cart", chosen=False)]


@pytest.fixture
def app_plugins():
    return (("shop", Shop()),)


@pytest.fixture
def story(app):
    """A story by two teams, with an entry that a plugin wrote."""
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    mika = make_user("Mika Koski", teams=["Support"])
    at = datetime(2026, 3, 5, 22, 30, tzinfo=UTC)
    make_interaction(firm, author=anna, body="Rang", kind="call", occurred_at=at)
    later = at + timedelta(days=2)
    make_interaction(firm, author=mika, body="About the pump", occurred_at=later)
    last = at + timedelta(days=4)
    make_interaction(
        firm, author=mika, body="Paid", kind="shop_order", occurred_at=last
    )
    return SimpleNamespace(firm=firm, anna=anna, mika=mika)


def asked_of(story, query):
    return query.format(
        sales=story.anna.teams[0].id, mika=story.mika.id, firm=story.firm.id
    )


FOUND = [
    ("team={sales}", ["Rang"]),
    ("author={mika}", ["Paid", "About the pump"]),
    ("kind=call", ["Rang"]),
    ("plugin=shop", ["Paid"]),
    ("plugin=nobody", []),
    ("from=2026-03-07", ["Paid", "About the pump"]),
    ("to=2026-03-07", ["About the pump", "Rang"]),
    ("to=2026-03-06T23:30:00Z", ["Rang"]),
    ("q=PUMP", ["About the pump"]),
    ("author={mika}&q=pump&from=2026-03-07&to=2026-03-08", ["About the pump"]),
    ("author={mika}&kind=call", []),
]


@pytest.mark.parametrize(("query", "bodies"), FOUND)
@pytest.mark.parametrize(
    "path", ["/api/v1/contacts/{firm}/timeline", "/api/v1/interactions"]
)
def test_a_program_narrows_a_story_by_the_same_filters_everywhere(
    story, api, path, query, bodies
):
    answer = api(story.anna).get(asked_of(story, f"{path}?{query}"))
    assert answer.status_code == 200, answer.text
    assert [one["body"] for one in answer.json["items"]] == bodies


@pytest.mark.parametrize(("query", "bodies"), FOUND)
def test_a_reader_narrows_a_story_by_its_address(story, as_user, query, bodies):
    browser = as_user(story.anna)
    for path in ("/interactions/timeline/{firm}", "/interactions"):
        page = browser.get(asked_of(story, f"{path}?{query}")).text
        shown = [
            one for one in ("Paid", "About the pump", "Rang") if f"<p>{one}</p>" in page
        ]
        assert shown == bodies, path


def test_a_day_is_the_readers_own(story, api):
    # Half past ten in the evening in Greenwich is the sixth in Helsinki.
    reader = make_user("Outi Away", timezone="Europe/Helsinki")
    url = f"/api/v1/contacts/{story.firm.id}/timeline"
    assert [
        one["body"] for one in api(reader).get(f"{url}?to=2026-03-05").json["items"]
    ] == []
    found = api(reader).get(f"{url}?from=2026-03-06&to=2026-03-06").json["items"]
    assert [one["body"] for one in found] == ["Rang"]


def test_a_day_begins_and_ends_at_the_readers_own_midnight(story, api):
    reader = make_user("Outi Away", timezone="Europe/Helsinki")
    for name, moment in (
        ("before", "2026-06-30T20:59:59+00:00"),
        ("first", "2026-06-30T21:00:00+00:00"),
        ("last", "2026-07-01T20:59:59+00:00"),
        ("after", "2026-07-01T21:00:00+00:00"),
    ):
        at = datetime.fromisoformat(moment)
        make_interaction(story.firm, author=story.anna, body=name, occurred_at=at)
    url = f"/api/v1/contacts/{story.firm.id}/timeline?from=2026-07-01&to=2026-07-01"
    found = [one["body"] for one in api(reader).get(url).json["items"]]
    assert found == ["last", "first"]


@pytest.mark.parametrize(
    "query",
    ["from=5.3.", "to=9999-12-31", "from=x", "author=x", "team=0", "kind=" + "k" * 99],
)
def test_a_filter_nobody_offered_is_refused_with_its_name(story, api, query):
    answer = api(story.anna).get(f"/api/v1/interactions?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in str(answer.json["errors"])


def test_people_outside_cannot_find_out_who_is_in_which_team(story, api):
    shared = AudienceSpec("shared", shared_with=frozenset({story.firm.id}))
    make_interaction(story.firm, author=story.anna, body="For you", audience=shared)
    outi = api(make_user("Outi Kallio", kind="customer", contact=story.firm))
    assert outi.get("/api/v1/interactions?q=you").json["items"]
    for query in ("team={sales}", "author={mika}", "plugin=shop"):
        for path in ("/api/v1/contacts/{firm}/timeline", "/api/v1/interactions"):
            answer = outi.get(asked_of(story, f"{path}?{query}"))
            assert answer.status_code in {403, 404, 422}, path


def test_a_filtered_story_goes_page_by_page_within_its_filter(story, as_user):
    for n in range(25):
        at = now() - timedelta(days=n)
        make_interaction(story.firm, author=story.mika, body=f"No. {n}", occurred_at=at)
    make_interaction(story.firm, author=story.anna, body="Hers")
    browser = as_user(story.anna)
    url = f"/interactions/timeline/{story.firm.id}?author={story.mika.id}"
    first = browser.get(url).text
    assert "<p>Hers</p>" not in first
    assert f"author={story.mika.id}&amp;cursor=" in first
    assert f'<option value="{story.mika.id}" selected>' in first


def test_the_rarer_filters_of_a_contacts_page_come_when_they_are_opened(story, as_user):
    browser = as_user(story.anna)
    page = browser.get(f"/contacts/{story.firm.id}").text
    assert 'name="author"' not in page
    asks = {"HX-Request": "true", "HX-Target": "story-more"}
    part = browser.get(f"/interactions/timeline/{story.firm.id}", headers=asks).text
    assert part.lstrip().startswith('<div id="story-more"')
    for name in ("author", "plugin", "from", "to"):
        assert f'name="{name}"' in part
