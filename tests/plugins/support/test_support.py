"""Tickets: the customer reads what is meant for them, and nothing else."""

import pytest

from core.testing.factories import make_contact, make_user

ASK = {"subject": "Pallet broken", "body": "Two boxes are wet."}


@pytest.fixture
def people(app):
    """A customer with an account, another customer, an agent and a sales rep."""
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    return {
        "kallio": kallio,
        "other": other,
        "outi": make_user("Outi Kallio", kind="customer", contact=kallio),
        "tapio": make_user("Tapio Tapio", kind="customer", contact=other),
        "agent": make_user("Sanna Aalto", roles=("support",), teams=("Support",)),
        "rep": make_user("Anna Laine", roles=("sales",), teams=("Sales",)),
    }


def opened(client, **more):
    answer = client.post("/api/v1/tickets", json=ASK | more)
    assert answer.status_code == 201, answer.json
    return answer.json


def test_a_customer_asks_and_every_colleague_sees_it(people, api):
    ticket = opened(api(people["outi"]))
    assert ticket["contact"] == people["kallio"].id
    assert ticket["body"] == ASK["body"]
    assert ticket["state"] == "open"
    seen = api(people["rep"]).get(f"/api/v1/tickets/{ticket['id']}")
    assert seen.json["subject"] == ASK["subject"]
    assert seen.headers["ETag"] == f'"{seen.json["version"]}"'


def test_another_customers_ticket_is_not_found_by_page_and_api(people, api, as_user):
    ticket = opened(api(people["outi"]))
    stranger = api(people["tapio"])
    address = f"/api/v1/tickets/{ticket['id']}"
    assert stranger.get(address).status_code == 404
    assert stranger.patch(address, json={"state": "solved"}).status_code == 404
    assert stranger.get(f"{address}/messages").status_code == 404
    said = {"kind": "reply", "body": "x"}
    assert stranger.post(f"{address}/messages", json=said).status_code == 404
    assert stranger.get("/api/v1/tickets").json["items"] == []
    page = as_user(people["tapio"])
    number = ticket["number"]
    assert page.get(f"/portal/messages/{number}").status_code == 404
    assert page.get(f"/support/{number}/thread").status_code == 404
    assert page.get(f"/support/{number}").status_code == 404


def test_a_customer_cannot_open_a_ticket_about_somebody_else(people, api):
    sent = ASK | {"contact": people["other"].id}
    assert api(people["outi"]).post("/api/v1/tickets", json=sent).status_code == 404


def test_an_internal_note_and_a_public_reply_never_mix(people, api, as_user):
    ticket = opened(api(people["outi"]))
    agent = as_user(people["agent"])
    page = f"/support/{ticket['number']}"
    note = {"answer": "note", "body": "They always say that."}
    reply = {"answer": "reply", "body": "A new pallet leaves today."}
    assert agent.post(f"{page}/answer", data=note).status_code == 303
    assert agent.post(f"{page}/answer", data=reply).status_code == 303
    seen = as_user(people["outi"]).get(f"/portal/messages/{ticket['number']}").text
    assert "A new pallet leaves today." in seen
    assert "They always say that." not in seen
    address = f"/api/v1/tickets/{ticket['id']}/messages"
    bodies = [one["body"] for one in api(people["outi"]).get(address).json]
    assert bodies == [ASK["body"], "A new pallet leaves today."]
    mine = [one["body"] for one in api(people["agent"]).get(address).json]
    assert "They always say that." in mine


def test_nothing_is_open_until_reply_or_note_is_chosen(people, api, as_user):
    ticket = opened(api(people["outi"]))
    agent = as_user(people["agent"])
    page = f"/support/{ticket['number']}"
    assert "<textarea" not in agent.get(page).text
    refused = agent.post(f"{page}/answer", data={"body": "For whom is this?"})
    assert refused.status_code == 422


def test_a_ticket_of_ours_opens_to_the_customer_with_the_first_reply(people, api):
    agent = api(people["agent"])
    ticket = opened(agent, contact=people["kallio"].id, subject="Slow payer, careful")
    address = f"/api/v1/tickets/{ticket['id']}"
    outi = api(people["outi"])
    assert outi.get(address).status_code == 404
    agent.post(f"{address}/messages", json={"kind": "reply", "body": "Hello Outi."})
    assert outi.get(address).json["body"] == "Hello Outi."
    assert api(people["tapio"]).get(address).status_code == 404


def test_the_reply_form_says_who_outside_will_read_it(people, api, as_user):
    ticket = opened(api(people["outi"]))
    page = as_user(people["agent"]).get(f"/support/{ticket['number']}?answer=reply")
    assert "Outi Kallio (Kallion Vesijohto Oy)" in page.text
    assert "Send to 1 person outside" in page.text


def test_the_message_is_on_the_customers_timeline(people, api):
    opened(api(people["outi"]))
    timeline = api(people["rep"]).get(
        f"/api/v1/contacts/{people['kallio'].id}/timeline"
    )
    assert [one["body"] for one in timeline.json["items"]] == [ASK["body"]]


def test_an_answer_moves_the_ticket_and_solved_can_be_opened_again(
    people, api, as_user
):
    ticket = opened(api(people["outi"]))
    agent = as_user(people["agent"])
    page = f"/support/{ticket['number']}"
    agent.post(f"{page}/answer", data={"answer": "reply", "body": "Which pallet?"})
    state = f"/api/v1/tickets/{ticket['id']}"
    assert api(people["rep"]).get(state).json["state"] == "waiting"
    as_user(people["outi"]).post(
        f"/portal/messages/{ticket['number']}", data={"body": "The blue one."}
    )
    assert api(people["rep"]).get(state).json["state"] == "open"
    agent.post(page, data={"state": "solved"})
    assert api(people["rep"]).get(state).json["state"] == "solved"
    agent.post(page, data={"state": "open"})
    assert api(people["rep"]).get(state).json["state"] == "open"


def test_a_change_needs_the_version_it_changes(people, api):
    ticket = opened(api(people["outi"]))
    agent = api(people["agent"])
    address = f"/api/v1/tickets/{ticket['id']}"
    assert agent.patch(address, json={"state": "solved"}).status_code == 428
    stale = {"If-Match": '"99"'}
    assert (
        agent.patch(address, json={"state": "solved"}, headers=stale).status_code == 412
    )
    fresh = {"If-Match": f'"{ticket["version"]}"'}
    assert (
        agent.patch(address, json={"state": "solved"}, headers=fresh).status_code == 200
    )


def test_a_ticket_sent_twice_with_one_key_is_opened_once(people, api):
    outi = api(people["outi"])
    key = {"Idempotency-Key": "abc"}
    first = outi.post("/api/v1/tickets", json=ASK, headers=key)
    again = outi.post("/api/v1/tickets", json=ASK, headers=key)
    assert first.json == again.json
    assert len(outi.get("/api/v1/tickets").json["items"]) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"subject": "", "body": "x"}, "subject"),
        ({"subject": "x", "body": "  "}, "body"),
        ({"subject": "x"}, "body"),
        ({"subject": "x", "body": "y", "contact": "z"}, "contact"),
        ({"subject": "x", "body": "y", "colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(people, api, sent, field):
    answer = api(people["agent"]).post("/api/v1/tickets", json=sent)
    assert answer.status_code == 422
    assert field in answer.json["errors"]


def test_a_form_that_is_refused_keeps_what_was_typed(people, as_user):
    agent = as_user(people["agent"])
    form = {"contact": people["kallio"].id, "subject": "", "body": "<b>Long</b> story"}
    answer = agent.post("/support/new", data=form)
    assert answer.status_code == 422
    assert "&lt;b&gt;Long&lt;/b&gt; story" in answer.text
    assert "Say in a few words what it is about." in answer.text


def test_the_lists_go_page_by_page(people, api):
    outi = api(people["outi"])
    for number in range(5):
        opened(outi, subject=f"Question {number}")
    seen, address = [], "/api/v1/tickets?limit=2"
    while address:
        answer = outi.get(address)
        seen += [one["subject"] for one in answer.json["items"]]
        token = answer.json["next"]
        address = f"/api/v1/tickets?limit=2&cursor={token}" if token else None
    assert seen == [f"Question {number}" for number in (4, 3, 2, 1, 0)]


def test_tickets_stand_on_the_contact_page_my_day_and_the_list(people, api, as_user):
    ticket = opened(api(people["outi"]))
    agent = as_user(people["agent"])
    for address in (f"/contacts/{people['kallio'].id}", "/support"):
        assert "Pallet broken" in agent.get(address).text, address
    day = agent.get("/").text
    assert "1 ticket without an owner" in day
    assert "Pallet broken" not in day
    taken = agent.post(f"/support/{ticket['number']}", data={"take": "1"})
    assert taken.status_code == 303
    day = agent.get("/").text
    assert "Pallet broken" in day
    assert "without an owner" not in day
