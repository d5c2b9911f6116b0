"""Who sees what: one truth for lists, pages, labels and events."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.audiences import AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.db import db, now
from core.errors import NotFound
from core.event_visibility import visible_events
from core.events import Event, acting
from core.interactions.models import Interaction, InteractionContact
from core.interactions.services import trash_interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import User
from core.users.services import create_user, ensure_role, ensure_team
from core.visibility import (
    contact_id_of,
    contact_ids_of,
    get_visible,
    labels,
    labels_of,
    visible_to,
)
from tests.core.gadgets import (
    AudienceGadget,
    CatalogueGadget,
    SharedGadget,
    StaffGadget,
    make_tables,
)

HIDDEN = "xx"


class Narrowing:
    """A plugin's `contact_scope`, off until a test switches it on."""

    def __init__(self):
        self.on = False
        self.answer = lambda user: Contact.language != HIDDEN

    def scope(self, user):
        return self.answer(user) if self.on else None


@pytest.fixture
def narrowing():
    return Narrowing()


@pytest.fixture
def app_plugins(narrowing):
    return (("probe", make_plugin(contact_scope=lambda user: narrowing.scope(user))),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


# -- One truth, whatever the world looks like --------------------------------------

few = st.integers(0, 3)
some = st.sets(few, max_size=3)
maybe = st.none() | few

PEOPLE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["staff", "staff", "staff", "customer", "vendor"]),
        "reach": st.sampled_from(["all", "all", "team", "own"]),
        "teams": some,
        "contact": maybe,
        "person": maybe,
    }
)
CONTACTS = st.fixed_dictionaries(
    {"owner": maybe, "team": maybe, "language": st.sampled_from(["fi", HIDDEN])}
)
RECORDS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(
            [
                Interaction,
                Interaction,
                AudienceGadget,
                StaffGadget,
                SharedGadget,
                CatalogueGadget,
            ]
        ),
        "contact": maybe,
        "author": maybe,
        "kind": st.sampled_from(["private", "teams", "staff", "shared"]),
        "readers": st.sets(few, min_size=1, max_size=3),
    }
)
WORLDS = st.fixed_dictionaries(
    {
        "people": st.lists(PEOPLE, min_size=4, max_size=4),
        "contacts": st.lists(CONTACTS, min_size=4, max_size=4),
        "records": st.lists(RECORDS, min_size=1, max_size=8),
        "narrowed": st.booleans(),
    }
)


def build(world, serial):
    """Make the people, contacts and records of a world."""
    teams = [ensure_team(f"Team {serial}.{n}") for n in range(4)]
    contacts = [
        Contact(
            kind="organisation",
            name=f"Firm {n}",
            sort_name=f"firm {n}",
            language=one["language"],
        )
        for n, one in enumerate(world["contacts"])
    ]
    db.session.add_all(contacts)
    db.session.flush()
    people = [
        _person(one, f"{serial}.{n}@example.com", teams, contacts)
        for n, one in enumerate(world["people"])
    ]
    for contact, one in zip(contacts, world["contacts"], strict=True):
        contact.owner_id = None if one["owner"] is None else people[one["owner"]].id
        contact.team_id = None if one["team"] is None else teams[one["team"]].id
    db.session.flush()
    return people, [_record(one, teams, contacts, people) for one in world["records"]]


def _person(one, email, teams, contacts):
    ensure_role(f"reach {one['reach']}", ["*"], reach=one["reach"])
    return create_user(
        email,
        name=email,
        kind=one["kind"],
        roles=[f"reach {one['reach']}"],
        teams=[teams[n].name for n in one["teams"]],
        contact_id=None if one["contact"] is None else contacts[one["contact"]].id,
        person_id=None if one["person"] is None else contacts[one["person"]].id,
    )


def _record(one, teams, contacts, people):
    named = {}
    if one["kind"] != "staff":
        field, chosen = {
            "private": ("users", people),
            "teams": ("teams", teams),
            "shared": ("shared_with", contacts),
        }[one["kind"]]
        named[field] = frozenset(chosen[n].id for n in one["readers"])
    contact = None if one["contact"] is None else contacts[one["contact"]]
    author = None if one["author"] is None else people[one["author"]]
    values = {"contact_id": contact.id if contact else None}
    if one["model"] is CatalogueGadget:
        values = {}
    if one["model"] in {Interaction, AudienceGadget}:
        values["audience"] = intern_audience(AudienceSpec(one["kind"], **named))
        values["author_id"] = author.id if author else None
    record = one["model"](**values)
    if isinstance(record, Interaction):
        record.body = "Words"
        if contact:
            record.links = [
                InteractionContact(contact_id=contact.id, occurred_at=now())
            ]
    with acting(values.get("author_id")):
        db.session.add(record)
        db.session.flush()
    return record


def check(world, serial):
    """Compare every way of asking, for each person and each record."""
    people, records = build(world, serial)
    for user in people:
        opened, inside = labels_of(user), contact_ids_of(user)
        for record in records:
            model = type(record)
            mine = visible_to(user, model).where(model.id == record.id)
            listed = db.session.scalar(mine) is not None
            contact = contact_id_of(record)
            in_set = inside is None or contact is None or contact in inside
            labelled = bool(opened & labels(record)) and in_set
            told = db.session.scalars(
                visible_events(user).where(Event.subject == record.ref)
            ).all()
            said = f"{user.kind} {opened} {record.ref} {labels(record)}"
            assert listed == labelled, said
            assert listed == bool(told), said
        for contact in db.session.scalars(sa.select(Contact)):
            listed = contact in db.session.scalars(visible_to(user, Contact)).all()
            labelled = bool(opened & labels(contact))
            assert listed == (labelled and (inside is None or contact.id in inside))


class _Undone(Exception):
    """Ends an example, so that the next one finds an empty database."""


def _property(app, narrowing, examples):
    make_tables()
    serial = iter(range(10**9))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        # Explaining a failure traces every line, which takes minutes here.
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(WORLDS)
    def holds(world):
        narrowing.on = world["narrowed"]
        try:
            with db.transaction():
                check(world, next(serial))
                raise _Undone
        except _Undone:
            return

    holds()


def test_lists_labels_and_events_agree_on_who_sees_what(app, narrowing):
    _property(app, narrowing, 25)


@pytest.mark.soak
def test_lists_labels_and_events_agree_in_many_worlds(app, narrowing):
    _property(app, narrowing, 1500)


# -- The audiences, one by one -----------------------------------------------------

MATRIX = {
    "private": {"author", "named"},
    "teams": {"author", "teammate"},
    "staff": {"author", "named", "teammate", "outsider"},
    "shared": {"author", "named", "teammate", "outsider", "theirs"},
}


@pytest.fixture
def house(app):
    """Colleagues, a customer, another customer and a vendor."""
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    other = make_contact("Toinen Oy", roles=["customer"])
    supplier = make_contact("Putki Oy", roles=["vendor"])
    people = {
        "author": make_user("Anna Laine", teams=("Sales",)),
        "named": make_user("Ben Koski", teams=("Support",)),
        "teammate": make_user("Cecilia Aho", teams=("Sales",)),
        "outsider": make_user("Dan Salo", roles=("admin",)),
        "theirs": make_user("Outi Kallio", kind="customer", contact=kallio),
        "others": make_user("Olli Toinen", kind="customer", contact=other),
        "vendor": make_user("Ville Putki", kind="vendor", contact=supplier),
        "lost": make_user("Lena Lost", kind="customer"),
    }
    return SimpleNamespace(kallio=kallio, people=people)


def spec_of(kind, house):
    people = house.people
    if kind == "private":
        users = frozenset({people["author"].id, people["named"].id})
        return AudienceSpec("private", users=users)
    if kind == "teams":
        return AudienceSpec("teams", teams=frozenset(people["author"].team_ids))
    if kind == "shared":
        return AudienceSpec("shared", shared_with=frozenset({house.kallio.id}))
    return AudienceSpec("staff")


@pytest.mark.parametrize("kind", sorted(MATRIX))
def test_an_entry_is_read_by_its_audience_and_nobody_else(app, house, kind, api):
    author = house.people["author"]
    spec = spec_of(kind, house)
    note = make_interaction(house.kallio, author=author, audience=spec)
    for name, user in house.people.items():
        reads = name in MATRIX[kind]
        program = api(user)
        one = program.get(f"/api/v1/interactions/{note.id}")
        listed = program.get("/api/v1/interactions").json["items"]
        assert one.status_code == (200 if reads else 404), (kind, name)
        assert [item["id"] for item in listed] == ([note.id] if reads else [])


def test_an_entry_without_a_contact_is_decided_by_its_audience_alone(app):
    with db.transaction():
        ensure_role("narrow", ["*"], reach="own")
    limited = make_user("Nea Narrow", roles=("narrow",))
    with db.transaction() as session:
        for spec in (
            AudienceSpec("staff"),
            AudienceSpec("private", users=frozenset({limited.id + 1})),
        ):
            session.add(Interaction(body="Words", audience=intern_audience(spec)))
    with db.read_only() as session:
        seen = session.scalars(visible_to(limited, Interaction)).unique().all()
        assert [one.audience.kind for one in seen] == ["staff"]


def test_hidden_absent_and_impossible_records_are_told_apart_by_nobody(house):
    author, outsider = house.people["author"], house.people["outsider"]
    spec = spec_of("private", house)
    note = make_interaction(house.kallio, author=author, audience=spec)
    said = set()
    for number in (note.id, 999_999, 0, -1, 2**31, 10**40):
        with db.read_only(), pytest.raises(NotFound) as refused:
            get_visible(outsider, Interaction, number)
        said.add(str(refused.value.message))
    assert len(said) == 1


def test_what_is_in_the_trash_is_shown_only_when_asked_for(house):
    author = house.people["author"]
    note = make_interaction(house.kallio, author=author)
    with db.transaction() as session:
        trash_interaction(
            session.get_one(Interaction, note.id), actor=session.get(User, author.id)
        )
    with db.read_only() as session:
        assert session.scalar(visible_to(author, Interaction)) is None
        assert session.scalar(visible_to(author, Interaction, trashed=True)) is not None
        with pytest.raises(NotFound):
            get_visible(author, Interaction, note.id)


# -- What a plugin narrows ---------------------------------------------------------


def test_what_a_plugin_hides_is_hidden_at_every_door(house, narrowing, as_user, api):
    author, outi = house.people["author"], house.people["theirs"]
    shared = spec_of("shared", house)
    note = make_interaction(house.kallio, author=author, audience=shared)
    with db.transaction() as session:
        session.get_one(Contact, house.kallio.id).language = HIDDEN
    contact = f"contacts/{house.kallio.id}"
    doors = [f"/api/v1/{contact}", f"/api/v1/{contact}/timeline"]
    doors.append(f"/api/v1/interactions/{note.id}")
    browser, program, portal = as_user(author), api(author), api(outi)
    assert all(program.get(one).status_code == 200 for one in doors)
    assert browser.get(f"/{contact}").status_code == 200
    assert portal.get(doors[0]).status_code == portal.get(doors[2]).status_code == 200

    narrowing.on = True
    for client in (program, portal):
        assert [client.get(one).status_code for one in doors] == [404] * 3
        assert client.get("/api/v1/interactions").json["items"] == []
        assert client.get("/api/v1/events?cursor=0.0").status_code == 200
        told = client.get("/api/v1/events?cursor=0.0").json["items"]
        assert not {one["ref"] for one in told} & {note.ref, house.kallio.ref}
        names = [one["name"] for one in client.get("/api/v1/contacts").json["items"]]
        assert "Kallion Vesijohto Oy" not in names
    assert browser.get(f"/{contact}").status_code == 404
    assert browser.get(f"/{contact}/panels/contacts.people").status_code == 404
    assert browser.get(f"/{contact}/changes").status_code == 404
    assert "Kallion" not in browser.get("/contacts").text
    with db.read_only():
        assert house.kallio.id not in (contact_ids_of(author) or ())
        assert f"shared:{house.kallio.id}" not in labels_of(outi)


def test_a_plugin_cannot_show_more_than_core_does(house, narrowing, api):
    narrowing.on = True
    narrowing.answer = lambda user: sa.true()
    with db.transaction():
        ensure_role("narrow", ["*"], reach="own")
    limited = make_user("Nea Narrow", roles=("narrow",))
    for user in (limited, house.people["others"], house.people["vendor"]):
        answer = api(user).get(f"/api/v1/contacts/{house.kallio.id}")
        assert answer.status_code == 404


@pytest.mark.parametrize("name", ["author", "theirs"])
def test_a_scope_that_raises_lets_nobody_see_anything(
    app, house, narrowing, as_user, api, name, caplog
):
    author, user = house.people["author"], house.people[name]
    note = make_interaction(
        house.kallio, author=author, audience=spec_of("shared", house)
    )
    contact = f"contacts/{house.kallio.id}"
    browser, program = as_user(user), api(user)

    def fail(_user):
        raise RuntimeError("the rule cannot be read")

    narrowing.on, narrowing.answer = True, fail
    app.testing = False
    for address in (
        "/api/v1/contacts",
        f"/api/v1/{contact}",
        f"/api/v1/{contact}/timeline",
        "/api/v1/interactions",
        f"/api/v1/interactions/{note.id}",
        "/api/v1/events?cursor=0.0",
    ):
        answer = program.get(address)
        assert answer.status_code == 500, address
        assert answer.content_type == "application/problem+json"
        assert "Kallio" not in answer.text
    if name == "author":
        for address in ("/contacts", f"/{contact}", f"/{contact}/changes"):
            answer = browser.get(address)
            assert answer.status_code == 500, address
            assert "Kallio" not in answer.text
    assert "plugin 'probe' failed in contact_scope" in caplog.text
    stream = browser.get("/live?cursor=0.0")
    blocks = iter(stream.response)
    next(blocks)
    with pytest.raises(RuntimeError, match="contact_scope"):
        next(blocks)
    stream.close()


@pytest.mark.parametrize("answer", ["a word", [Contact.id == 1], object()])
def test_a_scope_that_is_no_condition_lets_nobody_see_anything(
    app, house, narrowing, api, answer
):
    program = api(house.people["author"])
    narrowing.on, narrowing.answer = True, lambda user: answer
    app.testing = False
    assert program.get("/api/v1/contacts").status_code == 500
