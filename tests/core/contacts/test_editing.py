"""The form: what is typed is never lost, and nobody overwrites anybody."""

import pytest

from core.contacts.models import Contact
from core.contacts.services import change_contact, trash_contact
from core.db import db
from core.events import acting
from core.testing.factories import make_contact, make_user
from tests.core.contacts.reading import form_of, words_of


@pytest.fixture
def anna(app):
    return make_user("Anna Laine")


@pytest.fixture
def mika(app):
    return make_user("Mika Koski")


def now_of(contact):
    with db.read_only() as session:
        found = session.get_one(Contact, contact.id)
        session.expunge(found)
    return found


def meanwhile(who, contact, values):
    with db.transaction() as session, acting(who.id):
        change_contact(session.get_one(Contact, contact.id), values, actor=None)


def edit_url(contact):
    return f"/contacts/{contact.id}/edit"


def open_form(browser, contact):
    url = edit_url(contact)
    return form_of(browser.get(url).text, url)


def test_a_form_sent_back_untouched_changes_nothing(app, as_user, anna):
    contact = make_contact(
        "Pekka Virtanen",
        kind="person",
        given_name="Pekka",
        family_name="Virtanen",
        job_title="Buyer",
        emails=[{"address": "pekka@kallio.example", "label": "work"}],
        phones=["040 1234567", "09 123456"],
        addresses=[{"street": "Kalliokatu 1\nGate B", "city": "Helsinki"}],
        roles=["prospect"],
        owner=anna.id,
        know_first="\n\nDeliver before ten\n\n* gate B",
        language="sv",
        do_not_contact=True,
        next_step="Call",
        next_step_on="2026-03-05",
        tags=["a", "b"],
        website="https://kallio.example",
        custom={"Gate": "B"},
    )
    browser = as_user(anna)
    form = open_form(browser, contact)
    # A browser sends line breaks in its own way.
    form = {k: [v.replace("\n", "\r\n") for v in values] for k, values in form.items()}
    assert browser.post(edit_url(contact), data=form).status_code == 303
    assert now_of(contact).version == 1
    # Nor does it when somebody else has saved meanwhile.
    meanwhile(anna, contact, {"job_title": "Chief buyer"})
    form["version"] = ["0"]
    assert browser.post(edit_url(contact), data=form).status_code == 303
    after = now_of(contact)
    assert (after.version, after.job_title) == (2, "Chief buyer")


def test_what_two_people_changed_apart_is_joined(app, as_user, anna, mika):
    contact = make_contact(next_step="Call", tags=["retail"])
    browser = as_user(anna)
    form = open_form(browser, contact)
    meanwhile(mika, contact, {"phones": ["040 1234567"], "tags": ["retail", "big"]})
    answer = browser.post(
        edit_url(contact), data=form | {"next_step": "Write"}, follow_redirects=True
    )
    assert "Also changed by somebody else meanwhile: Phones, Tags" in words_of(
        answer.text
    )
    after = now_of(contact)
    assert after.next_step == "Write"
    assert after.phones[0]["number"] == "040 1234567"
    assert after.tags == ["big", "retail"]


def test_where_both_changed_a_field_both_values_are_shown_and_one_is_chosen(
    app, as_user, anna, mika
):
    contact = make_contact(next_step="Call", know_first="Gate B", roles=["customer"])
    browser = as_user(anna)
    form = open_form(browser, contact) | {
        "name": "Kallio <Anna's>",
        "next_step": "Write",
        "know_first": "Gate C\r\nby ten",
        "phones.0.number": "040 1234567",
    }
    theirs = {
        "name": "Kallio Group",
        "next_step": "Visit",
        "know_first": "Gate D",
        "roles": ["vendor"],
    }
    meanwhile(mika, contact, theirs)
    answer = browser.post(edit_url(contact), data=form)
    assert answer.status_code == 409
    words = words_of(answer.text)
    assert "Mika Koski saved this while you were here." in words
    for said in ("Kallio Group", "Visit", "Gate D"):
        assert f"Theirs {said}" in words
    assert "Also changed by somebody else meanwhile: Customer or vendor" in words
    again = form_of(answer.text, edit_url(contact))
    assert again["name"] == ["Kallio <Anna's>"]
    assert again["next_step"] == ["Write"]
    assert again["know_first"] == ["Gate C\nby ten"]
    assert again["phones.0.number"] == ["040 1234567"]
    assert again["keep.name"] == ["mine"]
    assert now_of(contact).name == "Kallio Group"
    chosen = again | {"keep.next_step": "theirs", "keep.know_first": "theirs"}
    assert browser.post(edit_url(contact), data=chosen).status_code == 303
    after = now_of(contact)
    assert (after.name, after.next_step) == ("Kallio <Anna's>", "Visit")
    assert (after.know_first, after.roles) == ("Gate D", ["vendor"])
    assert after.phones[0]["number"] == "040 1234567"


def test_who_is_overtaken_twice_is_asked_twice(app, as_user, anna, mika):
    contact = make_contact(next_step="Call")
    browser = as_user(anna)
    form = open_form(browser, contact) | {"next_step": "Write"}
    meanwhile(mika, contact, {"next_step": "Visit"})
    first = browser.post(edit_url(contact), data=form)
    meanwhile(mika, contact, {"next_step": "Wait"})
    second = browser.post(
        edit_url(contact), data=form_of(first.text, edit_url(contact))
    )
    assert (first.status_code, second.status_code) == (409, 409)
    assert "Theirs Wait" in words_of(second.text)
    third = browser.post(
        edit_url(contact), data=form_of(second.text, edit_url(contact))
    )
    assert third.status_code == 303
    assert now_of(contact).next_step == "Write"


def test_both_typing_the_same_is_no_conflict(app, as_user, anna, mika):
    contact = make_contact()
    browser = as_user(anna)
    form = open_form(browser, contact) | {"next_step": "Call"}
    meanwhile(mika, contact, {"next_step": "Call"})
    assert browser.post(edit_url(contact), data=form).status_code == 303


@pytest.mark.parametrize("base", ["", "{", "[]", "{}", '{"name": 1}'])
def test_a_form_that_does_not_say_what_it_saw_overwrites_nothing(
    app, as_user, anna, base
):
    contact = make_contact(next_step="Call", tags=["retail"])
    form = {"name": contact.name, "next_step": "Write", "base": base}
    answer = as_user(anna).post(edit_url(contact), data=form)
    assert answer.status_code == 409
    words = words_of(answer.text)
    assert "Theirs Call" in words
    assert "Theirs retail" in words
    assert "Name: whose?" not in words
    assert now_of(contact).next_step == "Call"


def test_what_was_typed_survives_that_somebody_put_the_contact_in_the_trash(
    app, as_user, anna, mika
):
    contact = make_contact()
    browser = as_user(anna)
    form = open_form(browser, contact) | {"know_first": "Gate B"}
    with db.transaction() as session, acting(mika.id):
        trash_contact(session.get_one(Contact, contact.id))
    answer = browser.post(edit_url(contact), data=form)
    assert answer.status_code == 409
    assert "Bring it back, then save again." in answer.text
    browser.post(f"/contacts/{contact.id}/restore")
    again = form_of(answer.text, edit_url(contact))
    assert browser.post(edit_url(contact), data=again).status_code == 303
    assert now_of(contact).know_first == "Gate B"


def test_wrong_fields_are_named_beside_them_and_what_was_typed_stays(
    app, as_user, anna
):
    contact = make_contact()
    browser = as_user(anna)
    form = open_form(browser, contact) | {
        "name": "",
        "emails.0.address": "pekka@",
        "emails.1.address": "outi@kallio.example",
        "phones.1.number": "call me",
        "website": "javascript:alert(1)",
        "next_step": "x" * 301,
    }
    answer = browser.post(edit_url(contact), data=form)
    assert answer.status_code == 422
    page = answer.text
    beside = {
        "f-name": "Write a name.",
        "f-emails-0-address": "This e-mail has no domain: pekka@",
        "f-phones-0-number": "Write a phone number such as +358 40 123 4567.",
        "f-website": "Write a web address such as https://www.example.com.",
        "f-next_step": "This is longer than 300 characters.",
    }
    for field, said in beside.items():
        error = page.split(f'id="{field}-error"')[1].split("</p>")[0]
        assert said in error
        assert 'aria-invalid="true"' in page.split(f'id="{field}"')[1].split(">")[0]
    again = form_of(page, edit_url(contact))
    assert again["emails.0.address"] == ["pekka@"]
    assert again["emails.1.address"] == ["outi@kallio.example"]
    assert again["phones.0.number"] == ["call me"]
    assert again["website"] == ["javascript:alert(1)"]
    assert now_of(contact).version == 1


def test_a_new_contact_that_is_refused_keeps_what_was_typed(app, as_user, anna):
    form = {"kind": "person", "given_name": "Pekka", "emails.0.address": "pekka"}
    answer = as_user(anna).post("/contacts/new", data=form)
    assert answer.status_code == 422
    assert "Write an e-mail address such as pekka@example.com." in answer.text
    assert form_of(answer.text, "/contacts/new")["given_name"] == ["Pekka"]


def test_a_new_contact_is_the_one_of_who_adds_it(app, as_user, anna):
    browser = as_user(anna)
    page = browser.get("/contacts/new?kind=organisation").text
    form = form_of(page, "/contacts/new") | {
        "name": "Kallio",
        "roles": ["customer", "vendor"],
    }
    answer = browser.post("/contacts/new", data=form)
    assert answer.status_code == 303
    page = words_of(browser.get(answer.headers["Location"]).text)
    assert "owner Anna Laine" in page
    assert "Customer Vendor" in page


def test_a_form_without_its_token_is_refused(app, as_user, anna):
    contact = make_contact()
    answer = as_user(anna).post(
        edit_url(contact), data={"name": "X"}, headers={"X-CSRFToken": "wrong"}
    )
    assert answer.status_code == 400
    assert now_of(contact).version == 1


def test_who_may_only_read_is_offered_no_forms(app, as_user):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("reader", ["contacts:read"])
    browser = as_user(make_user("Sanna Aho", roles=("reader",)))
    contact = make_contact()
    page = browser.get(f"/contacts/{contact.id}").text
    assert "/edit" not in page
    assert browser.get(edit_url(contact)).status_code == 403
    assert browser.post(edit_url(contact)).status_code == 403
