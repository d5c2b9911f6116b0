"""The words of the house: what means the same, and what says nothing."""

import pytest

from core import settings
from core.db import db
from core.errors import Invalid
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.search.indexing import rebuild

NOTES = {
    "pump": "They want heat pumps for six houses.",
    "pumppu": "Kysyivät lämpöpumpusta kahteen taloon.",
    "泵": "客户想要热泵的报价。",
    "apart": "The heat was bad, and so was the pump.",
    "valve": "Our valve leaks.",
    "house": "Kallio sells everything.",
}


@pytest.fixture
def search(app, api):
    """Search as a colleague in a house whose notes are known by short names."""
    firm = make_contact("Zacharias Putki Oy")
    anna = make_user("Anna Laine")
    known = {
        make_interaction(firm, author=anna, body=body).ref: name
        for name, body in NOTES.items()
    }
    rebuild()
    program = api(anna)

    def ask(text):
        answer = program.get("/api/v1/search", query_string={"q": text})
        assert answer.status_code == 200, answer.text
        return [
            known[one["ref"]] for one in answer.json["items"] if one["ref"] in known
        ]

    return ask


def save(**values):
    with db.transaction():
        settings.save("search", values)


@pytest.mark.parametrize("asked", ["heat pump", "Heat Pumps", "lämpöpumppu", "热泵"])
def test_what_means_the_same_is_found_in_whichever_word_was_typed(search, asked):
    before = search(asked)
    assert len(set(before) & {"pump", "pumppu", "泵"}) == 1
    save(synonyms=["heat pump, lämpöpumppu，热泵"])
    found = search(asked)
    assert set(found) >= {"pump", "pumppu", "泵"}
    assert found[0] in before
    save(synonyms=[])
    assert search(asked) == before


def test_what_was_typed_comes_before_what_means_the_same(search):
    save(synonyms=["venttiili, valve", "heat pump, lämpöpumppu, 热泵, big warm box"])
    assert search("lämpöpumppu")[0] == "pumppu"
    assert search("heat pump six")[0] == "pump"


def test_a_word_that_says_nothing_is_left_out_unless_it_is_all_there_is(search):
    assert "house" in search("kallio valve")
    save(stop_words=["Kallio"])
    assert search("kallio valve") == ["valve"]
    assert search("kallio") == ["house"]
    assert "house" not in search("valve -kallio")


@pytest.mark.parametrize(
    "line", ["", " , ，, ", "pump", "pump, pump", '"', "a,b,c,d", "-, type:note, *"]
)
def test_a_line_that_means_nothing_changes_nothing(search, line):
    before = search("pump")
    save(synonyms=[line], stop_words=[line if "pump" not in line else ","])
    assert search("pump") == before


def test_more_words_than_any_house_has_are_refused(app):
    with pytest.raises(Invalid):
        save(synonyms=["pump, pumppu"] * 501)
    with pytest.raises(Invalid):
        save(stop_words=["x" * 101])


def test_an_administrator_writes_them_on_the_page_of_settings(search, as_user):
    boss = as_user(make_user("Ad Min", roles=["admin"]))
    page = boss.get("/admin/settings/search").text
    assert "Words that mean the same" in page
    sent = {"synonyms": "heat pump, lämpöpumppu\r\nvalve, venttiili", "stop_words": ""}
    assert boss.post("/admin/settings/search", data=sent).status_code == 303
    assert "pumppu" in search("heat pump")
    assert "valve" in search("venttiili")
