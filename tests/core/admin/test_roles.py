"""/admin/roles and /admin/why: what roles allow, and why somebody sees something."""

import pytest
import sqlalchemy as sa

from core.admin.services.seeing import explain, find_record
from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.events import Event
from core.records import record_types
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import make_plugin
from core.users.models import Role, Team, User
from core.visibility import visible_to

HIDDEN = "xx"


@pytest.fixture
def app_plugins():
    hide = make_plugin(
        contact_scope=lambda user: sa.or_(
            Contact.language.is_(None), Contact.language != HIDDEN
        )
    )
    return (("hider", hide),)


@pytest.fixture
def boss(app):
    return make_user("Ad Min", roles=("admin",))


@pytest.fixture
def browser(as_user, boss):
    return as_user(boss)


def role_named(name):
    with db.read_only() as session:
        found = session.scalars(sa.select(Role).where(Role.name == name)).one()
        session.expunge_all()
    return found


def form_of(role, **changes):
    return {
        "name": role.name,
        "permissions": role.permissions,
        "reach": role.reach,
        "version": str(role.version),
        **changes,
    }


def test_a_role_is_made_and_holds_from_the_next_page_on(browser, as_user):
    role = {"name": "reader", "permissions": ["contacts:read"], "reach": "all"}
    assert browser.post("/admin/roles", data=role).status_code == 303
    hers = as_user(make_user("Anna", roles=("reader",)))
    assert hers.get("/contacts").status_code == 200
    assert hers.get("/contacts/new").status_code == 403
    more = ["contacts:read", "contacts:write"]
    changed = form_of(role_named("reader"), permissions=more)
    path = f"/admin/roles/{role_named('reader').id}"
    assert browser.post(path, data=changed).status_code == 303
    assert hers.get("/contacts/new").status_code == 200
    with db.read_only() as session:
        told = session.scalars(
            sa.select(Event).where(Event.type == "role.updated")
        ).all()
    assert told[-1].actor_id is not None
    assert told[-1].data["fields"] == ["permissions"]


def test_two_administrators_who_change_one_role_are_told_so(browser):
    role = role_named("sales")
    path = f"/admin/roles/{role.id}"
    first = form_of(role, reach="team")
    assert browser.post(path, data=first).status_code == 303
    second = browser.post(path, data=form_of(role, name="sellers"))
    assert second.status_code == 409
    assert "Somebody saved this while you were writing" in second.text
    assert "sellers" in second.text
    assert role_named("sales").reach == "team"


def test_the_last_role_that_administers_cannot_lose_it(browser, boss):
    role = role_named("admin")
    path = f"/admin/roles/{role.id}"
    refused = browser.post(path, data=form_of(role, permissions=["contacts:read"]))
    assert refused.status_code == 422
    assert "Nobody would be left who may change users" in refused.text
    assert role_named("admin").permissions == ["*"]
    assert browser.post(path, data=form_of(role, name="owners")).status_code == 303


def test_a_role_is_deleted_when_nobody_has_it(browser):
    anna = make_user("Anna Laine", roles=("buyer",))
    path = f"/admin/roles/{role_named('buyer').id}"
    refused = browser.post(f"{path}/delete")
    assert refused.status_code == 409
    assert "Anna Laine" in refused.text
    with db.transaction() as session:
        session.get_one(User, anna.id).roles = []
    assert browser.post(f"{path}/delete").status_code == 303
    assert browser.get(path).status_code == 404


def test_what_a_role_allows_in_a_plugin_that_is_away_is_kept(browser):
    with db.transaction() as session:
        role = session.scalars(sa.select(Role).where(Role.name == "buyer")).one()
        role.permissions = [*role.permissions, "loyalty:read"]
    role = role_named("buyer")
    path = f"/admin/roles/{role.id}"
    assert "loyalty:read" in browser.get(path).text
    few = form_of(role, permissions=["contacts:read"])
    assert browser.post(path, data=few).status_code == 303
    assert role_named("buyer").permissions == ["contacts:read", "loyalty:read"]


def test_a_copied_role_begins_with_what_the_other_allows(browser):
    role = role_named("vendor")
    page = browser.get(f"/admin/roles/new?copy={role.id}").text
    assert "vendor, copied" in page
    assert page.count(" checked") == len(role.permissions) + 1


# -- Why can this user see this? ------------------------------------------------------


@pytest.fixture
def house(boss):
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    other = make_contact("Other Oy", roles=["customer"])
    hidden = make_contact("Hidden Oy", language=HIDDEN)
    author = make_user("Anna Author", teams=("Sales",))
    people = [
        boss,
        author,
        make_user("Mika Mate", teams=("Sales",)),
        make_user("Olli Outsider", teams=("Warehouse",)),
        make_user("Nobody Roles", roles=()),
        make_user("Outi Kallio", kind="customer", contact=kallio),
        make_user("Tom Other", kind="customer", contact=other),
        make_user("Vera Vendor", kind="vendor", contact=other),
    ]
    with db.read_only() as session:
        team = session.scalar(sa.select(Team.id).where(Team.name == "Sales"))
    specs = [
        AudienceSpec("private", users=frozenset({author.id})),
        AudienceSpec("teams", teams=frozenset({team})),
        AudienceSpec("staff"),
        AudienceSpec("shared", shared_with=frozenset({kallio.id})),
    ]
    entries = [
        make_interaction(firm, author=author, audience=spec, body="The secret word")
        for spec in specs
        for firm in (kallio, hidden)
    ]
    return people, [kallio, hidden, *entries]


def test_the_explanation_is_the_truth_for_everybody_and_everything(house, boss, app):
    people, records = house
    verdicts = set()
    for person in people:
        for record in records:
            with db.read_only() as session:
                user = session.get_one(User, person.id)
                viewer = session.get_one(User, boss.id)
                kind = record_types()[type(record).record_name()]
                one = session.get_one(type(record), record.id)
                found = explain(user, kind, one, viewer=viewer)
                query = visible_to(user, type(record))
                seen = session.scalar(query.where(type(record).id == record.id))
                allowed = kind.permission.name in user.permissions
                assert found.sees == (seen is not None and allowed), (
                    person.name,
                    record.ref,
                    found,
                )
                assert found.decided
                verdicts.add(found.sees)
    assert verdicts == {True, False}


def test_a_private_entry_is_explained_without_a_word_of_it(house, browser):
    people, (kallio, _hidden, private, *_rest) = house
    author, mate = people[1], people[2]
    for user, answer in ((author, "sees this"), (mate, "does not see this")):
        path = f"/admin/why?user={user.id}&record=interaction/{private.id}"
        page = browser.get(path).text
        assert f"{user.name} {answer}" in page
        assert "a private one of Anna Author" in page
        assert "secret word" not in page
        assert kallio.name not in page


def test_each_rule_is_named_and_the_one_that_decides_stands_first(house, browser):
    people, (kallio, hidden, *_rest) = house
    outi, vendor, nobody = people[5], people[7], people[4]
    for user, record, said in (
        (people[2], hidden, "The plugin hider hides this contact from them."),
        (outi, kallio, "It is their own organisation, or themself."),
        (vendor, kallio, "It is neither their organisation nor themself."),
        (nobody, kallio, "No role of theirs allows"),
    ):
        path = f"/admin/why?user={user.id}&record=/contacts/{record.id}"
        assert said in browser.get(path).text, (user.name, record.name)


@pytest.mark.parametrize(
    "record", ["", "/contacts/999999", "contact/999999", "nonsense", "/", "x/y/z",
               "contact/99999999999999999999", "/contacts/99999999999999999999",
               "http://[", "/admin/users/1"]
)  # fmt: skip
def test_what_is_no_record_is_said_so(browser, boss, record):
    answer = browser.get("/admin/why", query_string={"user": boss.id, "record": record})
    assert answer.status_code == 200
    assert "field-error" in answer.text


def test_a_record_is_found_by_every_way_of_naming_it(house, boss, app):
    _people, (kallio, *_rest) = house
    with db.read_only() as session:
        viewer = session.get_one(User, boss.id)
        with app.test_request_context():
            for words in (
                f"/contacts/{kallio.id}",
                f"https://crm.example.com/contacts/{kallio.id}?tab=x",
                f" contact/{kallio.id} ",
            ):
                kind, record = find_record(words, viewer)
                assert (kind.name, record.id) == ("contact", kallio.id)
