"""Whatever is typed has a plan, and the plan asks for no more than it should."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.search.backend import Clause
from plugins.search.planning import MAX_GROUPS, MAX_QUERY, plan_query


def clauses(plan):
    return {clause for group in plan.groups for clause in group}


def test_words_are_one_group_each(analyser):
    assert len(plan_query("signed contract", analyser).groups) == 2


def test_the_same_word_twice_is_one_group(analyser):
    assert len(plan_query("foo foo", analyser).groups) == 1


def test_common_words_are_dropped_unless_there_is_nothing_else(analyser):
    assert len(plan_query("the contract", analyser).groups) == 1
    assert len(plan_query("the and", analyser).groups) == 2


def test_only_the_word_being_typed_is_a_beginning(analyser):
    plan = plan_query("contract vir", analyser, typing=True)
    assert {c.tokens for c in clauses(plan) if c.field == "edge"} == {("vir",)}
    finished = plan_query("contract vir ", analyser, typing=True)
    assert not [clause for clause in clauses(finished) if clause.field == "edge"]


def test_a_phrase_keeps_its_gaps(analyser):
    plan = plan_query('"terms of the contract"', analyser)
    assert clauses(plan) == {
        Clause("surf", ("terms", "", "", "contract"), 1.0, "phrase")
    }


def test_a_minus_excludes_words_and_phrases(analyser):
    plan = plan_query('a1 -draft -"old text"', analyser)
    assert len(plan.groups) == 1
    assert len(plan.excluded) == 2
    assert "draft" not in plan.words


def test_a_hyphen_inside_a_word_excludes_nothing(analyser):
    assert plan_query("tax-free", analyser).excluded == ()


@pytest.mark.parametrize(
    "text", ["", "   ", "-", '"', '""', "- - -", "!?", "\0", "\ud800"]
)
def test_a_query_without_words_has_an_empty_plan(analyser, text):
    plan = plan_query(text, analyser, typing=True)
    assert plan.groups == ()
    assert plan.excluded == ()


def test_a_long_query_is_read_in_part(analyser):
    plan = plan_query("word " * 20_000 + " ".join(map(str, range(5000))), analyser)
    assert len(plan.groups) == 1
    many = plan_query(" ".join(f"w{n}x" for n in range(500)), analyser)
    assert 1 < len(many.groups) <= MAX_GROUPS
    assert MAX_QUERY < 1000


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet='ab1 -+"().@/*?:~客äß\u0301\u200b[]{}^\\', max_size=60),
    ),
    st.booleans(),
)
def test_every_text_has_a_plan(analyser, text, typing):
    plan = plan_query(text, analyser, typing=typing)
    for clause in clauses(plan):
        assert any(clause.tokens)
        for token in clause.tokens:
            assert " " not in token
            token.encode()
