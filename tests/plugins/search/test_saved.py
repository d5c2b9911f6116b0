"""A colleague keeps a search and hears of what is new in it, but for what is hidden."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.search.indexing import rebuild
from plugins.search.models import SavedSearch
from plugins.search.saved import MOST, tell_news


@pytest.fixture
def house(app):
    firm = make_contact("Kallion Vesijohto Oy")
    anna, mika = make_user("Anna Laine"), make_user("Mika Koski")
    make_interaction(firm, author=mika, body="An old valve.")
    rebuild()
    return {"firm": firm, "anna": anna, "mika": mika}


def only():
    db.session.rollback()
    return db.session.scalars(sa.select(SavedSearch)).one()


def told(user):
    db.session.rollback()
    query = sa.select(Notification).where(
        Notification.user_id == user.id, Notification.kind == "search.news"
    )
    found = db.session.scalars(query.order_by(Notification.id))
    return [(one.text, one.url) for one in found]


def test_a_search_is_kept_found_again_and_forgotten(house, as_user):
    anna, mika = as_user(house["anna"]), as_user(house["mika"])
    assert "Keep this search" in anna.get("/search?q=valve").text
    sent = {"q": "valve", "type": "interaction"}
    assert anna.post("/search/saved", data=sent).status_code == 303
    assert anna.post("/search/saved", data=sent).status_code == 303
    page = anna.get("/search").text
    assert page.count("/search?q=valve&amp;type=interaction") == 1
    assert "Keep this search" not in anna.get("/search?q=valve&type=interaction").text
    assert "Kept searches" not in mika.get("/search").text
    number = only().id
    for act in ("forget", "news"):
        assert mika.post(f"/search/saved/{number}/{act}").status_code == 404
        assert anna.post(f"/search/saved/9{number}/{act}").status_code == 404
    assert anna.post(f"/search/saved/{number}/forget").status_code == 303
    assert "Kept searches" not in anna.get("/search").text


@pytest.mark.parametrize("text", ["", "   ", "x" * 401, "a\x00b"])
def test_what_is_no_search_is_refused(house, as_user, text):
    anna = as_user(house["anna"])
    assert anna.post("/search/saved", data={"q": text}).status_code == 422
    assert "Kept searches" not in anna.get("/search").text


def test_no_more_are_kept_than_anybody_reads(house, as_user):
    anna = as_user(house["anna"])
    for number in range(MOST):
        sent = {"q": f"valve {number}"}
        assert anna.post("/search/saved", data=sent).status_code == 303
    refused = anna.post("/search/saved", data={"q": "one more"})
    assert refused.status_code == 422
    assert "Forget one first" in refused.text


def test_new_hits_are_told_once_and_those_of_others_never(
    house, as_user, deliver, clock
):
    anna = as_user(house["anna"])
    anna.post("/search/saved", data={"q": "valve", "news": "1"})
    tell_news()
    assert told(house["anna"]) == []
    private = AudienceSpec("private", users=frozenset({house["mika"].id}))
    firm, mika = house["firm"], house["mika"]
    make_interaction(firm, author=mika, body="My valve.", audience=private)
    make_interaction(firm, author=mika, body="A pump.")
    deliver()
    tell_news()
    assert told(house["anna"]) == []
    make_interaction(firm, author=mika, body="Another valve leaks.")
    deliver()
    clock.shift(timedelta(minutes=15))
    for _time in range(3):
        tell_news()
        clock.shift(timedelta(minutes=15))
    [(words, address)] = told(house["anna"])
    assert words.startswith("New for “valve”: ")
    assert "sort=new" in address
    assert re.search("Another .*leaks", anna.get(address).text)
    for number in range(3):
        make_interaction(firm, author=mika, body=f"Valve {number} again.")
    deliver()
    tell_news()
    assert [words for words, _ in told(house["anna"])][1:] == ["3 new hits for “valve”"]
    assert told(mika) == []


def test_who_wants_no_news_any_more_hears_of_none(house, as_user, deliver):
    anna = as_user(house["anna"])
    anna.post("/search/saved", data={"q": "valve", "news": "1"})
    anna.post(f"/search/saved/{only().id}/news")
    make_interaction(house["firm"], author=house["mika"], body="A new valve.")
    deliver()
    tell_news()
    assert told(house["anna"]) == []
    # From when they want to know again, not before.
    anna.post(f"/search/saved/{only().id}/news", data={"wanted": "1"})
    tell_news()
    assert told(house["anna"]) == []


def test_people_outside_keep_no_searches(house, as_user):
    outi = as_user(make_user("Outi Kallio", kind="customer", contact=house["firm"]))
    assert "Keep this search" not in outi.get("/search?q=valve").text
    assert outi.post("/search/saved", data={"q": "valve"}).status_code == 404
