"""A reply on a ticket waits before the customer sees it, and can be taken back."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.testing.factories import make_contact, make_user
from plugins.support.models import Message, Ticket

ASK = {"subject": "Pallet broken", "body": "Two boxes are wet."}
WORDS = "We send new ones."
WAITS = "not outside yet"


@pytest.fixture
def app_config():
    return {"MAIL_PORTAL_HOLD_SECONDS": 60}


@pytest.fixture
def people(app):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    return {
        "firm": firm,
        "outi": make_user("Outi Kallio", kind="customer", contact=firm),
        "sanna": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
    }


def texts(client):
    found = client.get("/api/v1/notifications").json["items"]
    return [one["text"] for one in found]


def replies(browser, number):
    sent = {"answer": "reply", "body": WORDS}
    return browser.post(f"/support/{number}/answer", data=sent, follow_redirects=True)


def last_entry():
    query = sa.select(Message.interaction_id).order_by(Message.interaction_id.desc())
    with db.read_only() as session:
        return session.scalars(query.limit(1)).one()


def state_of(number):
    with db.read_only() as session:
        found = session.scalars(sa.select(Ticket).where(Ticket.number == number))
        one = found.unique().one()
        return one.state, one.asked_at is not None, one.audience.kind


def test_the_customer_sees_and_hears_of_a_reply_when_it_is_over(
    people, api, as_user, deliver, clock
):
    outi, sanna = api(people["outi"]), as_user(people["sanna"])
    ticket = outi.post("/api/v1/tickets", json=ASK).json
    deliver()
    cursor = outi.get("/api/v1/events").json["cursor"]
    address = f"/api/v1/tickets/{ticket['id']}/messages"
    assert "Goes to 1 person outside in" in replies(sanna, ticket["number"]).text
    deliver()
    assert WORDS not in outi.get(address).text
    assert WAITS in sanna.get(f"/support/{ticket['number']}").text
    assert WAITS in sanna.get(f"/contacts/{people['firm'].id}").text
    assert texts(outi) == []
    assert outi.get(f"/api/v1/events?cursor={cursor}").json["items"] == []
    clock.shift(61)
    assert WORDS in outi.get(address).text
    assert WAITS not in sanna.get(f"/support/{ticket['number']}").text
    assert WAITS not in sanna.get(f"/contacts/{people['firm'].id}").text
    deliver()
    deliver()
    assert texts(outi) == [f"You have an answer: #{ticket['number']} Pallet broken"]
    assert outi.get(f"/api/v1/events?cursor={cursor}").json["items"]


def test_taken_back_its_words_return_and_the_ticket_waits_for_an_answer(
    people, api, as_user, deliver, clock
):
    outi, sanna = api(people["outi"]), as_user(people["sanna"])
    number = outi.post("/api/v1/tickets", json=ASK).json["number"]
    replies(sanna, number)
    assert state_of(number) == ("waiting", False, "shared")
    undone = sanna.post(f"/support/{number}/take-back/{last_entry()}")
    assert undone.status_code == 303
    assert WORDS in sanna.get(undone.location).text
    assert state_of(number) == ("open", True, "shared")
    clock.shift(61)
    deliver()
    assert texts(outi) == []
    assert WORDS not in outi.get("/api/v1/interactions").text


def test_the_customer_sees_the_ticket_as_it_was_until_they_see_the_answer(
    people, api, as_user, clock
):
    outi, sanna = api(people["outi"]), as_user(people["sanna"])
    portal = as_user(people["outi"])
    made = outi.post("/api/v1/tickets", json=ASK).json

    def seen():
        """The state of the ticket on every door, and in which lists it is."""
        number = made["number"]
        pages = [
            portal.get(f"/portal/messages{one}").text for one in ("", f"/{number}")
        ]
        state = outi.get(f"/api/v1/tickets/{made['id']}").json["state"]
        lists = {
            one: len(outi.get(f"/api/v1/tickets?state={one}").json["items"])
            for one in ("open", "waiting")
        }
        waits = ["Waiting" in page for page in pages]
        return state, waits, lists

    before = ("open", [False, False], {"open": 1, "waiting": 0})
    after = ("waiting", [True, True], {"open": 0, "waiting": 1})
    assert seen() == before
    replies(sanna, made["number"])
    inside = api(people["sanna"]).get(f"/api/v1/tickets/{made['id']}").json
    assert inside["state"] == "waiting"
    assert seen() == before
    replies(sanna, made["number"])
    clock.shift(59)
    assert seen() == before
    clock.shift(2)
    assert seen() == after


def test_a_ticket_of_the_house_stays_inside_until_its_first_reply_is_open(
    people, api, as_user, deliver, clock
):
    outi, browser = api(people["outi"]), as_user(people["sanna"])
    ask = ASK | {"contact": people["firm"].id}
    made = api(people["sanna"]).post("/api/v1/tickets", json=ask).json
    address, number = f"/api/v1/tickets/{made['id']}", made["number"]
    replies(browser, number)
    deliver()
    assert outi.get(address).status_code == 404
    assert browser.post(f"/support/{number}/take-back/{last_entry()}").status_code == (
        303
    )
    assert state_of(number)[2] != "shared"
    replies(browser, number)
    clock.shift(61)
    assert outi.get(address).status_code == 200
