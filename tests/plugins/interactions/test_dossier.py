"""The story of a contact to take along: on paper and for a program."""

from datetime import timedelta

import pypdfium2
import pytest

from core.audiences import AudienceSpec
from core.db import now
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.interactions import dossier


@pytest.fixture
def story(firm, anna):
    """One entry of each audience, the last one hidden from Anna."""
    mika = make_user("Mika Koski", teams=["Support"])
    other = make_contact("Byggnad Ab", roles=["customer"])
    readers = {
        "Sales alone": AudienceSpec("teams", teams=frozenset({anna.teams[0].id})),
        "All of us": AudienceSpec("staff"),
        "For you": AudienceSpec("shared", shared_with=frozenset({firm.id, other.id})),
        "Not for Anna": AudienceSpec("private", users=frozenset({mika.id})),
    }
    for body, audience in readers.items():
        author = mika if body == "Not for Anna" else anna
        make_interaction(firm, author=author, body=body, audience=audience)
    return readers


def words(answer):
    assert answer.mimetype == "application/pdf"
    with pypdfium2.PdfDocument(answer.get_data()) as document:
        text = "\n".join(one.get_textpage().get_text_range() for one in document)
    return " ".join(text.split())


def test_for_inside_it_is_all_that_its_reader_may_read(firm, story, anna, as_user):
    browser = as_user(anna)
    url = f"/interactions/timeline/{firm.id}"
    answer = browser.get(f"{url}.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    found = {one["body"]: one["audience"]["words"] for one in answer.json["entries"]}
    assert found["Sales alone"] == "Sales"
    assert found["All of us"] == "All colleagues"
    assert found.keys() == {"Sales alone", "All of us", "For you"}
    assert answer.json["complete"] is True
    paper = words(browser.get(f"{url}.pdf"))
    assert "Timeline of Kallion Vesijohto Oy" in paper
    assert "For colleagues only" in paper
    # The word of the audience stands at every entry.
    assert "All colleagues" in paper
    assert "Sales Sales alone" in paper
    assert "Not for Anna" not in paper


def test_for_outside_it_is_only_what_is_shared_and_names_nobody_else(
    firm, story, anna, as_user
):
    browser = as_user(anna)
    url = f"/interactions/timeline/{firm.id}"
    answer = browser.get(f"{url}.json?audience=shared")
    assert [one["body"] for one in answer.json["entries"]] == ["For you"]
    paper = words(browser.get(f"{url}.pdf?audience=shared"))
    assert "Only what is shared with Kallion Vesijohto Oy" in paper
    for text in (answer.text, paper):
        assert "Byggnad" not in text
        assert "All of us" not in text
        assert "Sales" not in text


def test_a_dossier_takes_the_filters_of_its_page(firm, story, anna, as_user):
    old = now() - timedelta(days=400)
    make_interaction(firm, author=anna, body="Long ago", occurred_at=old)
    day = old.date().isoformat()
    url = f"/interactions/timeline/{firm.id}.json?from={day}&to={day}"
    found = as_user(anna).get(url).json["entries"]
    assert [one["body"] for one in found] == ["Long ago"]


@pytest.mark.parametrize(
    "body",
    [
        "送货前请先打电话",
        "Ääkköset & <b>bold</b>",
        "\U0001f600 \x0c \u202e",
        "x" * 9000,
        "**",
    ],
)
def test_whatever_was_written_can_be_printed(firm, anna, as_user, body):
    make_interaction(firm, author=anna, body=body, subject=body[:300])
    answer = as_user(anna).get(f"/interactions/timeline/{firm.id}.pdf")
    assert answer.status_code == 200
    assert words(answer)


def test_an_empty_story_is_a_dossier_too(firm, anna, as_user):
    url = f"/interactions/timeline/{firm.id}"
    assert "There is no entry." in words(as_user(anna).get(f"{url}.pdf"))
    assert as_user(anna).get(f"{url}.json").json["entries"] == []


def test_what_is_too_long_to_wait_for_says_that_there_is_more(
    firm, anna, as_user, monkeypatch
):
    monkeypatch.setattr(dossier, "MOST", 3)
    monkeypatch.setattr(dossier, "AT_ONCE", 2)
    for n in range(5):
        make_interaction(firm, author=anna, body=f"No. {n}")
    url = f"/interactions/timeline/{firm.id}"
    found = as_user(anna).get(f"{url}.json").json
    assert len(found["entries"]) == 3
    assert found["complete"] is False
    assert "Only the latest 3 entries." in words(as_user(anna).get(f"{url}.pdf"))


def test_the_form_offers_both_and_works_without_scripts(firm, anna, as_user):
    page = as_user(anna).get(f"/interactions/timeline/{firm.id}/dossier").text
    assert f'action="/interactions/timeline/{firm.id}.pdf"' in page
    assert f'formaction="/interactions/timeline/{firm.id}.json"' in page
    assert "Dossier" in as_user(anna).get(f"/contacts/{firm.id}").text


def test_people_outside_have_no_dossier(firm, story, as_user):
    outi = as_user(make_user("Outi Kallio", kind="customer", contact=firm))
    for ending in (".json", ".pdf", "/dossier"):
        url = f"/interactions/timeline/{firm.id}{ending}"
        assert outi.get(url).status_code == 404
