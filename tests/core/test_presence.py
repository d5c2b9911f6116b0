"""Presence: colleagues see who else has a record open, if they may open it too."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Event
from core.presence.models import Presence
from core.presence.services import CHANGED
from core.testing.factories import make_contact, make_user
from core.users.defaults import ROLES
from core.users.services import ensure_role
from core.worker import run_due_jobs


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Support"])


def say(browser, record, doing="open"):
    return browser.post("/presence", data={"about": record.ref, "doing": doing})


def seen(browser, record):
    answer = browser.get("/presence", query_string={"about": record.ref})
    assert answer.status_code == 200
    return answer.text


def told(user):
    """Count the changes of presence that the open pages of somebody hear of."""
    with db.read_only() as session:
        query = sa.select(sa.func.count(Event.id)).where(Event.type == CHANGED)
        return session.scalar(query)


def test_colleagues_see_who_is_there_and_who_writes(firm, anna, mika, as_user):
    hers, his = as_user(anna), as_user(mika)
    assert say(hers, firm).text.strip() == ""
    assert "Anna Laine is here" in say(his, firm).text
    assert "Mika Koski is here" in seen(hers, firm)
    assert "Mika Koski is writing…" not in seen(hers, firm)
    say(his, firm, "writing")
    assert "Mika Koski is writing…" in seen(hers, firm)
    say(his, firm)
    assert "Mika Koski is here" in seen(hers, firm)
    assert say(his, firm, "gone").status_code == 204
    assert "Mika" not in seen(hers, firm)


def test_three_are_named_and_the_others_counted(firm, anna, as_user):
    for name in ("Aino A", "Beata B", "Carl C", "Disa D"):
        say(as_user(make_user(name)), firm)
    assert "Aino A, Beata B, Carl C and 1 more are here" in seen(as_user(anna), firm)


def test_who_says_nothing_any_more_is_gone(firm, anna, mika, as_user, clock):
    say(as_user(mika), firm, "writing")
    clock.shift(60)
    assert "Mika Koski is here" in seen(as_user(anna), firm)
    clock.shift(240)
    assert "Mika" not in seen(as_user(anna), firm)


def test_who_may_not_see_the_record_learns_of_nobody(firm, anna, mika, as_user):
    say(as_user(anna), firm)
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    narrow = as_user(make_user("Nelli Narrow", roles=["narrow"]))
    outi = as_user(make_user("Outi Kallio", kind="customer", contact=firm))
    for browser in (narrow, outi):
        asked = browser.get("/presence", query_string={"about": firm.ref})
        assert asked.status_code == 404
        assert say(browser, firm).status_code == 404
    assert seen(as_user(mika), firm).count("avatar-here") == 1


def test_no_customer_hears_that_a_colleague_looks_at_something(
    firm, anna, mika, as_user, api
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    browsers = [api(one) for one in (outi, mika)]
    say(as_user(mika), firm)
    say(as_user(anna), firm)
    heard = []
    for browser in browsers:
        answer = browser.get("/api/v1/events?cursor=0.0&limit=100")
        assert answer.status_code == 200
        heard.append([one["type"] for one in answer.json["items"]])
    assert CHANGED not in heard[0]
    assert CHANGED in heard[1]


def test_who_keeps_it_to_themselves_is_not_seen_and_sees(firm, anna, mika, as_user):
    his, hers = as_user(mika), as_user(anna)
    assert "What colleagues see of you" in his.get("/me").text
    say(his, firm)
    assert his.post("/me/presence").status_code == 303
    assert "Mika" not in seen(hers, firm)
    say(hers, firm)
    assert "Anna Laine is here" in say(his, firm, "writing").text
    assert "Mika" not in seen(hers, firm)
    his.post("/me/presence", data={"shown": "1"})
    say(his, firm)
    assert "Mika Koski is here" in seen(hers, firm)


def test_pages_are_told_only_when_there_is_somebody_and_something_new(
    firm, anna, mika, as_user, deliver
):
    hers, his = as_user(anna), as_user(mika)
    say(hers, firm)
    say(hers, firm, "writing")
    assert told(anna) == 0
    say(his, firm)
    assert told(anna) == 1
    say(his, firm)
    assert told(anna) == 1
    say(his, firm, "writing")
    say(his, firm, "gone")
    say(his, firm, "gone")
    assert told(anna) == 3
    with db.read_only() as session:
        waiting = sa.select(sa.func.count(Delivery.id)).join(
            Event, Event.id == Delivery.event_id
        )
        assert session.scalar(waiting.where(Event.type == CHANGED)) == 0
        [actor] = session.scalars(
            sa.select(Event.actor_id).where(Event.type == CHANGED).distinct()
        )
        assert actor is None


def test_who_looked_at_what_is_forgotten_and_in_no_history(
    app, firm, anna, mika, as_user, clock
):
    say(as_user(anna), firm)
    say(as_user(mika), firm)
    history = as_user(anna).get(f"/contacts/{firm.id}/changes").text
    assert "came to a record" not in history
    run_due_jobs(app)
    clock.shift(3 * 3600)
    run_due_jobs(app)
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Presence)) == 0
    assert told(anna) == 0


def test_a_page_that_is_about_nothing_is_refused_with_words(anna, as_user):
    browser = as_user(anna)
    assert browser.post("/presence").status_code == 422
    wrong = {"about": "contact/1", "doing": "dancing"}
    assert browser.post("/presence", data=wrong).status_code == 422
    for about in ("nothing/1", "contact/999", "contact/99999999999999999999"):
        assert browser.post("/presence", data={"about": about}).status_code == 404


def test_a_sign_of_presence_costs_few_statements(
    firm, anna, mika, as_user, count_queries
):
    browser = as_user(anna)
    say(as_user(mika), firm)
    say(browser, firm)
    with count_queries() as counter:
        say(browser, firm)
    assert counter.count <= 8, counter.statements
