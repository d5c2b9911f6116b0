"""The rules of contacts: names, belonging together, whose story, putting away."""

from datetime import date

import pytest
import sqlalchemy as sa

from core.contacts.affiliations import affiliate, end_affiliation
from core.contacts.models import Affiliation, Contact
from core.contacts.services import change_contact, create_contact, rollup_ids
from core.db import db
from core.errors import Conflict, Invalid
from core.events import Event
from core.testing.factories import make_contact, make_user


def story_of(contact):
    with db.transaction():
        here = db.session.get_one(Contact, contact.id)
        return set(db.session.scalars(rollup_ids(here)))


def join(person, organisation, **more):
    with db.transaction() as session:
        affiliate(
            session.get_one(Contact, person.id),
            organisation=session.get_one(Contact, organisation.id),
            **more,
        )


def now_of(contact):
    with db.read_only() as session:
        found = session.get_one(Contact, contact.id)
        session.expunge(found)
    return found


def change(contact, values, **more):
    with db.transaction() as session:
        here = session.get_one(Contact, contact.id)
        change_contact(here, values, actor=None, **more)


def test_an_organisation_tells_the_story_of_its_people_and_of_those_below(app):
    group = make_contact("Kallio Group")
    firm = make_contact("Kallion Vesijohto", parent=group.id)
    depot = make_contact("Depot", parent=firm.id)
    pekka = make_contact("Pekka Virtanen", kind="person")
    outi = make_contact("Outi Kallio", kind="person")
    gone = make_contact("Teemu Aho", kind="person")
    other = make_contact("Tapio Rakennus")
    join(pekka, depot, role="Buyer")
    join(outi, group)
    join(gone, firm, active=False)
    assert story_of(group) == {group.id, firm.id, depot.id, pekka.id, outi.id}
    assert story_of(firm) == {firm.id, depot.id, pekka.id}
    assert story_of(pekka) == {pekka.id}
    assert story_of(other) == {other.id}


def test_what_lies_in_the_trash_is_no_part_of_the_story(app):
    group = make_contact("Kallio Group")
    firm = make_contact("Kallion Vesijohto", parent=group.id)
    pekka = make_contact("Pekka Virtanen", kind="person")
    join(pekka, firm)
    with db.transaction() as session:
        session.get_one(Contact, firm.id).trashed_at = pekka.created_at
    assert story_of(group) == {group.id}
    assert story_of(firm) == {firm.id, pekka.id}


def test_the_story_ends_where_organisations_name_each_other_as_parent(app):
    one, two = make_contact("One"), make_contact("Two")
    with db.transaction() as session:
        session.get_one(Contact, one.id).parent_id = two.id
        session.get_one(Contact, two.id).parent_id = one.id
    assert story_of(one) == {one.id, two.id}


def test_no_organisation_is_put_below_one_of_its_own(app):
    group = make_contact("Kallio Group")
    firm = make_contact("Kallion Vesijohto", parent=group.id)
    depot = make_contact("Depot", parent=firm.id)
    for below in (group, firm, depot):
        with pytest.raises(Invalid) as refused:
            change(group, {"parent": below.id})
        assert list(refused.value.errors) == ["parent"]


@pytest.mark.parametrize(
    ("given", "family", "name", "called"),
    [
        ("Pekka", "Virtanen", "", "Pekka Virtanen"),
        ("伟", "李", "", "李伟"),
        ("Wei", "李", "", "Wei 李"),
        ("", "Virtanen", "", "Virtanen"),
        ("Pekka", "Virtanen", "Pekka V.", "Pekka V."),
        ("", "", "Madonna", "Madonna"),
    ],
)
def test_a_person_is_called_by_their_names(app, given, family, name, called):
    made = make_contact(name, kind="person", given_name=given, family_name=family)
    assert made.name == called


def test_a_name_made_of_its_parts_follows_them_and_one_of_its_own_stays(app):
    parts = {"given_name": "Outi", "family_name": "Aho"}
    plain = make_contact("", kind="person", **parts)
    own = make_contact("Outi from Kallio", kind="person", **parts)
    for contact in (plain, own):
        change(contact, {"family_name": "Kallio"})
    assert now_of(plain).name == "Outi Kallio"
    assert now_of(plain).sort_name == "outi kallio"
    assert now_of(own).name == "Outi from Kallio"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "   ", "name"),
        ("name", "x" * 201, "name"),
        ("name", "a\x00b", "name"),
        ("name", "a\ud800b", "name"),
        ("emails", ["pekka@"], "emails.0.address"),
        ("emails", ["pekka"], "emails.0.address"),
        ("emails", ["a@b.example", "a b@c.example"], "emails.1.address"),
        ("emails", [{"address": ""}], "emails.0.address"),
        ("emails", ["a@b.example"] * 21, "emails"),
        ("phones", [{"number": "call me"}], "phones.0.number"),
        ("phones", [{"number": "1" * 41}], "phones.0.number"),
        ("addresses", [{"street": "x" * 201}], "addresses.0.street"),
        ("roles", ["friend"], "roles"),
        ("tags", ["x" * 61], "tags"),
        ("custom", {"size": 1.5}, "custom.size"),
        ("custom", {str(n): "" for n in range(51)}, "custom"),
        ("language", "finnish", "language"),
        ("website", "javascript:alert(1)", "website"),
        ("website", "http://[", "website"),
        ("next_step_on", "tomorrow", "next_step_on"),
        ("owner", "nobody@example.com", "owner"),
        ("owner", 999, "owner"),
        ("parent", 999, "parent"),
        ("affiliations", [{"person": 999}], "affiliations.0.person"),
    ],
)
def test_what_cannot_be_taken_is_named_by_its_field(app, field, value, named):
    values = {"kind": "organisation", "name": "Kallio", field: value}
    with pytest.raises(Invalid) as refused, db.transaction():
        create_contact(values, actor=None)
    assert list(refused.value.errors) == [named]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Contact)) == 0


def test_all_wrong_fields_are_named_at_once(app):
    values = {"kind": "person", "emails": ["pekka@"], "phones": ["-"], "owner": "x"}
    with pytest.raises(Invalid) as refused, db.transaction():
        create_contact(values, actor=None)
    named = {"name", "emails.0.address", "phones.0.number", "owner"}
    assert set(refused.value.errors) == named
    said = refused.value.errors["emails.0.address"]
    assert said == ["This e-mail has no domain: pekka@"]


def test_the_same_mail_twice_is_kept_once(app):
    made = make_contact(
        emails=["a@b.example", {"address": "A@b.example", "label": "x"}]
    )
    assert made.emails == [{"address": "a@b.example", "label": ""}]


def test_a_web_address_is_one_that_is_safe_to_follow(app):
    assert make_contact(website="kallio.example").website == "https://kallio.example"


def test_a_change_of_an_older_version_is_refused(app):
    contact = make_contact()
    change(contact, {"next_step": "Call"}, version=1)
    with pytest.raises(Conflict):
        change(contact, {"next_step": "Write"}, version=1)


def test_a_change_that_changes_nothing_is_no_event(app):
    contact = make_contact(tags=["retail"], phones=["040 1234567"])
    same = {"name": contact.name, "tags": ["retail"], "phones": ["040 1234567"]}
    change(contact, same)
    told = sa.select(Event.type).where(Event.subject == contact.ref)
    assert list(db.session.scalars(told)) == ["contact.created"]


def test_joining_and_leaving_gives_both_sides_a_new_version(app):
    firm, pekka = make_contact(), make_contact("Pekka Virtanen", kind="person")
    join(pekka, firm, role="Buyer", since=date(2021, 5, 1))
    join(pekka, firm, role="Buyer", since=date(2021, 6, 1))
    with db.transaction() as session:
        [row] = session.scalars(sa.select(Affiliation))
        assert row.since == date(2021, 6, 1)
        end_affiliation(row, until=date(2026, 3, 1))
    assert (now_of(firm).version, now_of(pekka).version) == (4, 4)
    with pytest.raises(Invalid), db.transaction() as session:
        affiliate(
            session.get_one(Contact, firm.id),
            organisation=session.get_one(Contact, pekka.id),
        )


def test_who_sees_only_their_own_owns_what_they_add(app):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("own", ["contacts:read", "contacts:write"], reach="own")
    sanna = make_user("Sanna Aho", roles=("own",))
    with db.transaction():
        made = create_contact({"kind": "person", "name": "Pekka"}, actor=sanna)
        assert made.owner_id == sanna.id
