"""What belongs to one entry, in its place: replies, former versions, reactions."""

import re

import pytest

from core.audiences import AudienceSpec
from core.db import db
from core.events import Event
from core.testing.factories import make_contact, make_interaction, make_user

HTMX = {"HX-Request": "true"}


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


@pytest.fixture
def olli(app):
    return make_user("Olli Outside", teams=["Warehouse"])


@pytest.fixture
def outi(firm):
    return make_user("Outi Kallio", kind="customer", contact=firm)


def for_team(user):
    return AudienceSpec("teams", teams=frozenset(one.id for one in user.teams))


def shared_with(*contacts):
    return AudienceSpec("shared", shared_with=frozenset(one.id for one in contacts))


# -- Threads ---------------------------------------------------------------------------


def test_replies_open_under_their_entry_and_are_answered_there(
    firm, anna, mika, as_user
):
    entry = make_interaction(firm, author=anna, body="Who goes?")
    browser = as_user(mika)
    box = f"entry-{entry.id}-replies-box"
    reply = {"parent": entry.id, "body": "I do"}
    target = HTMX | {"HX-Target": box}
    answer = browser.post("/interactions", data=reply, headers=target)
    assert answer.status_code == 200
    assert f'id="{box}"' in answer.text
    assert "I do" in answer.text
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert "1 reply" in page
    [where] = set(re.findall(rf'hx-get="(/interactions/{entry.id}/replies)"', page))
    part = as_user(anna).get(where, headers=HTMX).text
    assert "<html" not in part
    assert "I do" in part
    assert "Who goes?" not in part
    # Without scripts the same address is a page.
    whole = as_user(anna).get(where).text
    assert "<html" in whole
    assert "Who goes?" in whole


def test_an_empty_reply_in_place_is_refused_there(firm, anna, as_user):
    entry = make_interaction(firm, author=anna)
    headers = HTMX | {"HX-Target": f"entry-{entry.id}-replies-box"}
    form = {"parent": entry.id, "body": "  "}
    answer = as_user(anna).post("/interactions", data=form, headers=headers)
    assert answer.status_code == 422
    assert "Write what a colleague should know." in answer.text
    assert f'id="entry-{entry.id}-replies-box"' in answer.text


def test_many_replies_come_page_by_page(firm, anna, as_user, api):
    entry = make_interaction(firm, author=anna)
    program = api(anna)
    for n in range(52):
        body = {"parent": entry.id, "body": f"Reply no. {n}."}
        assert program.post("/api/v1/interactions", json=body).status_code == 201
    browser = as_user(anna)
    first = browser.get(f"/interactions/{entry.id}/replies", headers=HTMX).text
    assert "Reply no. 49." in first
    assert "Reply no. 50." not in first
    [more] = re.findall(r'hx-get="([^"]+cursor=[^"]+)"', first)
    headers = HTMX | {"HX-Target": f"entry-{entry.id}-more-replies"}
    rest = browser.get(more.replace("&amp;", "&"), headers=headers).text
    assert "Reply no. 51." in rest
    assert "cursor=" not in rest


# -- Former versions -------------------------------------------------------------------


@pytest.fixture
def changed(firm, anna, as_user):
    """An entry of Anna's team that was changed once."""
    entry = make_interaction(
        firm, author=anna, body="Wants two windows", audience=for_team(anna)
    )
    form = {
        "version": entry.version,
        "kind": "call",
        "body": "Wants four windows",
        "audience": "teams",
        "teams": ["Sales"],
    }
    answer = as_user(anna).post(f"/interactions/{entry.id}/edit", data=form)
    assert answer.status_code == 303
    return entry


def test_what_an_entry_said_before_is_shown_with_who_and_what_differs(
    firm, changed, mika, as_user
):
    browser = as_user(mika)
    page = browser.get(f"/contacts/{firm.id}").text
    [where] = set(re.findall(r'href="(/interactions/\d+/history)"', page))
    for said in (browser.get(where).text, browser.get(where, headers=HTMX).text):
        assert "Anna Laine" in said
        assert "Wants <del>two</del><ins>four</ins> windows" in said
        assert "<del>Note</del> <ins>Call</ins>" in said
    assert changed.id


@pytest.mark.parametrize("words", [{}, {"body": "Wants nine windows"}])
def test_former_words_are_for_who_could_read_them_then(
    changed, mika, olli, outi, anna, as_user, api, words
):
    url = f"/interactions/{changed.id}/history"
    for one in (olli, outi):
        assert as_user(one).get(url).status_code == 404
    # Opened to all colleagues, what it said before is not theirs: with the words
    # changed first, an entry that was between two is fit for all.
    program = api(anna)
    address = f"/api/v1/interactions/{changed.id}"
    version = program.get(address).headers["ETag"]
    opened = {"audience": "staff"} | words
    answer = program.patch(address, json=opened, headers={"If-Match": version})
    assert answer.status_code == 200
    said = as_user(olli).get(url).text
    for hidden in ("two", "four", "<del>", "Sales"):
        assert hidden not in said
    assert "<ins>All colleagues</ins>" in said
    for one in (anna, mika):
        said = as_user(one).get(url).text
        assert "<del>two</del>" in said
        assert "<del>Sales</del> <ins>All colleagues</ins>" in said
    then = {"If-Match": answer.headers["ETag"]}
    answer = program.patch(address, json={"body": "Wants ten"}, headers=then)
    assert "<ins>ten</ins>" in as_user(olli).get(url).text
    # Closed again, nothing of it is left to him.
    back = {"audience": "teams", "teams": ["Sales"]}
    version = answer.headers["ETag"]
    program.patch(address, json=back, headers={"If-Match": version})
    assert as_user(olli).get(url).status_code == 404
    assert as_user(mika).get(url).status_code == 200


def test_words_that_were_erased_are_not_shown(changed, anna, as_user):
    with db.transaction() as session:
        for event in session.query(Event).filter(Event.subject == changed.ref):
            event.personal = None
            event.data = {"fields": event.data.get("fields", [])}
    said = as_user(anna).get(f"/interactions/{changed.id}/history").text
    assert "What it said was erased." in said
    assert "two" not in said


def test_two_long_texts_are_compared_in_reasonable_time(firm, anna, as_user):
    long = "word " * 15_000
    entry = make_interaction(firm, author=anna, body=long)
    form = {"version": entry.version, "kind": "note", "audience": "staff"}
    form["body"] = "other " * 15_000
    browser = as_user(anna)
    assert browser.post(f"/interactions/{entry.id}/edit", data=form).status_code == 303
    assert browser.get(f"/interactions/{entry.id}/history").status_code == 200


# -- Reactions -------------------------------------------------------------------------


def names_of(answer):
    return {one["name"]: one["people"] for one in answer.json["items"]}


def test_a_reaction_is_left_seen_by_name_and_taken_back(firm, anna, mika, as_user):
    entry = make_interaction(firm, author=anna)
    url = f"/interactions/{entry.id}/react"
    browser = as_user(mika)
    part = browser.post(url, data={"reaction": "thanks"}, headers=HTMX).text
    assert 'aria-pressed="true"' in part
    assert "Mika Koski" in part
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert 'title="Thanks: Mika Koski"' in page
    assert 'aria-pressed="true"' not in page
    # Without scripts it leads back.
    assert browser.post(url, data={"reaction": "thanks"}).status_code == 303
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert 'title="Thanks: Mika Koski"' not in page


def test_an_unknown_reaction_is_refused(firm, anna, as_user, api):
    entry = make_interaction(firm, author=anna)
    url = f"/interactions/{entry.id}/react"
    assert as_user(anna).post(url, data={"reaction": "rocket"}).status_code == 404
    assert as_user(anna).post(url, data={}).status_code == 422
    url = f"/api/v1/interactions/{entry.id}/reactions/rocket"
    assert api(anna).put(url).status_code == 404


def test_a_program_reacts_and_doing_it_twice_is_harmless(firm, anna, mika, api):
    entry = make_interaction(firm, author=anna)
    url = f"/api/v1/interactions/{entry.id}/reactions"
    for user in (anna, mika, mika):
        answer = api(user).put(f"{url}/done")
        assert answer.status_code == 200
    assert names_of(answer) == {"done": ["Anna Laine", "Mika Koski"]}
    for _ in range(2):
        assert api(anna).delete(f"{url}/done").status_code == 204
    assert names_of(api(anna).get(url)) == {"done": ["Mika Koski"]}


def test_who_may_not_see_an_entry_finds_no_reaction_and_leaves_none(
    firm, anna, olli, outi, as_user, api
):
    entry = make_interaction(firm, author=anna, audience=for_team(anna))
    for one in (olli, outi):
        url = f"/api/v1/interactions/{entry.id}/reactions"
        assert api(one).get(url).status_code == 404
        assert api(one).put(f"{url}/thanks").status_code == 404
        assert api(one).delete(f"{url}/thanks").status_code == 404
        form = {"reaction": "thanks"}
        url = f"/interactions/{entry.id}/react"
        assert as_user(one).post(url, data=form).status_code == 404


def test_customers_do_not_learn_of_each_other_by_their_reactions(firm, anna, outi, api):
    other = make_contact("Byggnad Ab", roles=["customer"])
    bo = make_user("Bo Byggnad", kind="customer", contact=other)
    entry = make_interaction(firm, author=anna, audience=shared_with(firm, other))
    url = f"/api/v1/interactions/{entry.id}/reactions"
    for one in (anna, outi, bo):
        assert api(one).put(f"{url}/thanks").status_code == 200
    assert names_of(api(outi).get(url)) == {"thanks": ["Anna Laine", "Outi Kallio"]}
    assert names_of(api(bo).get(url)) == {"thanks": ["Anna Laine", "Bo Byggnad"]}
    assert len(names_of(api(anna).get(url))["thanks"]) == 3


@pytest.mark.parametrize("others", [1, 3])
def test_outside_colleagues_are_counted_and_only_the_author_is_named(
    firm, anna, mika, olli, outi, as_user, api, others
):
    entry = make_interaction(firm, author=anna, audience=shared_with(firm))
    more = [make_user(f"Colleague {number}") for number in range(others)]
    url = f"/api/v1/interactions/{entry.id}/reactions"
    for one in (mika, *more):
        assert api(one).put(f"{url}/seen").status_code == 200
    for one in (anna, mika, outi):
        assert api(one).put(f"{url}/thanks").status_code == 200
    told = {one["name"]: one for one in api(outi).get(url).json["items"]}
    assert told["seen"]["people"] == []
    assert told["seen"]["count"] == 1 + others
    assert told["thanks"]["people"] == ["Anna Laine", "Outi Kallio"]
    assert (told["thanks"]["count"], told["thanks"]["mine"]) == (3, True)
    portal = as_user(outi)
    page = portal.get(f"/interactions/{entry.id}").text
    assert f"Seen: {1 + others}" in page
    assert "Thanks: 3" in page
    for answer in (
        portal.get("/interactions"),
        portal.get(f"/interactions/{entry.id}"),
        portal.post(f"/interactions/{entry.id}/react", data={"reaction": "done"}),
        api(outi).get(url),
        api(outi).put(f"{url}/done"),
        api(outi).get(f"/api/v1/interactions/{entry.id}"),
        api(outi).get("/api/v1/events?cursor=0.0&limit=200"),
        # What is printed to be handed over, and what a house exports of it.
        as_user(anna).get(f"/interactions/timeline/{firm.id}.json?audience=shared"),
    ):
        assert "Mika Koski" not in answer.text
        assert "Colleague" not in answer.text
    # Inside everybody goes on being named.
    assert "Mika Koski" in api(olli).get(url).text


def test_a_customer_says_thanks_without_scripts(firm, anna, outi, as_user):
    entry = make_interaction(firm, author=anna, audience=shared_with(firm))
    portal = as_user(outi)
    for page in ("/interactions", f"/interactions/{entry.id}"):
        assert f'action="/interactions/{entry.id}/react"' in portal.get(page).text
    answer = portal.post(f"/interactions/{entry.id}/react", data={"reaction": "thanks"})
    assert answer.status_code == 303
    assert "Thanks: Outi Kallio" in portal.get(f"/interactions/{entry.id}").text
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert 'title="Thanks: Outi Kallio"' in page


def test_a_reaction_is_told_live_to_the_readers_of_its_entry(
    firm, anna, mika, olli, api
):
    entry = make_interaction(firm, author=anna, audience=for_team(anna))
    api(mika).put(f"/api/v1/interactions/{entry.id}/reactions/seen")

    def told(user):
        answer = api(user).get("/api/v1/events?cursor=0.0&limit=200")
        kind = "interactions.reacted"
        return [o["subject"] for o in answer.json["items"] if o["type"] == kind]

    assert told(anna) == [entry.ref]
    assert told(olli) == []


def test_reactions_cost_a_page_no_statement(
    firm, anna, mika, as_user, api, count_queries
):
    entries = [make_interaction(firm, author=anna) for _ in range(10)]
    browser = as_user(anna)
    browser.get(f"/contacts/{firm.id}")
    with count_queries() as none:
        browser.get(f"/contacts/{firm.id}")
    for one in entries:
        for name in ("thanks", "done"):
            api(mika).put(f"/api/v1/interactions/{one.id}/reactions/{name}")
    with count_queries() as many:
        page = browser.get(f"/contacts/{firm.id}").text
    assert page.count('title="Done: Mika Koski"') == 10
    assert many.count == none.count
