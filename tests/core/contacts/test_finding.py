"""Folded names, phone numbers, and the keys by which contacts are found."""

import pytest
import sqlalchemy as sa

from core.contacts import lists
from core.contacts.finding import fold, normal_phone, region_of, words_of
from core.contacts.models import Contact
from core.contacts.services import contacts_with_email, contacts_with_phone
from core.db import db, now
from core.testing.factories import make_contact, make_user
from tests.faults.naughty import NASTIEST


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Åse Østergård", "ase ostergard"),
        ("ŁÓDŹ  Straße\t7", "lodz strasse 7"),
        ("\u202etrap\u200b", "trap"),
        ("Ｔｅｓｔ", "test"),
        ("한국", "한국"),
    ],
)
def test_a_folded_name_has_no_case_accents_or_hidden_signs(text, folded):
    assert fold(text) == folded


def test_each_sign_of_a_chinese_name_begins_a_word():
    assert words_of("李伟 Li Wei") == ["李伟", "伟", "li", "wei"]


@pytest.mark.parametrize(
    ("number", "region", "normal"),
    [
        ("040 123 4567", "FI", "+358401234567"),
        ("+358 (0)40-123 4567", "DE", "+358401234567"),
        ("030-0074321", "DE", "+49300074321"),
        ("٠٤٠١٢٣٤٥٦٧", "FI", "+358401234567"),
        ("extension 12", "FI", "12"),
    ],
)
def test_a_phone_number_is_kept_in_one_form_however_it_is_written(
    number, region, normal
):
    assert normal_phone(number, region) == normal


def test_numbers_are_dialled_from_the_country_of_the_address():
    assert region_of([{"country": "Germany"}], "FI") == "DE"
    assert region_of([{"country": "UK"}], "FI") == "GB"
    assert region_of([{"country": ""}, {"country": "Ruotsi"}], "FI") == "SE"
    assert region_of([{"country": "Atlantis"}], "FI") == "FI"


@pytest.mark.parametrize(
    "typed",
    [
        "kall",
        "Vesijohto kallion",
        "PEKKA@KALLIO",
        "myynti",
        "040 123",
        "+358 40 12",
        "00358 4012",
        "1234567",
        "4567",
        "401234567",
        "24",
    ],
)
@pytest.mark.parametrize("common", [False, True])
def test_the_filter_finds_by_words_mail_and_either_end_of_a_phone_number(
    app, as_user, typed, common, monkeypatch
):
    # With a count of one it is read as what more than a thousand contacts have.
    monkeypatch.setattr(lists, "MOST_COUNTED", 0 if common else 1000)
    make_contact(
        "Kallion Vesijohto 24 Oy",
        emails=["pekka@kallio.example", "Myynti@kallio.example"],
        phones=["040 123 4567"],
    )
    make_contact("Tapio Rakennus Oy", emails=["tapio@rakennus.example"])
    page = as_user(make_user()).get("/contacts", query_string={"q": typed}).text
    assert "Kallion Vesijohto 24 Oy" in page
    assert "Tapio Rakennus Oy" not in page


@pytest.mark.parametrize(
    "typed", ["%", "_", "'; --", "@", "\u200b", "\x00", "🙂", "\ud7ff"]
)
def test_signs_that_mean_something_to_databases_find_nothing(app, as_user, typed):
    make_contact("Kallion Vesijohto Oy", emails=["pekka@kallio.example"])
    answer = as_user(make_user()).get("/contacts", query_string={"q": typed})
    assert answer.status_code == 200
    assert ("Kallion Vesijohto Oy" in answer.text) is (typed == "\x00")


def test_a_contact_is_found_by_exactly_its_mail_or_number(app):
    pekka = make_contact(
        "Pekka Virtanen",
        kind="person",
        emails=["Pekka@Kallio.example"],
        phones=["040 1234567"],
    )
    [by_mail] = contacts_with_email(" pekka@kallio.EXAMPLE ")
    [by_phone] = contacts_with_phone("+358 40 123 4567")
    assert by_mail.id == by_phone.id == pekka.id
    assert contacts_with_email("pekka@kallio") == []
    assert contacts_with_phone("") == []


def test_who_sees_only_their_own_finds_only_their_own(app):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("own", ["contacts:read", "contacts:write"], reach="own")
    sanna = make_user("Sanna Aho", roles=("own",))
    make_contact("Pekka Virtanen", kind="person", emails=["pekka@kallio.example"])
    assert contacts_with_email("pekka@kallio.example", actor=sanna) == []


@pytest.mark.parametrize(
    ("typed", "most", "said"),
    [
        ("kallio", 1000, "3 contacts"),
        ("kallio", 2, "more than 2"),
        ("kallio", 0, "more than 0"),
        ("kallio vesi", 1000, "1 contact<"),
        ("kallio@", 1000, "3 contacts"),
        ("0401234", 1000, "3 contacts"),
    ],
)
def test_a_filter_counts_each_contact_once_and_none_in_the_trash(
    app, as_user, monkeypatch, typed, most, said
):
    monkeypatch.setattr(lists, "MOST_COUNTED", most)
    for number, name in enumerate(["Vesi", "Putki", "Sahko", "Gone"]):
        make_contact(
            f"Kallio {name} Kallioinen",
            emails=[f"kallio@{number}.example", f"kallioinen@{number}.example"],
            phones=[f"040 123 400{number}"],
        )
    with db.transaction() as session:
        gone = session.scalars(sa.select(Contact).where(Contact.name.contains("Gone")))
        gone.one().trashed_at = now()
    page = as_user(make_user()).get("/contacts", query_string={"q": typed}).text
    assert said in page
    assert "Gone" not in page


def test_what_was_changed_is_found_by_its_new_keys_alone(app, api):
    contact = make_contact("Old Name", emails=["old@kallio.example"], tags=["Retail"])
    client = api(make_user())
    changed = client.patch(
        f"/api/v1/contacts/{contact.id}",
        json={
            "name": "New Name",
            "emails": [{"address": "new@kallio.example"}],
            "tags": [],
        },
        headers={"If-Match": '"1"'},
    )
    assert changed.status_code == 200, changed.json

    def found(**asked):
        return len(client.get("/api/v1/contacts", query_string=asked).json["items"])

    assert (found(q="old"), found(q="new")) == (0, 1)
    assert (found(q="old@kallio.example"), found(q="new@kallio.example")) == (0, 1)
    assert (found(tag="retail"), found(q="name")) == (0, 1)


@pytest.mark.parametrize("text", NASTIEST)
def test_any_text_is_a_filter_and_only_that(as_user, text):
    # What is filtered by is written into the statement: it must come out as it went in.
    chief = make_user("Ada Admin", roles=["admin"])
    kept = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    make_contact(f"Kallio {kept[:60]}".strip(), kind="organisation")
    make_contact("Aalto Oy", kind="organisation")
    browser = as_user(chief)
    for query in ({"q": kept}, {"tag": kept}, {"q": f"Kallio {kept}"}):
        assert browser.get("/contacts", query_string=query).status_code == 200
    everybody = browser.get("/contacts").text
    assert "Aalto Oy" in everybody
    assert "Kallio" in everybody
    assert "Aalto Oy" not in browser.get("/contacts", query_string={"q": "kallio"}).text
