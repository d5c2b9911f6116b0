"""Merging by page and API: side by side, with a yes, and a way back for ever."""

import pytest

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import change_contact
from core.db import db
from core.events import acting
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.defaults import ROLES
from core.users.services import ensure_role
from tests.core.contacts.reading import form_of, words_of

pytestmark = pytest.mark.soak_on_postgresql


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def firm(app, anna):
    return make_contact(
        "Kallion Vesijohto Oy",
        owner=anna.id,
        language="fi",
        phones=[{"number": "+358 40 123 4567"}],
    )


@pytest.fixture
def other(app):
    return make_contact(
        "Kallion Vesi Oy", language="zh", phones=[{"number": "+358 9 1234 5678"}]
    )


@pytest.fixture
def browser(as_user, anna):
    return as_user(anna)


def address(contact, tail=""):
    return f"/contacts/{contact.id}{tail}"


def look(contact):
    with db.read_only() as session:
        found = session.get_one(Contact, contact.id)
        session.expunge_all()
    return found


def open_merge(browser, one, other):
    page = browser.get(address(one, "/merge"), query_string={"other": other.id})
    assert page.status_code == 200, page.text
    return page.text, form_of(page.text, address(one, "/merge"))


def send(browser, one, form, **more):
    sent = form | {name: [value] for name, value in more.items()}
    return browser.post(address(one, "/merge"), data=sent)


def join(browser, one, other, **more):
    _page, form = open_merge(browser, one, other)
    answer = send(browser, one, form, **more)
    assert answer.status_code == 303, answer.text
    return answer


def shared(contact):
    audience = AudienceSpec("shared", shared_with=frozenset({contact.id}))
    return make_interaction(contact, audience=audience)


# -- Pages -------------------------------------------------------------------------


def test_the_menu_leads_to_a_search_and_that_to_both_side_by_side(browser, firm, other):
    assert address(firm, "/merge") in browser.get(address(firm)).text
    page = browser.get(address(firm, "/merge"), query_string={"q": "Kallion"})
    assert f"/merge?other={other.id}" in page.text
    page, form = open_merge(browser, firm, other)
    words = words_of(page)
    for text in ("+358 40 123 4567", "+358 9 1234 5678", "Merge these two"):
        assert text in words
    assert form["keep"] == [str(firm.id)]
    assert len(form["list.phones"]) == 2


def test_the_choices_of_the_form_are_taken(browser, firm, other):
    _page, form = open_merge(browser, firm, other)
    form |= {
        "keep": [str(other.id)],
        "take.name": ["other"],
        "other_name": ["Kallion Vesi ja Johto Oy"],
        "take.language": [str(firm.id)],
        "list.phones": form["list.phones"][:1],
    }
    answer = send(browser, firm, form)
    assert answer.location == address(other)
    found = look(other)
    assert (found.name, found.language) == ("Kallion Vesi ja Johto Oy", "fi")
    assert [one["number"] for one in found.phones] == ["+358 40 123 4567"]
    assert look(firm).merged_into_id == other.id


def test_the_old_address_leads_on_and_its_menu_parts_them_for_ever(
    browser, firm, other
):
    entry = make_interaction(other, body="Has four developments.")
    join(browser, firm, other)
    assert browser.get(address(other)).location == address(firm)
    page = browser.get(address(firm)).text
    assert "Has four developments." in page
    assert "Merged from Kallion Vesi Oy · Part again" in page
    assert "Kallion Vesi Oy" not in words_of(browser.get("/contacts").text)
    assert "Kallion Vesi Oy" not in browser.get("/contacts?view=trash").text
    listed = browser.get(address(firm, "/merged")).text
    way_back = listed.partition("/merged/")[2].partition("/part")[0]
    answer = browser.post(address(firm, f"/merged/{way_back}/part"))
    assert answer.location == address(other)
    assert look(other).merged_into_id is None
    assert "Has four developments." in browser.get(address(other)).text
    assert "Part again" not in browser.get(address(firm)).text
    assert entry.id


def test_undo_stands_in_the_toast_and_under_recent_changes(browser, firm, other):
    join(browser, firm, other)
    page = browser.get(address(firm)).text
    undo = page.partition('action="/me/undo/')[2].partition('"')[0]
    assert "Merged with another contact" in browser.get("/me/changes").text
    assert browser.post(f"/me/undo/{undo}").status_code == 303
    assert look(other).merged_into_id is None
    assert look(other).trashed_at is None


def test_what_happened_to_both_stands_in_the_history_of_the_one(browser, firm, other):
    with db.transaction() as session:
        found = session.get_one(Contact, other.id)
        change_contact(found, {"website": "https://vesi.example"}, actor=None)
    join(browser, firm, other)
    page = browser.get(address(firm, "/changes")).text
    assert "https://vesi.example" in page
    assert "Merged with another contact" in page


def test_two_selected_in_the_list_are_merged_from_there(browser, firm, other):
    both = {"act": "merge", "contact": [firm.id, other.id]}
    answer = browser.post("/contacts/selected", data=both)
    assert answer.location == address(firm, f"/merge?other={other.id}")
    one = {"act": "merge", "contact": [firm.id]}
    assert browser.post("/contacts/selected", data=one).location == "/contacts"
    assert "Select two contacts" in browser.get("/contacts").text


def test_who_would_see_more_is_named_and_a_yes_is_needed(browser, firm, other):
    make_user("Outi Kallio", kind="customer", contact=firm)
    shared(other)
    page, form = open_merge(browser, firm, other)
    assert "Outi Kallio (portal) would see what is shared" in words_of(page)
    refused = send(browser, firm, form)
    assert refused.status_code == 422
    assert look(other).merged_into_id is None
    # Somebody was added between the list and the yes.
    make_user("Pekka Kallio", kind="customer", contact=firm)
    refused = send(browser, firm, form, yes="1")
    assert refused.status_code == 422
    assert "More would become visible" in refused.text
    assert "Pekka Kallio" in refused.text
    again = form_of(refused.text, address(firm, "/merge"))
    assert send(browser, firm, again, yes="1").status_code == 303


def test_what_somebody_changed_meanwhile_is_shown_before_it_is_merged(
    browser, firm, other
):
    _page, form = open_merge(browser, firm, other)
    mika = make_user("Mika Koski")
    with db.transaction() as session, acting(mika.id):
        found = session.get_one(Contact, other.id)
        change_contact(found, {"language": "en"}, actor=None)
    refused = send(browser, firm, form)
    assert refused.status_code == 409
    assert "Mika Koski changed Kallion Vesi Oy while you were here" in refused.text
    assert "just changed" in refused.text
    again = form_of(refused.text, address(firm, "/merge"))
    assert send(browser, firm, again).status_code == 303


def test_what_cannot_be_merged_is_said_and_another_can_be_chosen(browser, firm, other):
    person = make_contact("Pekka Virtanen", kind="person")
    for wrong, words in ((person, "cannot be merged"), (firm, "the same contact")):
        page = browser.get(address(firm, "/merge"), query_string={"other": wrong.id})
        assert page.status_code == 422
        assert words in page.text
    join(browser, firm, other)
    third = make_contact("Vesi")
    page = browser.get(address(third, "/merge"), query_string={"other": other.id})
    assert page.status_code == 409
    assert "was merged already" in page.text


def test_who_sees_only_one_of_the_two_cannot_merge_nor_part_them(
    as_user, anna, firm, other
):
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    mika = make_user("Mika Koski", roles=["narrow"])
    with db.transaction() as session:
        found = session.get_one(Contact, firm.id)
        change_contact(found, {"owner": mika.id}, actor=None)
    narrow = as_user(mika)
    query = {"other": other.id}
    page = narrow.get(address(firm, "/merge"), query_string=query)
    assert page.status_code == 404
    assert narrow.post(address(firm, "/merge"), data=query).status_code == 404
    assert narrow.get(address(other, "/merge")).status_code == 404
    join(as_user(anna), firm, other, yes="1")
    page = narrow.get(address(firm)).text
    assert "Kallion Vesi Oy" not in page
    assert "Part again" not in page
    assert narrow.get(address(other)).status_code == 404
    listed = narrow.get(address(firm, "/merged")).text
    assert "Nothing was merged" in listed
    assert narrow.post(address(firm, "/merged/1/part")).status_code == 404


def test_who_sees_only_the_one_that_went_is_told_no_more_than_that(
    as_user, anna, firm, other
):
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    mika = make_user("Mika Koski", roles=["narrow"])
    with db.transaction() as session:
        found = session.get_one(Contact, other.id)
        change_contact(found, {"owner": mika.id}, actor=None)
    join(as_user(anna), firm, other)
    page = as_user(mika).get(address(other))
    assert page.status_code == 200
    assert "merged into another contact" in page.text
    assert "Kallion Vesijohto Oy" not in page.text
    assert "Bring it back" not in page.text


def test_pressing_twice_merges_once_and_says_so(browser, firm, other):
    _page, form = open_merge(browser, firm, other)
    assert send(browser, firm, form).status_code == 303
    again = send(browser, firm, form)
    assert again.status_code == 409
    assert "was merged already" in again.text
    turned = form | {"other": [str(firm.id)]}
    again = send(browser, other, turned)
    assert again.status_code == 409
    assert "was merged already" in again.text


def test_without_the_other_one_it_is_asked_for(browser, firm):
    answer = browser.post(address(firm, "/merge"))
    assert answer.status_code == 422
    assert "Choose the other one." in answer.text


# -- API ---------------------------------------------------------------------------


def test_a_program_merges_and_parts(api, anna, firm, other):
    client = api(anna)
    make_user("Outi Kallio", kind="customer", contact=firm)
    shared(other)
    path = f"/api/v1/contacts/{firm.id}/merge"
    seen = client.get(path, query_string={"contact": other.id}).json
    assert seen["readers"] == [
        {
            "name": "Outi Kallio",
            "outside": True,
            "of": {"id": other.id, "name": "Kallion Vesi Oy"},
            "sees": [{"type": "interaction", "count": 1}],
        }
    ]
    asked = {"contact": other.id, "take": {"language": "gone"}}
    assert client.post(path, json=asked).status_code == 428
    fresh = {"If-Match": f'"{firm.version}"'}
    refused = client.post(path, json=asked, headers=fresh)
    assert refused.status_code == 422
    assert "readers" in str(refused.json["errors"])
    done = client.post(path, json=asked | {"accepted": seen["marks"]}, headers=fresh)
    assert done.status_code == 200
    assert done.json["language"] == "zh"
    moved = client.get(f"/api/v1/contacts/{other.id}")
    assert (moved.status_code, moved.location) == (307, f"/api/v1/contacts/{firm.id}")
    back = f"/api/v1/contacts/{firm.id}/part"
    assert (
        client.post(back, json={"contact": other.id}, headers=fresh).status_code == 412
    )
    now_at = {"If-Match": done.headers["ETag"]}
    parted = client.post(back, json={"contact": other.id}, headers=now_at)
    assert parted.json["language"] == "fi"
    assert client.get(f"/api/v1/contacts/{other.id}").json["language"] == "zh"
    newest = {"If-Match": parted.headers["ETag"]}
    assert (
        client.post(back, json={"contact": other.id}, headers=newest).status_code == 404
    )


def test_a_program_may_say_which_version_of_the_other_it_looked_at(
    api, anna, firm, other
):
    client = api(anna)
    path = f"/api/v1/contacts/{firm.id}/merge"
    known = {"contact": other.id, "version": other.version}
    with db.transaction() as session:
        change_contact(
            session.get_one(Contact, other.id), {"language": "fi"}, actor=None
        )
    fresh = {"If-Match": f'"{firm.version}"'}
    assert client.post(path, json=known, headers=fresh).status_code == 409
    known["version"] += 1
    assert client.post(path, json=known, headers=fresh).status_code == 200


def test_a_program_is_refused_as_a_page_is(api, anna, firm, other):
    client = api(anna)
    person = make_contact("Pekka Virtanen", kind="person")
    path = f"/api/v1/contacts/{firm.id}/merge"
    fresh = {"If-Match": f'"{firm.version}"'}
    for contact, status in ((person.id, 422), (firm.id, 422), (999_999, 404)):
        answer = client.post(path, json={"contact": contact}, headers=fresh)
        assert answer.status_code == status
    wrong = {"contact": other.id, "take": {"website": "third"}}
    assert client.post(path, json=wrong, headers=fresh).status_code == 422
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    assert api(outi).post(path, json={"contact": other.id}).status_code in {403, 404}
