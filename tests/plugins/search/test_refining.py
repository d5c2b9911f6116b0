"""A search is refined on its page: by kind, team and period, and sorted by date."""

import re
from datetime import timedelta

import pytest

from core.audiences import AudienceSpec
from core.db import db, now
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.services import ensure_team
from plugins.search.indexing import rebuild

TITLES = re.compile(r"data-stop>(.*?)</a>")


@pytest.fixture
def house(app):
    """Notes about valves: of two teams, of different ages, one for its author alone."""
    firm = make_contact("Valve Firm Oy", roles=["customer"])
    sales = make_user("Anna Laine", teams=["Sales"])
    support = make_user("Sanna Virta", teams=["Support"])
    teams = {one: _team(one) for one in ("Sales", "Support")}

    def write(author, body, days, spec):
        moment = now() - timedelta(days=days)
        made = make_interaction(
            firm, author=author, body=body, audience=spec, occurred_at=moment
        )
        return made.id

    of_both = AudienceSpec("teams", teams=frozenset(teams.values()))
    of_support = AudienceSpec("teams", teams=frozenset({teams["Support"]}))
    alone = AudienceSpec("private", users=frozenset({support.id}))
    shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    write(sales, "Valves, valves and more valves.", 400, of_both)
    write(sales, "A pump, a pipe and one valve among all that.", 3, of_both)
    write(support, "Our valve leaks.", 20, of_support)
    write(support, "My own valve.", 1, alone)
    write(sales, "Valve for you.", 2, shared)
    rebuild()
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    return {"sales": sales, "support": support, "outi": outi, "firm": firm}


def _team(name):
    with db.transaction():
        return ensure_team(name).id


def ids(answer):
    return [one["ref"] for one in answer.json["items"]]


def dates(api, refs):
    shown = [api.get(f"/api/v1/interactions/{ref.split('/')[1]}").json for ref in refs]
    return [one["occurred_at"] for one in shown]


def test_hits_are_sorted_by_date_when_that_is_asked_for(house, api):
    program = api(house["sales"])
    asked = "/api/v1/search?q=valve&type=interaction"
    found = {
        one: ids(program.get(f"{asked}&sort={one}")) for one in ("newest", "oldest")
    }
    said = dates(program, found["newest"])
    assert len(said) == 3
    assert said == sorted(said, reverse=True)
    assert found["oldest"] == found["newest"][::-1]
    assert set(ids(program.get(asked))) == set(found["newest"])
    assert program.get(f"{asked}&sort=random").status_code == 422


def hits(page):
    return page.count('<li class="hit">')


def test_the_page_narrows_to_a_period_and_keeps_that_in_every_link(house, as_user):
    browser = as_user(house["sales"])
    counts = {
        when: hits(browser.get(f"/search?q=valve&type=interaction&when={when}").text)
        for when in ("", "week", "month", "year", "nonsense")
    }
    assert counts == {"": 3, "week": 2, "month": 2, "year": 2, "nonsense": 3}
    page = browser.get("/search?q=valve&when=week&sort=new").text
    links = re.findall(r'href="(/search[^"]*)"', page)
    assert any("sort=new" in one and "when=month" in one for one in links)
    assert any("sort=old" in one and "when=week" in one for one in links)
    assert any("type=contact" in one and "when=week" in one for one in links)
    assert '<input type="hidden" name="when" value="week">' in page


def test_the_tabs_count_what_this_reader_may_see_whichever_is_open(house, as_user):
    def tabs(user, asked):
        page = as_user(user).get(f"/search?q=valve{asked}").text
        shown = re.findall(r'>([A-Za-z]+) <span class="count">(\d+)</span>', page)
        return dict(shown)

    for kind in ("", "&type=contact", "&type=interaction"):
        assert tabs(house["sales"], kind) == {"Contact": "1", "Entry": "3"}
        assert tabs(house["support"], kind) == {"Contact": "1", "Entry": "5"}
    assert tabs(house["outi"], "") == {"Contact": "1", "Entry": "1"}


def test_teams_are_offered_with_their_hits_and_nobody_outside_hears_of_them(
    house, as_user
):
    def teams(user):
        page = as_user(user).get("/search?q=valve").text
        found = re.findall(r"team:%22(\w+)%22[^>]*>\w+ (\d+)</a>", page)
        return dict(found)

    assert teams(house["support"]) == {"Sales": "2", "Support": "3"}
    assert teams(house["outi"]) == {}
    assert "Support" not in as_user(house["outi"]).get("/search?q=valve").text
    browser = as_user(house["support"])
    page = browser.get("/search?q=valve")
    [address] = re.findall(r'href="(/search[^"]*team:%22Support[^"]*)"', page.text)
    assert hits(browser.get(address.replace("&amp;", "&")).text) == 3


def test_a_page_asks_the_index_twice_at_most(house, as_user, monkeypatch, app):
    engine = app.extensions["search_backend"]
    search, asked = engine.search, []
    monkeypatch.setattr(engine, "search", lambda one: asked.append(one) or search(one))
    browser = as_user(house["sales"])
    browser.get("/search?q=valve")
    assert len(asked) == 1
    browser.get("/search?q=valve&type=interaction")
    assert len(asked) == 3
