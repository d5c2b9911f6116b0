"""Texts become the same tokens in the index and in the query."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.search.analysis import GAP, Analyser, edges
from plugins.search.lemmas import LemmaDictionaries, MappedDictionary
from plugins.search.tokenising import (
    MAX_TOKEN,
    fold,
    identifier_forms,
    phone_forms,
    tokenise,
)


def kinds(text):
    return [(token.kind, token.text) for token in tokenise(text)]


def forms(text):
    return set().union(*(identifier_forms(token) for token in tokenise(text)))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Äiti", "aiti"),
        ("Straße", "strasse"),
        ("Ørsted", "orsted"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("ﬁlm", "film"),
        ("ＡＢＣ", "abc"),
        ("co\u00adoperate", "cooperate"),
        ("O'Brien", "obrien"),
        ("한국", "한국"),
        ("Ἀθῆναι", "αθηναι"),
    ],
)
def test_folding_removes_case_accents_and_forms(text, folded):
    assert fold(text) == folded


def test_addresses_numbers_and_codes_are_recognised_before_words():
    assert kinds("Mail a.b@x-y.co.uk, call +358 (0)40 123 4567 re INV-2026-1") == [
        ("word", "Mail"),
        ("email", "a.b@x-y.co.uk"),
        ("word", "call"),
        ("phone", "+358 (0)40 123 4567"),
        ("word", "re"),
        ("code", "INV-2026-1"),
    ]


def test_scripts_without_spaces_are_runs_even_beside_letters():
    assert kinds("Nokia公司 iPhone15을") == [
        ("word", "Nokia"),
        ("run", "公司"),
        ("code", "iPhone15"),
        ("run", "을"),
    ]


def test_an_ending_after_a_colon_belongs_to_the_abbreviation():
    assert kinds("EU:n ja Re:tarjous") == [
        ("word", "EU"),
        ("word", "ja"),
        ("word", "Re"),
        ("word", "tarjous"),
    ]


def test_a_token_knows_its_place_in_the_original():
    text = "Ｓoita\u00a0Müllerille 客户"
    assert [text[token.start : token.end] for token in tokenise(text)] == [
        "Ｓoita",
        "Müllerille",
        "客户",
    ]


@pytest.mark.parametrize(
    "number",
    ["+358 40 123 4567", "00358401234567", "+358 (0)40 1234567", "040-123 4567"],
)
def test_one_telephone_number_has_one_bare_form(number):
    assert "401234567" in phone_forms(number)


@pytest.mark.parametrize(
    ("number", "national"),
    [
        ("+46 8 123 45 67", "081234567"),
        ("+1 212 555 0100", "02125550100"),
        ("+49 30 901820", "030901820"),
        ("+372 123 4567", "01234567"),
    ],
)
def test_the_country_code_ends_where_the_plan_says(number, national):
    assert national in phone_forms(number)


def test_an_address_is_found_by_its_parts():
    assert forms("Jane.Doe@Acme.co.uk") >= {
        "jane.doe@acme.co.uk",
        "jane.doe",
        "acme.co.uk",
        "jane",
        "doe",
        "acme",
    }


def test_a_code_is_found_with_and_without_its_separators():
    assert forms("AB-1234/X") >= {"ab-1234/x", "ab1234x", "ab", "1234", "x"}
    assert forms("AB1234") >= {"ab1234", "ab", "1234"}


def test_a_long_number_is_found_by_its_end(analyser):
    tokens = analyser.document(title="", identifiers=["+358 40 123 4567"])
    assert {"~4567", "~34567", "~401234567"} <= tokens.ident
    assert "~567" not in tokens.ident


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asiakkaille", "asiakas"),
        ("sopimuksia", "sopimus"),
        ("kävimme", "käydä"),
        ("miehet", "mies"),
        ("contracts", "contract"),
        ("kunderna", "kund"),
        ("verträge", "vertrag"),
    ],
)
def test_inflections_share_a_stem(analyser, one, other):
    first = analyser.stems(one) | {fold(one)}
    second = analyser.stems(other) | {fold(other)}
    assert first & second


def test_common_words_leave_a_gap_in_the_body_but_not_in_the_title(analyser):
    tokens = analyser.document(title="The Who", body="one of the best")
    assert tokens.title == ("the", "who")
    assert tokens.surf == ("one", GAP, GAP, "best")


def test_codes_in_the_body_are_findable_but_no_identifier_of_the_record(analyser):
    tokens = analyser.document(title="Note", body="about INV-2026")
    assert "inv2026" in tokens.stem
    assert "inv2026" not in tokens.ident
    assert not {"in", "inv"} & tokens.edge


def test_single_characters_of_a_run_are_findable(analyser):
    assert {"客", "户"} <= analyser.document(title="", body="客户").stem


def test_beginnings_have_two_to_ten_characters():
    assert edges(["laskutusosoite", "a", "~4567", "oy"]) == {
        "laskutusosoite"[:length] for length in range(2, 11)
    } | {"oy"}


def test_the_version_tells_analysers_apart():
    plain = Analyser()
    assert plain.version == Analyser(languages=["sv", "de", "fi", "en"]).version
    assert plain.version != Analyser(languages=["en"]).version
    assert plain.version != Analyser(stop_words=["foo"]).version
    assert "-" not in plain.version


def test_a_language_without_a_stemmer_is_refused():
    with pytest.raises(ValueError, match="xx"):
        Analyser(languages=["en", "xx"])


def test_the_compact_dictionary_gives_the_same_answers(tmp_path, analyser):
    compact = Analyser(lemma_folder=tmp_path / "lemmas")
    compact.prepare()
    made = sorted(file.name for file in (tmp_path / "lemmas").iterdir())
    assert [name.partition("-")[0] for name in made] == ["de", "en", "fi", "sv"]
    assert all(name.endswith(".trie") for name in made)
    for word in [
        "asiakkaille",
        "sopimuksista",
        "kävimme",
        "xyzzy",
        "contracts",
        "bought",
        "böcker",
        "gekauft",
        "müller",
    ]:
        assert compact.stems(word) == analyser.stems(word)


def test_a_dictionary_that_becomes_compact_meanwhile_takes_the_plain_one_s_place(
    tmp_path,
):
    begun_before = LemmaDictionaries(tmp_path)
    assert begun_before.get_dictionary("en")["mice"] == "mouse"
    LemmaDictionaries(tmp_path).prepare("en")
    taken = begun_before.get_dictionary("en")
    assert isinstance(taken, MappedDictionary)
    assert taken["mice"] == "mouse"


def test_without_the_compact_dictionary_the_plain_one_serves(
    tmp_path, analyser, caplog
):
    (tmp_path / "file").write_text("in the way")
    blocked = Analyser(languages=["fi"], lemma_folder=tmp_path / "file")
    blocked.prepare()
    assert "could not be made compact" in caplog.text
    assert blocked.stems("asiakkaille") <= analyser.stems("asiakkaille")
    assert "asiakas" in blocked.stems("asiakkaille")


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_clean_tokens(analyser, text):
    tokens = analyser.document(title=text, identifiers=[text], body=text)
    for token in {*tokens.title, *tokens.surf, *tokens.ident, *tokens.edge}:
        assert not any(sign.isspace() for sign in token)
        assert len(token) <= MAX_TOKEN + 1
        token.encode()


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "a." * 100_000, "a@" * 100_000, "1 " * 100_000, "1-" * 100_000,
     "ab-12" * 40_000, "\u0300" * 200_000, "客" * 200_000, "'a" * 100_000],
)  # fmt: skip
@pytest.mark.timeout(20)
def test_no_text_takes_long_to_cut(text):
    assert sum(1 for _ in tokenise(text)) <= len(text)
