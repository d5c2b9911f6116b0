"""Somebody leaves: nothing stays behind that nobody looks after."""

import json

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import change_contact
from core.db import Model, Record, db, now
from core.events import Event
from core.testing.factories import make_contact, make_interaction, make_user
from core.users import leaving
from core.users.models import ApiToken, User, UserSession
from core.users.sessions import create_token

# How tables name whoever looks after a row, as opposed to whoever made it.
RESPONSIBLE = {"owner_id", "assignee_id", "assigned_to_id", "buyer_id", "keeper_id"}


@pytest.fixture
def ada():
    return make_user("Ada Admin", roles=["admin"])


@pytest.fixture
def anna():
    return make_user("Anna Laine")


@pytest.fixture
def mika():
    return make_user("Mika Salo")


def own(user, mark, count=1):
    """Make `count` rows of the marked kind that hang on `user`."""
    made = [SAMPLES[mark.key]() for _ in range(count)]
    with db.transaction() as session:
        for one in made:
            row = session.get_one(type(one), one.id)
            setattr(row, mark.attribute, user.id)
    return [one.id for one in made]


def a_ticket():
    from plugins.support.models import Ticket
    from plugins.support.services import open_ticket

    contact, author = make_contact(), make_user("Sami")
    with db.transaction() as session:
        made = open_ticket(
            session.get_one(Contact, contact.id),
            author=session.get_one(User, author.id),
            subject="Pump",
            body="It is loud.",
        )
        number = made.id
    with db.read_only() as session:
        found = session.get_one(Ticket, number)
        session.expunge_all()
    return found


def a_purchase_order():
    from plugins.portal.models.orders import PurchaseOrder

    with db.transaction() as session:
        made = PurchaseOrder(number=f"P-{make_contact().id}", currency="EUR")
        session.add(made)
        session.flush()
        session.refresh(made)
        session.expunge(made)
    return made


def a_follow_up():
    from plugins.interactions.follow_ups.services import plan_follow_up

    contact, author = make_contact(), make_user("Sami")
    with db.transaction() as session:
        made = plan_follow_up(
            session.get_one(Contact, contact.id),
            author=session.get_one(User, author.id),
            text="Call about the pump",
            due_at=now(),
        )
        session.flush()
        session.refresh(made)
        session.expunge(made)
    return made


# A kind that is marked as somebody's and missing here fails the tests below.
SAMPLES = {
    "contact.owner_id": make_contact,
    "support_ticket.owner_id": a_ticket,
    "portal_purchase_order.buyer_id": a_purchase_order,
    "interactions_follow_up.owner_id": a_follow_up,
}


def owner_marks():
    found = list(leaving.marks("owner"))
    missing = {one.key for one in found} - set(SAMPLES)
    assert not missing, f"add to SAMPLES in {__file__} how to make one of: {missing}"
    return found


def left_behind(user):
    """Name the marked columns that still point at `user`."""
    found = [*leaving.marks("owner"), *leaving.marks("ends")]
    with db.read_only():
        return [one.key for one in found if one.count(user.id)]


def test_whoever_looks_after_a_row_is_marked_so_that_it_changes_hands(app):
    unmarked = [
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if column.name in RESPONSIBLE
        and any(key.column.table.name == "user" for key in column.foreign_keys)
        and "owner" not in column.info
    ]
    assert unmarked == [], 'say info={"owner": _l("…")} on these'


def test_nothing_hangs_on_who_has_left(app, as_user, ada, anna, mika):
    as_user(anna)
    kept = {mark: own(anna, mark, 2) for mark in owner_marks()}
    page = as_user(ada).get(f"/admin/users/{anna.id}/leave").text
    for mark in kept:
        assert str(mark.title) in page
    answer = as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": mika.id})
    assert answer.status_code == 303
    assert left_behind(anna) == []
    with db.read_only() as session:
        for mark, ids in kept.items():
            for one in ids:
                row = session.get_one(mark.model, one)
                assert getattr(row, mark.attribute) == mika.id
                assert isinstance(row, Record)
        told = session.scalars(
            sa.select(Event).where(Event.type == "contact.updated")
        ).all()
        mine = [one for one in told if "owner_id" in one.data["fields"]]
        assert mine[-1].data["values"]["owner_id"] == [anna.id, mika.id]
        assert mine[-1].actor_id == ada.id
        assert not session.get_one(User, anna.id).active


def test_each_kind_may_go_to_somebody_else(app, as_user, ada, anna, mika):
    noora = make_user("Noora Virta")
    marks = {one.key: one for one in owner_marks()}
    contacts = own(anna, marks["contact.owner_id"], 2)
    tickets = own(anna, marks["support_ticket.owner_id"], 1)
    form = {"to": mika.id, "support_ticket.owner_id": noora.id}
    as_user(ada).post(f"/admin/users/{anna.id}/leave", data=form)
    with db.read_only() as session:
        for one in contacts:
            assert session.get_one(Contact, one).owner_id == mika.id
        ticket = session.get_one(marks["support_ticket.owner_id"].model, tickets[0])
        assert ticket.owner_id == noora.id


def test_who_has_left_is_out_at_once_and_what_they_wrote_keeps_their_name(
    app, as_user, api, ada, anna, mika
):
    contact = make_contact()
    entry = make_interaction(contact, author=anna, body="Likes Tuesdays.")
    browser, program = as_user(anna), api(anna)
    assert program.get("/api/v1/me").status_code == 200
    as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": mika.id})
    assert browser.get("/me").status_code == 302
    assert program.get("/api/v1/me").status_code == 401
    shown = api(mika).get(f"/api/v1/interactions/{entry.id}").json
    assert shown["author"]["name"] == "Anna Laine"
    with db.read_only() as session:
        mine = UserSession.user_id == anna.id
        assert session.scalars(sa.select(UserSession).where(mine)).all() == []
        tokens = session.scalars(sa.select(ApiToken).where(ApiToken.user_id == anna.id))
        assert all(one.revoked_at for one in tokens)


def test_private_entries_stay_closed_and_only_their_number_is_told(
    app, as_user, api, ada, anna, mika
):
    contact = make_contact()
    entry = make_interaction(
        contact,
        author=anna,
        body="Xyzzy",
        audience=AudienceSpec("private", users=frozenset({anna.id})),
    )
    page = as_user(ada).get(f"/admin/users/{anna.id}/leave").text
    assert "Private entries" in page
    assert "stay closed" in page
    assert "Xyzzy" not in page
    as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": mika.id})
    for who in (ada, mika):
        assert api(who).get(f"/api/v1/interactions/{entry.id}").status_code == 404


@pytest.mark.parametrize("wrong", ["", "0", "99999", "x", "9" * 30])
def test_work_goes_only_to_a_colleague(app, as_user, ada, anna, wrong):
    (contact,) = own(anna, next(iter(owner_marks())))
    answer = as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": wrong})
    assert answer.status_code == 422
    assert "Choose a colleague." in answer.text
    assert contact
    assert left_behind(anna) != []
    with db.read_only() as session:
        assert session.get_one(User, anna.id).active


def test_neither_a_customer_nor_who_is_out_nor_the_leaver_takes_over(
    app, as_user, ada, anna
):
    outi = make_user("Outi", kind="customer", contact=make_contact())
    gone = make_user("Gone")
    as_user(ada).post(f"/admin/users/{gone.id}/close")
    for who in (outi, gone, anna):
        form = {"to": who.id}
        answer = as_user(ada).post(f"/admin/users/{anna.id}/leave", data=form)
        assert answer.status_code == 422
        assert f"{who.name} cannot take over." in answer.text


def test_the_last_administrator_does_not_leave(app, as_user, ada, anna):
    browser = as_user(ada)
    answer = browser.post(f"/admin/users/{ada.id}/leave", data={"to": anna.id})
    assert answer.status_code == 422
    told = app.test_cli_runner().invoke(
        app.extensions["rapport_commands"]["user"],
        ["leave", ada.email, "--to", anna.email],
    )
    assert told.exit_code != 0
    assert "Make somebody else an administrator first." in str(told.exception.errors)
    assert browser.get("/admin/users").status_code == 200


def test_only_who_looks_after_accounts_lets_somebody_leave(app, as_user, anna, mika):
    outi = make_user("Outi", kind="customer", contact=make_contact())
    address = f"/admin/users/{anna.id}/leave"
    for who, status in ((mika, 403), (outi, 404)):
        assert as_user(who).get(address).status_code == status
        assert as_user(who).post(address, data={"to": mika.id}).status_code == status
    with db.read_only() as session:
        assert session.get_one(User, anna.id).active


def test_the_worker_hands_over_what_a_request_has_left(
    app, as_user, deliver, monkeypatch, ada, anna, mika
):
    monkeypatch.setattr(leaving, "STEP", 2)
    monkeypatch.setattr(leaving.hand_over, "__kwdefaults__", {"most": 2})
    marks = {one.key: one for one in owner_marks()}
    own(anna, marks["contact.owner_id"], 7)
    as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": mika.id})
    assert left_behind(anna) == ["contact.owner_id"]
    deliver()
    assert left_behind(anna) == []
    with db.read_only() as session:
        changes = session.scalars(
            sa.select(Event).where(Event.type == "contact.updated")
        ).all()
        handed = [one for one in changes if one.data["fields"] == ["owner_id"]]
        assert {one.actor_id for one in handed[-7:]} == {ada.id}


def test_the_command_does_the_same(app, anna, mika):
    for mark in owner_marks():
        own(anna, mark, 2)
    with db.transaction() as session:
        create_token(session.get_one(User, anna.id), scopes=["*"])
    told = app.test_cli_runner().invoke(
        app.extensions["rapport_commands"]["user"],
        ["leave", anna.email, "--to", mika.email],
    )
    assert told.exit_code == 0, told.output
    assert f"took over {2 * len(SAMPLES)} records" in told.output
    assert left_behind(anna) == []
    again = app.test_cli_runner().invoke(
        app.extensions["rapport_commands"]["user"], ["list", "--json"]
    )
    state = {one["email"]: one["active"] for one in json.loads(again.output)}
    assert state[anna.email] is False


def test_a_contact_changed_meanwhile_is_not_lost(app, as_user, ada, anna, mika):
    mark = next(one for one in owner_marks() if one.key == "contact.owner_id")
    (contact,) = own(anna, mark)
    with db.transaction() as session:
        row = session.get_one(Contact, contact)
        change_contact(row, {"next_step": "Call on Monday"}, actor=None)
    as_user(ada).post(f"/admin/users/{anna.id}/leave", data={"to": mika.id})
    with db.read_only() as session:
        found = session.get_one(Contact, contact)
        assert (found.owner_id, found.next_step) == (mika.id, "Call on Monday")
