"""Contacts at hand: pinned, seen last, found by Ctrl-K, ticked in the list."""

import re

import pytest

from core.testing.factories import make_contact, make_user
from tests.core.contacts.reading import words_of


@pytest.fixture
def anna(app):
    return make_user("Anna Laine")


@pytest.fixture
def browser(anna, as_user):
    return as_user(anna)


def rail(browser, title):
    """Name the contacts of a part of the rail, in order."""
    page = browser.get("/me").text
    found = re.search(rf'id="rail-{title}">.*?</ul>', page, re.DOTALL)
    return re.findall(r'"label">([^<]+)<', found.group(0)) if found else []


def post(browser, url, **data):
    page = browser.get("/me").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    return browser.post(url, data={"csrf_token": token, **data})


def asked(browser, text):
    return browser.get("/palette", query_string={"q": text}).json["items"]


def test_the_rail_keeps_the_five_seen_last_and_the_pinned_ones(browser):
    firms = [make_contact(f"Firm {n}") for n in range(7)]
    for one in firms:
        browser.get(f"/contacts/{one.id}")
    assert rail(browser, "recent") == [f"Firm {n}" for n in (6, 5, 4, 3, 2)]
    post(browser, f"/contacts/{firms[5].id}/pin")
    assert rail(browser, "pinned") == ["Firm 5"]
    assert "Firm 5" not in rail(browser, "recent")
    post(browser, f"/contacts/{firms[5].id}/pin")
    assert rail(browser, "pinned") == []


def test_the_rail_forgets_what_one_may_not_see_any_more(browser):
    firm = make_contact("Kallion Vesijohto Oy")
    browser.get(f"/contacts/{firm.id}")
    post(browser, f"/contacts/{firm.id}/pin")
    post(browser, f"/contacts/{firm.id}/trash")
    assert rail(browser, "recent") == rail(browser, "pinned") == []


def test_another_account_at_the_same_browser_begins_with_nothing(browser, as_user):
    firm = make_contact("Kallion Vesijohto Oy")
    browser.get(f"/contacts/{firm.id}")
    mika = as_user(make_user("Mika Koski"))
    with browser.session_transaction() as mine, mika.session_transaction() as his:
        his["seen"] = mine["seen"]
    assert rail(mika, "recent") == []


def test_nobody_pins_for_somebody_outside(browser, as_user):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    outi = as_user(make_user("Outi", kind="customer", contact=firm))
    assert post(outi, f"/contacts/{firm.id}/pin").status_code == 404
    assert outi.get("/palette?q=kal").status_code == 404


def test_ctrl_k_begins_with_who_was_seen_and_finds_without_the_search(
    make_app, sign_in_to
):
    app = make_app(PLUGINS_DISABLED=["search"])
    with app.app_context():
        browser = sign_in_to(app, make_user("Anna Laine"))
        firm = make_contact("Kallion Vesijohto Oy", phones=["+358 40 123 4567"])
        make_contact("Kalle Korpi", kind="person", tags=["Plumbing"])
    assert asked(browser, "") == []
    browser.get(f"/contacts/{firm.id}")
    assert [one["title"] for one in asked(browser, "")] == ["Kallion Vesijohto Oy"]
    titles = [one["title"] for one in asked(browser, "kal")]
    assert titles[:2] == ["Kalle Korpi", "Kallion Vesijohto Oy"]
    by_number = asked(browser, "1234567")
    assert by_number[0]["title"] == "Kallion Vesijohto Oy"
    assert "4567" in by_number[0]["why"]


def test_signs_narrow_what_ctrl_k_finds(browser):
    make_contact("New Harbour Ltd", tags=["Plumbing"])
    assert {one["group"] for one in asked(browser, "+new")} == {"New"}
    assert "New Harbour Ltd" not in [one["title"] for one in asked(browser, ">new")]
    assert [one["title"] for one in asked(browser, "@new")] == ["New Harbour Ltd"]
    tag = asked(browser, "#plu")
    assert [one["title"] for one in tag] == ["#plumbing"]
    assert "New Harbour Ltd" in words_of(browser.get(tag[0]["url"]).text)


def test_ctrl_k_shows_at_most_five_of_a_group(browser):
    for n in range(9):
        make_contact(f"Harbour {n}")
    found = [one for one in asked(browser, "harbour") if one["group"] == "Contact"]
    assert len(found) == 5


def test_ticked_contacts_are_tagged_given_and_put_away_with_an_undo(browser, anna):
    firms = [make_contact(f"Firm {n}", tags=["old"]) for n in range(3)]
    ids = [one.id for one in firms[:2]]
    post(browser, "/contacts/selected", act="tag", tag="retail, old", contact=ids)
    post(browser, "/contacts/selected", act="owner", owner=str(anna.id), contact=ids)
    tagged = words_of(browser.get("/contacts?tag=retail").text)
    assert "Firm 0" in tagged
    assert "Firm 1" in tagged
    assert "Firm 2" not in tagged
    mine = words_of(browser.get("/contacts?view=mine").text)
    assert "Firm 0" in mine
    assert "Firm 2" not in mine

    answer = post(
        browser, "/contacts/selected", act="trash", contact=ids, here="?q=firm"
    )
    assert answer.location.endswith("/contacts?q=firm")
    page = browser.get("/contacts").text
    assert "2 contacts are in the trash." in page
    undo = re.search(r'action="(/contacts/selected[^"]+)"', page).group(1)
    assert "Firm 0" not in words_of(browser.get("/contacts").text)
    post(browser, undo.replace("&amp;", "&"))
    assert "Firm 0" in words_of(browser.get("/contacts").text)


def test_nothing_ticked_and_an_owner_of_nowhere_change_nothing(browser):
    firm = make_contact("Firm")
    assert post(browser, "/contacts/selected", act="trash").status_code == 303
    assert "Firm" in words_of(browser.get("/contacts").text)
    refused = post(
        browser, "/contacts/selected", act="owner", owner="99", contact=firm.id
    )
    assert refused.status_code == 422
