"""Facts: written with the change, complete, and with personal values apart."""

import marshmallow as ma
import pytest
import sqlalchemy as sa
from marshmallow import fields

from core.contacts.models import Contact
from core.contacts.services import change_contact, create_contact
from core.db import db
from core.errors import Invalid
from core.events import (
    BULK,
    PEOPLE,
    Delivery,
    Event,
    EventType,
    Subscriber,
    acting,
    announce,
)
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import Role, Team, User
from core.users.services import ensure_team


class PraiseSchema(ma.Schema):
    stars = fields.Integer(required=True)


def _heard(_event):
    raise AssertionError("no delivery is made in these tests")


@pytest.fixture
def app_plugins():
    plugin = make_plugin(
        register_event_types=lambda: [
            EventType("probe.praised", "Praised", PraiseSchema),
            EventType("probe.seen", "Seen"),
        ],
        register_subscribers=lambda: [
            Subscriber("probe.all", ("*",), _heard),
            Subscriber("probe.contacts", ("contact.*",), _heard),
            Subscriber("probe.praise", ("probe.praised", "contact.deleted"), _heard),
        ],
    )
    return (("probe", plugin),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


def events(subject=None):
    """Read the events of a test, or those about one record."""
    # The roles of every installation have been made before.
    query = sa.select(Event).where(~Event.subject.startswith("role/"))
    query = query.order_by(Event.id)
    if subject is not None:
        query = query.where(Event.subject == subject.ref)
    with db.read_only() as session:
        found = session.scalars(query).all()
        session.expunge_all()
    return list(found)


def waiting():
    """Name who waits for which type of event."""
    query = sa.select(Delivery.subscriber, Event.type).join(
        Event, Event.id == Delivery.event_id
    )
    query = query.where(Delivery.subscriber.startswith("probe."))
    with db.read_only() as session:
        return {(row.subscriber, row.type) for row in session.execute(query)}


def test_every_change_of_a_record_writes_one_event_with_its_fields(app):
    with db.transaction(), acting(7):
        team_id = ensure_team("Sales").id
    with db.transaction() as session, acting(8):
        session.get_one(Team, team_id).name = "Field sales"
        session.flush()
    with db.transaction() as session, acting(9):
        session.delete(session.get_one(Team, team_id))
        session.flush()
    created, updated, deleted = events()
    assert [one.type for one in (created, updated, deleted)] == [
        "team.created",
        "team.updated",
        "team.deleted",
    ]
    assert [one.actor_id for one in (created, updated, deleted)] == [7, 8, 9]
    assert {one.subject for one in (created, updated, deleted)} == {f"team/{team_id}"}
    assert updated.data == {
        "fields": ["name"],
        "values": {"name": ["Sales", "Field sales"]},
    }
    assert updated.personal is None


def test_saving_without_a_change_writes_nothing(app):
    contact = make_contact()
    before = len(events())
    with db.transaction() as session:
        found = session.get_one(Contact, contact.id)
        found.name = str(found.name)
        found.tags = list(found.tags)
    assert len(events()) == before


def test_personal_values_stand_apart_from_the_fact(app):
    contact = make_contact("Kallion Vesijohto Oy", language="fi")
    with db.transaction() as session:
        found = session.get_one(Contact, contact.id)
        change_contact(
            found, {"name": "Kallio Oy", "language": "sv", "tags": ["hvac"]}, actor=None
        )
    fact = events(contact)[-1]
    assert fact.type == "contact.updated"
    assert {"name", "language", "tags"} <= set(fact.data["fields"])
    assert fact.data["values"] == {"language": ["fi", "sv"]}
    assert fact.personal["name"] == ["Kallion Vesijohto Oy", "Kallio Oy"]
    assert fact.personal["tags"] == [[], ["hvac"]]
    assert "Kallio" not in str(fact.data)


def test_a_change_of_roles_and_teams_is_named(app):
    user = make_user("Anna Laine", roles=("sales",))
    with db.transaction() as session:
        team = ensure_team("Sales")
        admin = session.scalars(sa.select(Role).where(Role.name == "admin")).one()
        found = session.get_one(User, user.id)
        found.roles, found.teams = [admin], [team]
    assert events(user)[-1].data["fields"] == ["roles", "teams"]


def test_a_change_that_is_rolled_back_writes_no_event(app):
    def refuse():
        with db.transaction():
            create_contact({"kind": "person", "name": "Outi Kallio"}, actor=None)
            db.session.flush()
            raise Invalid

    before = len(events())
    with pytest.raises(Invalid):
        refuse()
    assert len(events()) == before
    assert len(waiting()) == 0


def test_each_subscriber_waits_for_what_it_asked_for(app):
    contact = make_contact("Kallion Vesijohto Oy")
    with db.transaction() as session:
        announce("probe.praised", session.get_one(Contact, contact.id), {"stars": 5})
        ensure_team("Sales")
    assert waiting() == {
        ("probe.all", "contact.created"),
        ("probe.all", "probe.praised"),
        ("probe.all", "team.created"),
        ("probe.contacts", "contact.created"),
        ("probe.praise", "probe.praised"),
    }


def test_what_a_bulk_import_does_waits_behind_what_people_do(app):
    with db.transaction(), acting(None, bulk=True):
        create_contact({"kind": "person", "name": "Imported"}, actor=None)
    make_contact("Typed")
    with db.read_only() as session:
        found = session.scalars(sa.select(Delivery.priority).order_by(Delivery.id))
        assert set(found) == {BULK, PEOPLE}


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(Contact).values(name="Everybody"),
        sa.update(Contact).where(Contact.id == 1).values(name="Everybody"),
        sa.delete(Contact),
        sa.insert(Contact).values(kind="person", name="Nobody", sort_name="nobody"),
        sa.delete(Contact.__table__),  # type: ignore[arg-type]
        sa.update(Contact.__table__).values(name="Everybody"),  # type: ignore[arg-type]
    ],
)
def test_a_bulk_change_of_records_is_refused(app, statement):
    contact = make_contact("Kallion Vesijohto Oy")

    def change():
        with db.transaction() as session:
            session.execute(statement)

    with pytest.raises(RuntimeError, match="would leave no event"):
        change()
    with db.read_only() as session:
        assert session.get_one(Contact, contact.id).name == "Kallion Vesijohto Oy"


def test_a_bulk_change_that_says_so_is_made_and_leaves_no_event(app):
    contact = make_contact("Kallion Vesijohto Oy")
    before = len(events())
    with db.transaction() as session:
        session.execute(
            sa.update(Contact).values(language="fi"),
            execution_options={"unrecorded": True},
        )
    with db.read_only() as session:
        assert session.get_one(Contact, contact.id).language == "fi"
    assert len(events()) == before


def test_rows_that_are_no_records_may_be_changed_in_bulk(app):
    make_contact()
    with db.transaction() as session:
        session.execute(sa.delete(Delivery))
    assert waiting() == set()


def test_an_announcement_carries_its_data_after_the_change_it_is_about(app):
    contact = make_contact()
    with db.transaction() as session, acting(3):
        found = session.get_one(Contact, contact.id)
        found.language = "fi"
        announce("probe.praised", found, {"stars": 5})
    changed, praised = events(contact)[-2:]
    assert (changed.type, praised.type) == ("contact.updated", "probe.praised")
    assert praised.data == {"stars": 5}
    assert praised.actor_id == 3
    assert praised.contact_id == contact.id


@pytest.mark.parametrize(
    ("event_type", "data", "error"),
    [
        ("probe.blamed", {}, LookupError),
        ("contact.updated", {}, LookupError),
        ("probe.praised", {}, ValueError),
        ("probe.praised", {"stars": "many"}, ValueError),
        ("probe.praised", {"stars": 5, "moons": 1}, ValueError),
        ("probe.praised", None, ValueError),
    ],
)
def test_an_announcement_that_nobody_declared_so_is_refused(
    app, event_type, data, error
):
    contact = make_contact()

    def say():
        with db.transaction() as session:
            announce(event_type, session.get_one(Contact, contact.id), data)

    with pytest.raises(error, match=r"probe|contact"):
        say()
    assert [one.type for one in events(contact)] == ["contact.created"]


def test_ids_are_never_used_again(app):
    def ids():
        with db.transaction():
            return ensure_team("Sales").id, events()[-1].id if events() else 0

    first, _event = ids()
    with db.transaction() as session:
        session.delete(session.get_one(Team, first))
    with db.transaction() as session:
        session.execute(sa.delete(Event))
    second, _event = ids()
    assert second > first
    assert min(one.id for one in events()) > 2
