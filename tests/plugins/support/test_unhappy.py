"""Which customers are unhappy with us, and who is told: my day, the hand-over."""

from datetime import timedelta

import pytest

from core.contacts.models import Contact
from core.db import db
from core.testing.factories import make_contact, make_user
from plugins.support.models import Ticket

pytestmark = pytest.mark.soak_on_postgresql

ASK = {"subject": "Pallet broken", "body": "Two boxes are wet."}


@pytest.fixture
def people(app):
    anna = make_user("Anna Laine", teams=["Sales"])
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"], owner=anna.id)
    return {
        "anna": anna,
        "kallio": kallio,
        "mika": make_user("Mika Koski", teams=["Sales"]),
        "agent": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
        "outi": make_user("Outi Kallio", kind="customer", contact=kallio),
    }


@pytest.fixture
def ticket(people, api):
    """What a customer asked; Sanna looks after it."""
    made = api(people["outi"]).post("/api/v1/tickets", json=ASK).json
    with db.transaction() as session:
        session.get_one(Ticket, made["id"]).owner_id = people["agent"].id
    return made


def change(client, ticket, **sent):
    place = f"/api/v1/tickets/{ticket['id']}"
    match = {"If-Match": client.get(place).headers["ETag"]}
    answer = client.patch(place, json=sent, headers=match)
    assert answer.status_code == 200, answer.text


def say(client, ticket, body="We look into it."):
    said = {"kind": "reply", "body": body}
    answer = client.post(f"/api/v1/tickets/{ticket['id']}/messages", json=said)
    assert answer.status_code == 201, answer.text


def test_a_late_answer_makes_a_ticket_unhappy_for_its_owner_and_the_customers(
    people, ticket, as_user, clock
):
    def days():
        return [as_user(people[one]).get("/").text for one in ("agent", "anna", "mika")]

    assert not any("Unhappy" in one for one in days())
    clock.shift(timedelta(days=3))
    agent, owner, other = days()
    why = "Unhappy: waits for an answer for 3 days"
    assert why in agent
    assert why in owner
    assert "with Sanna Aalto" in owner
    assert "with Sanna Aalto" not in agent
    assert "Pallet broken" not in other


def test_an_answer_makes_them_happy_again_until_they_wait_anew(
    people, ticket, api, as_user, clock
):
    clock.shift(timedelta(days=3))
    say(api(people["agent"]), ticket)
    assert "Unhappy" not in as_user(people["anna"]).get("/").text
    say(api(people["outi"]), ticket, "And?")
    clock.shift(timedelta(hours=23))
    say(api(people["outi"]), ticket, "Hello?")
    clock.shift(timedelta(hours=2))
    page = as_user(people["anna"]).get("/").text
    assert "waits for an answer for 25 hours" in page


def test_a_ticket_that_is_opened_again_is_unhappy_until_it_is_solved(
    people, ticket, api, as_user
):
    agent = api(people["agent"])
    change(agent, ticket, state="solved")
    say(api(people["outi"]), ticket, "It broke again.")
    browser = as_user(people["anna"])
    assert "Unhappy: opened again after it was solved" in browser.get("/").text
    change(agent, ticket, state="solved")
    assert "Unhappy" not in browser.get("/").text


def test_one_that_is_open_for_too_long_is_unhappy(people, ticket, api, as_user, clock):
    clock.shift(timedelta(days=20))
    say(api(people["agent"]), ticket)
    change(api(people["agent"]), ticket, state="open")
    page = as_user(people["anna"]).get("/").text
    assert "Unhappy: not solved for 20 days" in page


def test_a_hand_over_names_the_unhappy_tickets_first_and_why(
    people, ticket, api, as_user, clock
):
    fine = api(people["agent"]).post(
        "/api/v1/tickets",
        json=ASK | {"contact": people["kallio"].id, "subject": "Invoice"},
    )
    assert fine.status_code == 201
    say(api(people["agent"]), fine.json)
    clock.shift(timedelta(days=2))
    browser = as_user(people["anna"])
    page = browser.get(f"/hand-overs/new?contact={people['kallio'].id}").text
    assert "Unhappy: waits for an answer for 2 days" in page
    assert page.count("Unhappy") == 1
    assert page.index("Pallet broken") < page.index("Invoice")
    given = {"contact": people["kallio"].id, "receiver": people["mika"].id}
    answer = api(people["anna"]).post("/api/v1/hand-overs", json=given)
    why = [one["unhappy"] for one in answer.json["items"]]
    assert why[0] == "waits for an answer for 2 days"
    assert not any(why[1:])
    shown = as_user(people["mika"]).get(f"/hand-overs/{answer.json['id']}").text
    assert "Unhappy: waits for an answer for 2 days" in shown


def test_unhappiness_with_a_ticket_one_may_not_read_is_told_to_nobody(
    people, api, as_user, clock
):
    secret = {"contact": people["kallio"].id, "audience": "teams", "teams": ["Support"]}
    answer = api(people["agent"]).post("/api/v1/tickets", json=ASK | secret)
    assert answer.status_code == 201, answer.text
    clock.shift(timedelta(days=3))
    browser = as_user(people["anna"])
    assert "Unhappy" in as_user(people["agent"]).get("/").text
    assert "Unhappy" not in browser.get("/").text
    page = browser.get(f"/hand-overs/new?contact={people['kallio'].id}").text
    assert "Unhappy" not in page
    with db.read_only() as session:
        assert session.get_one(Contact, people["kallio"].id).owner_id
