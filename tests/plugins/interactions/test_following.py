"""Following: who is told what is new, once, and never beyond who may read it."""

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Affiliation, Contact
from core.db import db, now
from core.interactions.models import Interaction
from core.interactions.services import change_interaction, trash_interaction
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_user
from core.users.models import User, UserDeputy
from core.users.services import ensure_role

HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales", "Support"])


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Support"])


def own(contact, user):
    with db.transaction() as session:
        session.get_one(Contact, contact.id).owner_id = user.id


def write(client, contact, body="Wants four windows", **more):
    words = {"contacts": [contact.id], "body": body, "audience": "staff", **more}
    answer = client.post("/api/v1/interactions", json=words)
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


def told(client):
    """Give what one's own list says, the latest first."""
    found = client.get("/api/v1/notifications").json["items"]
    return [(one["kind"], one["text"]) for one in found]


def press(client, address, wanted="1", **more):
    answer = client.post(address, data={"wanted": wanted}, **more)
    assert answer.status_code in {200, 303}, answer.text
    return answer


def test_who_follows_a_customer_is_told_once_what_is_new(
    firm, anna, mika, as_user, api, deliver
):
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    write(api(anna), firm)
    deliver()
    deliver()
    line = ("interactions.written", "Anna Laine wrote about Kallion Vesijohto Oy.")
    assert told(api(mika)) == [line]
    assert told(api(anna)) == []
    press(as_user(mika), f"/interactions/follow/{firm.id}", "0")
    write(api(anna), firm)
    deliver()
    assert told(api(mika)) == [line]


def test_the_owner_follows_without_asking_and_may_stop(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    page = as_user(mika).get(f"/interactions/follow/{firm.id}").text
    assert "1 follows: Mika Koski" in page
    assert "Unfollow" in page
    write(api(anna), firm)
    deliver()
    assert len(told(api(mika))) == 1
    press(as_user(mika), f"/interactions/follow/{firm.id}", "0")
    assert "0 follow" in as_user(anna).get(f"/interactions/follow/{firm.id}").text
    write(api(anna), firm)
    deliver()
    assert len(told(api(mika))) == 1


def test_nobody_is_told_of_what_they_may_not_read(
    firm, anna, mika, as_user, api, deliver
):
    outi = make_user("Outi Outside")
    own(firm, outi)
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    only = {"audience": "teams", "teams": ["Support"]}
    entry = write(api(anna), firm, "For one team", **only)
    private = write(api(anna), firm, "For nobody else", audience="private")
    deliver()
    assert [kind for kind, _text in told(api(mika))] == ["interactions.written"]
    assert told(api(outi)) == []
    address = f"/api/v1/interactions/{entry}"
    match = {"If-Match": api(anna).get(address).headers["ETag"]}
    answer = api(anna).patch(address, json={"audience": "staff"}, headers=match)
    assert answer.status_code == 200, answer.text
    deliver()
    assert len(told(api(mika))) == 1
    assert len(told(api(outi))) == 1
    assert as_user(mika).get(f"/interactions/{private}/follow").status_code == 404
    press_hidden = as_user(mika).post(f"/interactions/{private}/follow", data={})
    assert press_hidden.status_code == 404


def test_a_reply_is_told_to_who_wrote_in_its_thread_or_follows_it(
    firm, anna, mika, as_user, api, deliver
):
    olli, rauha = make_user("Olli Aho"), make_user("Rauha Rinne")
    first = write(api(anna), firm)
    press(as_user(olli), f"/interactions/{first}/follow")
    reply = write(api(mika), firm, "Six, he says", parent=first)
    deliver()
    line = "Mika Koski replied about Kallion Vesijohto Oy."
    assert told(api(anna)) == [("interactions.replied", line)]
    assert told(api(olli)) == [("interactions.replied", line)]
    assert told(api(mika)) == told(api(rauha)) == []
    page = as_user(rauha).get(f"/interactions/{reply}/follow").text
    assert "3 follow: Anna Laine, Mika Koski, Olli Aho" in page
    press(as_user(anna), f"/interactions/{reply}/follow", "0")
    write(api(olli), firm, "Seven", parent=reply)
    deliver()
    assert len(told(api(anna))) == 1
    assert len(told(api(mika))) == 1


def test_a_quiet_thread_is_quiet_also_on_a_customer_one_follows(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    first = write(api(anna), firm)
    deliver()
    press(as_user(mika), f"/interactions/{first}/follow", "0")
    write(api(anna), firm, "And one more thing", parent=first)
    deliver()
    assert len(told(api(mika))) == 1


def test_several_reasons_are_one_line(firm, anna, mika, as_user, api, deliver):
    own(firm, mika)
    first = write(api(mika), firm)
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    write(api(anna), firm, "Yes", parent=first)
    deliver()
    assert [kind for kind, _text in told(api(mika))] == ["interactions.replied"]


def test_who_is_called_on_a_customer_they_follow_is_told_once_that_they_are_called(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    entry = write(api(anna), firm, "@Mika Koski: please call them.")
    deliver()
    deliver()
    line = ("interactions.mentioned", "Anna Laine mentions you: Kallion Vesijohto Oy")
    assert told(api(mika)) == [line]
    with db.transaction() as session:
        text = "@Mika Koski and @Support: please call them."
        found = session.get_one(Interaction, entry)
        change_interaction(found, actor=session.get_one(User, anna.id), body=text)
    deliver()
    assert told(api(mika)) == [line]


def test_who_was_told_of_an_entry_is_told_when_a_change_calls_them(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    entry = write(api(anna), firm)
    deliver()
    for body in ("@Mika Koski: please call.", "Please call, @mika koski and @Support."):
        with db.transaction() as session:
            found = session.get_one(Interaction, entry)
            change_interaction(found, actor=session.get_one(User, anna.id), body=body)
        deliver()
    assert [kind for kind, _text in told(api(mika))] == [
        "interactions.mentioned",
        "interactions.written",
    ]


@pytest.fixture
def narrow(app):
    """Somebody who reads entries, and sees no contact."""
    with db.transaction():
        ensure_role("narrow", ["interactions:read", "interactions:write"])
    return make_user("Nelli Narrow", roles=["narrow"], teams=["Support"])


def test_a_contact_one_may_not_see_is_named_nowhere(
    firm, anna, mika, narrow, as_user, api, deliver
):
    today = now().date()
    with db.transaction() as session:
        line = {"user_id": mika.id, "deputy_id": narrow.id}
        session.add(UserDeputy(**line, from_on=today, until_on=today))
    entry = write(api(anna), firm, "@Mika Koski: look!", audience="staff")
    deliver()
    assert "Kallion" in told(api(mika))[0][1]
    [(_kind, said)] = told(api(narrow))
    assert said == "For Mika Koski: Anna Laine mentions you in a note"
    page = as_user(narrow).get(f"/interactions/{entry}/follow")
    assert page.status_code == 200
    assert "Kallion" not in page.text
    assert "Kallion" in as_user(mika).get(f"/interactions/{entry}/follow").text


def test_who_answered_unseen_is_not_named_among_who_follows(
    firm, anna, mika, as_user, api
):
    only = {"audience": "teams", "teams": ["Support"]}
    first = write(api(anna), firm, **only)
    write(api(mika), firm, "For one team", parent=first)
    with db.transaction() as session:
        found = session.get_one(Interaction, first)
        author = session.get_one(User, anna.id)
        change_interaction(found, actor=author, audience=AudienceSpec("staff"))
    outside = make_user("Olli Outside", teams=["Warehouse"])
    page = as_user(outside).get(f"/interactions/{first}/follow").text
    assert "1 follows: Anna Laine" in page
    assert "Mika" not in page
    assert "2 follow" in as_user(anna).get(f"/interactions/{first}/follow").text


def test_who_follows_a_firm_is_told_of_its_people(
    firm, anna, mika, as_user, api, deliver
):
    pekka = make_contact("Pekka Kallio", kind="person")
    with db.transaction() as session:
        session.add(Affiliation(person_id=pekka.id, organisation_id=firm.id))
    press(as_user(mika), f"/interactions/follow/{firm.id}")
    write(api(anna), pekka)
    deliver()
    assert [text for _kind, text in told(api(mika))] == [
        "Anna Laine wrote about Kallion Vesijohto Oy."
    ]


def test_a_customer_who_wrote_is_told_of_the_answer_without_a_name(
    firm, anna, as_user, api, deliver
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    as_user(outi).post("/interactions", data={"body": "When do you come?"})
    with db.read_only() as session:
        first = session.scalar(sa.select(Interaction.id))
    page = as_user(anna).get(f"/interactions/{first}").text
    assert "Outi Kallio" in page
    shown = {"parent": first, "body": "Tomorrow", "looked": "1", "seen": outi.id}
    assert as_user(anna).post("/interactions", data=shown).status_code == 303
    deliver()
    assert told(api(outi)) == [("interactions.replied", "You have a reply.")]
    assert as_user(outi).get(f"/interactions/{first}/follow").status_code == 404
    assert as_user(outi).get(f"/interactions/follow/{firm.id}").status_code == 404


def test_what_went_to_the_trash_at_once_is_no_news(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    entry = write(api(anna), firm)
    with db.transaction() as session:
        author = session.get_one(User, anna.id)
        trash_interaction(session.get_one(Interaction, entry), actor=author)
    deliver()
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.count(Notification.id))) == 0


def test_a_kind_that_is_switched_off_is_not_told(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    page = as_user(mika).get("/me/notifications").text
    assert "News about a customer you follow" in page
    as_user(mika).post("/me/notifications", data={"kinds": ["interactions.replied"]})
    write(api(anna), firm)
    deliver()
    assert told(api(mika)) == []


def test_the_page_of_a_contact_and_the_menu_of_an_entry_offer_it(
    firm, anna, mika, as_user, api
):
    entry = write(api(anna), firm)
    page = as_user(mika).get(f"/contacts/{firm.id}").text
    assert f'href="/interactions/follow/{firm.id}"' in page
    assert f'hx-get="/interactions/{entry}/acts"' in page
    menu = as_user(mika).get(f"/interactions/{entry}/acts", headers=HTMX).text
    assert "1 follows: Anna Laine" in menu
    assert f'action="/interactions/{entry}/follow"' in menu
    # Without scripts the menu is on the entry's own page.
    answer = as_user(mika).get(f"/interactions/{entry}/acts")
    assert answer.location == f"/interactions/{entry}"
    assert (
        f'href="/interactions/{entry}/follow"'
        in as_user(mika).get(answer.location).text
    )
    part = as_user(mika).get(f"/interactions/follow/{firm.id}", headers=HTMX).text
    assert "<h1" not in part
    assert "Follow" in part
    pressed = press(as_user(mika), f"/interactions/follow/{firm.id}", headers=HTMX).text
    assert "Unfollow" in pressed
    assert "Mika Koski" in pressed
    line = as_user(mika).get(f"/interactions/{entry}/follow", headers=HTMX).text
    assert "1 follows: Anna Laine" in line


def test_a_reader_who_lost_the_entry_loses_the_line(
    firm, anna, mika, as_user, api, deliver
):
    own(firm, mika)
    entry = write(api(anna), firm)
    deliver()
    assert len(told(api(mika))) == 1
    with db.transaction() as session:
        found = session.get_one(Interaction, entry)
        author = session.get_one(User, anna.id)
        only = AudienceSpec("private", users=frozenset({anna.id}))
        change_interaction(found, actor=author, audience=only)
    assert told(api(mika)) == []


def test_an_answer_on_a_ticket_is_one_line_for_who_also_follows_the_customer(
    firm, mika, as_user, api, deliver
):
    own(firm, mika)
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    words = {"contact": firm.id, "subject": "Pump", "body": "Loud."}
    ticket = api(outi).post("/api/v1/tickets", json=words).json
    deliver()
    browser = as_user(mika)
    taken = browser.post(f"/support/{ticket['number']}", data={"take": "1"})
    assert taken.status_code == 303, taken.text
    before = len(told(api(mika)))
    address = f"/api/v1/tickets/{ticket['id']}/messages"
    assert (
        api(outi).post(address, json={"kind": "reply", "body": "Louder"}).status_code
        == 201
    )
    deliver()
    assert len(told(api(mika))) == before + 1
