"""Who is told of tickets: the one who owns it, and the customer who asked."""

import pytest

from core.db import db
from core.events import acting
from core.testing.factories import make_contact, make_user
from core.users.models import User
from plugins.support.models import Ticket
from plugins.support.services import change_ticket

ASK = {"subject": "Pallet broken", "body": "Two boxes are wet."}


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def people(app, firm):
    return {
        "outi": make_user("Outi Kallio", kind="customer", contact=firm),
        "sanna": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
        "anna": make_user("Anna Laine", roles=("sales",), teams=("Sales",)),
    }


def texts(client):
    found = client.get("/api/v1/notifications").json["items"]
    return [one["text"] for one in found]


def test_owner_and_customer_hear_of_each_other_once(people, api, deliver):
    outi, sanna, anna = (api(people[one]) for one in ("outi", "sanna", "anna"))
    ticket = outi.post("/api/v1/tickets", json=ASK).json
    number, address = ticket["number"], f"/api/v1/tickets/{ticket['id']}"
    with db.transaction() as session, acting(people["anna"].id):
        change_ticket(
            session.get_one(Ticket, ticket["id"]),
            actor=session.get_one(User, people["anna"].id),
            owner=session.get_one(User, people["sanna"].id),
        )
    deliver()
    assert texts(sanna) == [f"Yours now: #{number} Pallet broken"]
    assert texts(anna) == []
    said = {"kind": "reply", "body": "We send new ones."}
    assert sanna.post(f"{address}/messages", json=said).status_code == 201
    deliver()
    assert texts(outi) == [f"You have an answer: #{number} Pallet broken"]
    said = {"kind": "reply", "body": "Thank you."}
    assert outi.post(f"{address}/messages", json=said).status_code == 201
    deliver()
    assert texts(sanna)[0] == f"Kallion Vesijohto Oy answered: #{number} Pallet broken"
    assert len(texts(outi)) == 1


def test_a_note_between_colleagues_tells_the_customer_nothing(people, api, deliver):
    outi, sanna = api(people["outi"]), api(people["sanna"])
    ticket = outi.post("/api/v1/tickets", json=ASK).json
    said = {"kind": "note", "body": "Careful with them."}
    address = f"/api/v1/tickets/{ticket['id']}/messages"
    assert sanna.post(address, json=said).status_code == 201
    deliver()
    assert texts(outi) == []


def test_my_day_shows_mine_counts_nobodys_and_solved_is_taken_back(
    people, api, as_user, deliver
):
    outi = api(people["outi"])
    first = outi.post("/api/v1/tickets", json=ASK).json
    outi.post("/api/v1/tickets", json=ASK | {"subject": "Second"})
    browser = as_user(people["sanna"])
    assert "2 tickets without an owner" in browser.get("/").text
    address = f"/support/{first['number']}"
    browser.post(address, data={"take": "1"})
    page = browser.get("/").text
    assert "1 ticket without an owner" in page
    assert f"#{first['number']} Pallet broken" in page
    done = browser.post(address, data={"state": "solved", "from": "day"})
    assert done.location == "/"
    page = browser.get("/").text
    assert f"#{first['number']} is solved." in page
    number = page.split('action="/me/undo/')[1].split('"')[0]
    assert browser.post(f"/me/undo/{number}").status_code == 303
    assert f"#{first['number']} Pallet broken" in browser.get("/").text
    listed = browser.get("/support?view=unowned").text
    assert "Second" in listed
    assert "Pallet broken" not in listed
