"""Snippets show the passage that matters and mark what was searched for."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugins.search.planning import plan_query
from plugins.search.snippets import snippets
from plugins.search.tokenising import MAX_TOKEN


def marked(analyser, query, text, **options):
    pieces = snippets(text, plan_query(query, analyser, **options), analyser)
    return [piece.text for piece in pieces if piece.hit]


@pytest.mark.parametrize(
    ("query", "text", "hits"),
    [
        (
            "sopimus",
            "Uudet sopimukset ja sopimuksen liite",
            ["sopimukset", "sopimuksen"],
        ),
        ("contract", "The contracts, a CONTRACT.", ["contracts", "CONTRACT"]),
        ("muller", "Herr Müller rief an", ["Müller"]),
        ("客户", "北京市的客户管理系统", ["客户"]),
        ("客户管理", "北京市的客户管理系统和客户", ["客户管理"]),
        ("客", "北京市的客户", ["客"]),
        ("4567", "soita +358 40 123 4567 huomenna", ["+358 40 123 4567"]),
        ("0401234567", "soita +358 40 123 4567 huomenna", ["+358 40 123 4567"]),
        ("inv2026", "lasku INV-2026 liitteenä", ["INV-2026"]),
        ("jane", "kirjoita jane.doe@acme.com nyt", ["jane.doe@acme.com"]),
        ('"signed contract"', "a signed contract", ["signed", "contract"]),
        ("contract -draft", "the contract is no draft", ["contract"]),
        ("the contract", "the contract", ["contract"]),
        ("kunst", "kunderna", []),
    ],
)
def test_words_are_marked_in_every_form_the_index_finds(analyser, query, text, hits):
    assert marked(analyser, query, text) == hits


def test_the_beginning_of_a_word_being_typed_marks_the_word(analyser):
    assert marked(analyser, "virt", "Matti Virtanen", typing=True) == ["Virtanen"]


def test_without_a_hit_the_beginning_is_shown(analyser):
    text = "word " * 100
    pieces = snippets(text, plan_query("other", analyser), analyser, width=40)
    assert [piece.hit for piece in pieces] == [False, False]
    assert pieces[0].text.startswith("word word")
    assert pieces[-1].text == "…"


def test_the_passage_with_most_of_the_words_is_shown(analyser):
    text = "alpha " + "x " * 300 + "alpha beta gamma " + "y " * 300 + "beta"
    plan = plan_query("alpha beta gamma", analyser)
    pieces = snippets(text, plan, analyser, width=60)
    assert [piece.text for piece in pieces if piece.hit] == ["alpha", "beta", "gamma"]
    assert pieces[0].text == pieces[-1].text == "…"
    assert sum(len(piece.text) for piece in pieces) <= 64


def test_line_breaks_become_spaces(analyser):
    pieces = snippets("one\n\n\ttwo", plan_query("two", analyser), analyser)
    assert "".join(piece.text for piece in pieces) == "one two"


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(exclude_characters="…"), max_size=200),
    st.text(max_size=20),
    st.integers(1, 100),
)
def test_pieces_are_the_text_and_nothing_else(analyser, text, query, width):
    query = query + " " + text[50:60]
    pieces = snippets(text, plan_query(query, analyser), analyser, width=width)
    shown = "".join(piece.text for piece in pieces).strip("…")
    assert shown in re.sub(r"\s+", " ", text)
    assert len(shown) <= width + MAX_TOKEN
    assert all(piece.text for piece in pieces)


@settings(max_examples=300, deadline=None)
@given(
    st.text("aäAÄàbBæÆoOöst ſß-'._@12\u0308\n客", max_size=60),
    st.lists(st.text("abaeost", min_size=1, max_size=4), max_size=3),
)
@example("客B", ["b"])
def test_looking_only_around_likely_beginnings_misses_nothing(analyser, text, words):
    plan = plan_query(" ".join(words), analyser)
    # No word of an alphabet begins so: the whole text is cut into tokens.
    thorough = replace(plan, words=plan.words | {"~"})
    assert snippets(text, plan, analyser) == snippets(text, thorough, analyser)
