"""A customer is handed over: what goes along, who acknowledges it, who sees it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.exporting import export_kinds, export_rows
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User, UserDeputy
from core.users.services import ensure_role
from core.worker import run_due_jobs
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.hand_overs.models import HandOver
from tests.core.contacts.reading import words_of


@pytest.fixture
def mika(app):
    return make_user("Mika Koski")


@pytest.fixture
def firm(anna):
    given = {"know_first": "Deliver before ten", "next_step": "Call about windows"}
    return make_contact("Kallio Oy", owner=anna.id, roles=["customer"], **given)


def remind(client, **given):
    due = {"due_at": (now() + timedelta(days=2)).isoformat()}
    answer = client.post("/api/v1/follow-ups", json=due | given)
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


def give(browser, firm, receiver, **more):
    given = {"contact": firm.id, "receiver": receiver.id, **more}
    answer = browser.post("/hand-overs", data=given)
    assert answer.status_code == 303, answer.text
    return answer.location


def only(model):
    db.session.rollback()
    return db.session.scalars(sa.select(model)).all()


def told(user):
    db.session.rollback()
    query = sa.select(Notification.text).where(Notification.user_id == user.id)
    return list(db.session.scalars(query.order_by(Notification.id)))


def buttons(page, address):
    return [part.split('"')[0] for part in page.split(f'action="{address}/items/')[1:]]


def test_a_customer_goes_to_a_colleague_with_everything_that_is_open(
    firm, anna, mika, as_user, api, deliver
):
    remind(api(anna), contact=firm.id, text="Send the drawings")
    ticket = {"contact": firm.id, "subject": "Loud pump", "body": "It is loud."}
    ticket |= {"audience": "staff"}
    assert api(anna).post("/api/v1/tickets", json=ticket).status_code == 201
    giving = as_user(anna)
    assert (
        f"/hand-overs/new?contact={firm.id}" in giving.get(f"/contacts/{firm.id}").text
    )
    form = words_of(giving.get(f"/hand-overs/new?contact={firm.id}").text)
    assert "Send the drawings" in form
    assert "Loud pump" in form
    page = give(giving, firm, mika, word="Outi likes **short** calls.")
    deliver()
    assert told(mika).count("Anna Laine made you the owner of Kallio Oy.") == 1
    assert not [one for one in told(mika) if one.startswith("Yours now")]
    with db.read_only() as session:
        assert session.get_one(Contact, firm.id).owner_id == mika.id
    assert [one.owner_id for one in only(FollowUp)] == [mika.id]
    seen = as_user(mika).get(page).text
    for words in ("<strong>short</strong>", "Deliver before ten", "Call about windows"):
        assert words in seen
    assert "Send the drawings" in seen
    assert "Loud pump" in seen
    assert len(buttons(seen, page)) == 5


def test_each_item_is_acknowledged_and_both_see_how_far_it_is(
    firm, anna, mika, as_user, deliver
):
    giving, taking = as_user(anna), as_user(mika)
    page = give(giving, firm, mika)
    assert "Kallio Oy from Anna Laine" in words_of(taking.get("/").text)
    assert "Mika Koski has not looked at everything" in words_of(giving.get("/").text)
    said = "Handed from Anna Laine to Mika Koski"
    assert said in words_of(taking.get(f"/contacts/{firm.id}").text)
    first, second = buttons(taking.get(page).text, page)
    assert buttons(giving.get(page).text, page) == []
    assert giving.post(f"{page}/items/{first}").status_code == 403
    taking.post(f"{page}/items/{first}")
    assert buttons(taking.get(page).text, page) == [second]
    assert "1 to look at" in words_of(giving.get(page).text)
    taking.post(f"{page}/items/{second}")
    deliver()
    assert told(anna) == ["Mika Koski has taken over Kallio Oy"]
    assert said not in words_of(giving.get(f"/contacts/{firm.id}").text)
    assert "Handed over" not in words_of(taking.get("/").text)
    assert "All looked at" in words_of(giving.get(page).text)


def test_what_is_private_is_not_handed_over(firm, anna, mika, as_user, api):
    spec = AudienceSpec("private", users=frozenset({anna.id}))
    entry = make_interaction(firm, author=anna, audience=spec)
    kept = remind(api(anna), interaction=entry.id, text="Between us")
    page = give(as_user(anna), firm, mika)
    [row] = only(FollowUp)
    assert (row.id, row.owner_id) == (kept, anna.id)
    assert "Between us" not in as_user(mika).get(page).text
    assert len(only(HandOver)[0].items) == 2


def test_what_its_reader_may_not_see_is_left_out_of_a_hand_over(
    firm, anna, mika, as_user, api
):
    spec = AudienceSpec("private", users=frozenset({anna.id, mika.id}))
    entry = make_interaction(firm, author=anna, audience=spec)
    remind(api(anna), interaction=entry.id, text="For the two of us")
    page = give(as_user(anna), firm, mika)
    assert "For the two of us" in as_user(mika).get(page).text
    other = as_user(make_user("Olli Outside")).get(page)
    assert other.status_code == 200
    assert "For the two of us" not in other.text
    assert "2 to look at" in words_of(other.text)
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    assert as_user(outi).get(page).status_code == 404


def test_who_stands_in_takes_over_for_a_colleague(firm, anna, mika, as_user):
    olli, today = make_user("Olli Outside"), now().date()
    with db.transaction() as session:
        line = {"user_id": mika.id, "deputy_id": olli.id}
        session.add(UserDeputy(**line, from_on=today, until_on=today))
    page = give(as_user(anna), firm, mika)
    browser = as_user(olli)
    assert "Take over" in browser.get("/").text
    one = buttons(browser.get(page).text, page)[0]
    assert browser.post(f"{page}/items/{one}").status_code == 303


def test_who_stands_in_and_sees_less_does_not_end_it_for_their_colleague(
    firm, anna, mika, as_user, api
):
    olli, today = make_user("Olli Outside"), now().date()
    with db.transaction() as session:
        line = {"user_id": mika.id, "deputy_id": olli.id}
        session.add(UserDeputy(**line, from_on=today, until_on=today))
    spec = AudienceSpec("private", users=frozenset({anna.id, mika.id}))
    entry = make_interaction(firm, author=anna, audience=spec)
    remind(api(anna), interaction=entry.id, text="For the two of us")
    page = give(as_user(anna), firm, mika)
    standing_in = as_user(olli)
    for item in buttons(standing_in.get(page).text, page):
        assert standing_in.post(f"{page}/items/{item}").status_code == 303
    assert only(HandOver)[0].finished_at is None
    taking = as_user(mika)
    [left] = buttons(taking.get(page).text, page)
    taking.post(f"{page}/items/{left}")
    assert only(HandOver)[0].finished_at is not None


def test_a_hand_over_ends_when_its_last_thing_is_put_away_otherwise(
    app, firm, anna, mika, as_user, api, deliver, clock
):
    kept = remind(api(anna), contact=firm.id, text="Send the drawings")
    page = give(as_user(anna), firm, mika)
    taking = as_user(mika)
    for item in buttons(taking.get(page).text, page)[:-1]:
        taking.post(f"{page}/items/{item}")
    assert len(buttons(taking.get(page).text, page)) == 1
    run_due_jobs(app)
    assert only(HandOver)[0].finished_at is None
    taking.post(f"/follow-ups/{kept}/trash")
    clock.shift(timedelta(minutes=11))
    run_due_jobs(app)
    assert only(HandOver)[0].finished_at is not None
    assert "Handed over" not in words_of(taking.get("/").text)


def test_a_customer_is_not_handed_to_who_cannot_own_it(firm, anna, mika, as_user):
    with db.transaction():
        ensure_role("blind", ["support:read"])
    vera = make_user("Vera Viewer", roles=["blind"])
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    browser = as_user(anna)
    for receiver, said in (
        (anna.id, "It is theirs already."),
        (outi.id, "Choose a colleague."),
        ("", "Choose a colleague."),
        (vera.id, "Vera Viewer does not see this contact."),
    ):
        given = {"contact": firm.id, "receiver": receiver, "word": "My words"}
        answer = browser.post("/hand-overs", data=given)
        assert answer.status_code == 422
        assert said in answer.text
        assert "My words" in answer.text
    assert only(HandOver) == []
    assert browser.get("/hand-overs/new").status_code == 422
    assert as_user(vera).get(f"/hand-overs/new?contact={firm.id}").status_code == 403


def test_a_hand_over_costs_the_contact_page_no_statement(
    firm, anna, mika, as_user, count_queries
):
    browser = as_user(anna)
    address = f"/contacts/{firm.id}"

    def cost():
        browser.get(address)
        with count_queries() as counted:
            browser.get(address)
        return counted.count

    before = cost()
    give(browser, firm, mika)
    assert cost() == before <= 12


def test_programs_hand_over_acknowledge_and_read(firm, anna, mika, api):
    remind(api(anna), contact=firm.id, text="Send the drawings")
    sent = {"contact": firm.id, "receiver": mika.id, "word": "Outi likes calls."}
    made = api(anna).post("/api/v1/hand-overs", json=sent)
    assert made.status_code == 201, made.text
    assert made.json["giver"] == anna.id
    assert made.json["finished_at"] is None
    assert [one["kind"] for one in made.json["items"]] == [
        "word",
        "know",
        "step",
        "record",
    ]
    url = made.headers["Location"]
    tag = {"If-Match": made.headers["ETag"]}
    ids = [one["id"] for one in made.json["items"]]
    looked = {"acknowledged": ids[:1]}
    assert api(mika).patch(url, json=looked).status_code == 428
    # Whoever gave it away cannot take it over; an item of another one is not there.
    assert api(anna).patch(url, json=looked, headers=tag).status_code == 403
    odd = {"acknowledged": [ids[0], 99_999]}
    assert api(mika).patch(url, json=odd, headers=tag).status_code == 404
    items = api(mika).get(url).json["items"]
    assert [one["acknowledged_at"] for one in items] == [None] * 4
    one = api(mika).patch(url, json=looked, headers=tag)
    assert one.status_code == 200, one.text
    assert [bool(x["acknowledged_at"]) for x in one.json["items"]] == [True] + [
        False
    ] * 3
    tag = {"If-Match": one.headers["ETag"]}
    done = api(mika).patch(url, json={"acknowledged": ids}, headers=tag)
    assert done.json["finished_at"] is not None
    for state, count in (("open", 0), ("done", 1), ("", 1)):
        found = api(anna).get(f"/api/v1/hand-overs?state={state}&contact={firm.id}")
        assert len(found.json["items"]) == count


def test_open_orders_go_along_with_their_customer(firm, anna, mika, api, as_user):
    chief = api(make_user("Ada Admin", roles=["admin"]))
    goods = {"sku": "KV-1", "name": "Valve", "stock": {"on_hand": 9}}
    assert chief.post("/api/v1/products", json=goods).status_code == 201
    lines = [{"sku": "KV-1", "quantity": 1}]
    ordered = chief.post("/api/v1/orders", json={"contact": firm.id, "lines": lines})
    assert ordered.status_code == 201, ordered.text
    number = ordered.json["number"]
    form = as_user(anna).get(f"/hand-overs/new?contact={firm.id}").text
    assert number in form
    page = as_user(mika).get(give(as_user(anna), firm, mika)).text
    assert f'href="/orders/{number}"' in page


def test_what_ones_role_does_not_read_is_not_named(firm, anna, api, as_user):
    ticket = {"contact": firm.id, "subject": "Loud pump", "body": "It is loud."}
    ticket |= {"audience": "staff"}
    assert api(anna).post("/api/v1/tickets", json=ticket).status_code == 201
    with db.transaction():
        ensure_role("No tickets", ("contacts:read", "contacts:write"))
    page = f"/hand-overs/new?contact={firm.id}"
    assert "Loud pump" in as_user(anna).get(page).text
    other = make_user("Rauno Ranta", roles=["No tickets"])
    assert "Loud pump" not in as_user(other).get(page).text


def test_programs_are_refused_what_pages_refuse(firm, anna, mika, api):
    def give_to(contact, receiver):
        sent = {"contact": contact, "receiver": receiver}
        return api(anna).post("/api/v1/hand-overs", json=sent)

    assert give_to(firm.id, 99_999).status_code == 422
    assert "receiver" in give_to(firm.id, anna.id).json["errors"]
    assert give_to(99_999, mika.id).status_code == 404
    assert only(HandOver) == []


def test_hand_overs_go_out_as_a_table(app, firm, anna, mika, as_user):
    give(as_user(anna), firm, mika, word="Calls.")
    (row,) = export_rows(export_kinds(app)["hand-overs"], db.session.get(User, anna.id))
    assert row["contact"] == "Kallio Oy"
    assert (row["giver"], row["receiver"]) == (anna.email, mika.email)
    assert (row["items"], row["left"]) == (3, 3)
