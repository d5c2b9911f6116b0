"""Dossiers on paper: however much there is to say, all of it is printed."""

import pypdfium2
import pytest

from core.audiences import AudienceSpec
from core.testing.factories import make_contact, make_interaction, make_user
from tests.plugins.interactions.meeting_together import meet


def words(content):
    with pypdfium2.PdfDocument(content) as document:
        text = "\n".join(one.get_textpage().get_text_range() for one in document)
    return " ".join(text.split())


def test_a_meeting_of_a_hundred_people_is_printed_with_all_of_them(firm, anna, as_user):
    guests = [
        make_contact(f"Participant Number {n:03} Of The Hundred", kind="person")
        for n in range(100)
    ]
    meet(anna, [firm, *guests], "All came")
    answer = as_user(anna).get(f"/interactions/timeline/{firm.id}.pdf")
    assert answer.status_code == 200
    paper = words(answer.get_data())
    assert all(f"Participant Number {n:03} Of The Hundred" in paper for n in range(100))


def test_an_entry_for_a_hundred_colleagues_is_printed_with_all_their_names(
    firm, anna, as_user
):
    readers = [make_user(f"Colleague Number {n:03}").id for n in range(100)]
    only = AudienceSpec("private", users=frozenset({anna.id, *readers}))
    make_interaction(firm, author=anna, body="For many", audience=only)
    answer = as_user(anna).get(f"/interactions/timeline/{firm.id}.pdf")
    assert answer.status_code == 200
    paper = words(answer.get_data())
    assert "For many" in paper
    assert all(f"Colleague Number {n:03}" in paper for n in range(100))


@pytest.mark.parametrize("text", ["word ", "送货前请先打电话。"])
def test_the_longest_entry_is_printed_to_its_last_word(firm, anna, as_user, text):
    body = (text * 100_000)[:99_980] + " And the end 4711."
    make_interaction(firm, author=anna, body=body)
    answer = as_user(anna).get(f"/interactions/timeline/{firm.id}.pdf")
    paper = words(answer.get_data()).replace(" ", "")
    assert "Andtheend4711." in paper
    assert paper.count(text.strip()) >= 99_000 // len(text)
