"""What else is about the same is named beside a ticket, and nothing hidden is."""

import re

import pytest

from core.audiences import AudienceSpec
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.search.indexing import rebuild

TITLES = re.compile(r'<a href="[^"]+">([^<]+)</a>')


@pytest.fixture
def people(app):
    return {
        "sanna": make_user("Sanna Virta", roles=["support"], teams=["Support"]),
        "mika": make_user("Mika Koski", roles=["sales"], teams=["Sales"]),
    }


@pytest.fixture
def tickets(people, api):
    """Tickets about pallets and pumps, and one that only its author reads."""
    firm = make_contact("Kallion Vesijohto Oy")
    program = api(people["sanna"])
    made = {}
    for subject in (
        "Two pallets broken",
        "Pallet arrived broken and wet",
        "Broken pallets again",
        "Invoice without reference",
        "Pump is loud",
    ):
        sent = {"contact": firm.id, "subject": subject, "body": "See the picture."}
        answer = program.post("/api/v1/tickets", json=sent | {"audience": "staff"})
        assert answer.status_code == 201, answer.text
        made[subject] = answer.json
    sent = {"contact": firm.id, "subject": "Pallets: our own fault", "body": "Mine."}
    made["own"] = api(people["mika"]).post(
        "/api/v1/tickets", json=sent | {"audience": "private"}
    )
    rebuild()
    return made


def like(browser, ticket):
    address = f"/search/related/support.ticket/{ticket['id']}"
    page = browser.get(address, headers={"HX-Request": "true"})
    assert page.status_code == 200
    return [" ".join(one.split()) for one in TITLES.findall(page.text)]


def test_tickets_about_the_same_are_named_and_others_are_not(tickets, people, as_user):
    browser = as_user(people["sanna"])
    asked = tickets["Two pallets broken"]
    page = browser.get(f"/support/{asked['number']}").text
    assert f"/search/related/support.ticket/{asked['id']}" in page
    found = like(browser, asked)
    assert any("Pallet arrived broken and wet" in one for one in found)
    assert any("Broken pallets again" in one for one in found)
    assert not any("Two pallets broken" in one for one in found)
    assert not any("Pump is loud" in one for one in found)


def test_what_one_may_not_read_is_not_named(tickets, people, as_user):
    asked = tickets["Two pallets broken"]
    mine = "Pallets: our own fault"
    assert any(mine in one for one in like(as_user(people["mika"]), asked))
    assert not any(mine in one for one in like(as_user(people["sanna"]), asked))


def test_without_scripts_it_is_a_page_and_of_nothing_hidden_there_is_none(
    tickets, people, as_user
):
    asked = tickets["Pump is loud"]
    address = f"/search/related/support.ticket/{asked['id']}"
    page = as_user(people["sanna"]).get(address)
    assert "<h1" in page.text
    outi = make_user("Outi Kallio", kind="customer", contact=make_contact("Other Oy"))
    assert as_user(outi).get(address).status_code == 404
    for ref in (
        "support.ticket/999",
        "nothing/1",
        "support.ticket/x",
        "support.ticket",
    ):
        browser = as_user(people["sanna"])
        assert browser.get(f"/search/related/{ref}").status_code == 404, ref


def test_without_an_index_nobody_waits_and_nothing_breaks(
    tickets, people, as_user, app, monkeypatch
):
    from plugins.search.backend import IndexMissing

    def missing(_request):
        raise IndexMissing

    monkeypatch.setattr(app.extensions["search_backend"], "search", missing)
    assert like(as_user(people["sanna"]), tickets["Two pallets broken"]) == []


def test_a_note_names_notes_like_it_with_whichever_customer(people, as_user):
    kallio, tapio = make_contact("Kallion Vesijohto Oy"), make_contact("Tapio Oy")

    def note(contact, body, author="sanna", audience=None):
        return make_interaction(
            contact, author=people[author], body=body, audience=audience
        )

    asked = note(kallio, "Wants a discount for pallets of the old kind.")
    like_it = note(tapio, "Asked about a discount for pallets.")
    other = note(kallio, "Came to see the new office.")
    hidden = note(
        tapio,
        "Discount for pallets: never again.",
        "mika",
        AudienceSpec("private", users=frozenset({people["mika"].id})),
    )
    rebuild()
    browser = as_user(people["sanna"])
    page = browser.get(f"/interactions/{asked.id}").text
    assert f"/search/related/{asked.ref}" in page
    found = browser.get(
        f"/search/related/{asked.ref}", headers={"HX-Request": "true"}
    ).text
    assert f'"/interactions/{like_it.id}"' in found
    for one in (other, hidden, asked):
        assert f'"/interactions/{one.id}"' not in found
