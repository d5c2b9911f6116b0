"""Writing, answering, changing and putting away, through the API and the services."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Forbidden, Invalid
from core.events import Event
from core.interactions import services, timeline
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team, User

URL = "/api/v1/interactions"


def again(record):
    """Read a record as it stands in the database now."""
    db.session.rollback()
    return db.session.get_one(type(record), record.id)


def team(name):
    found = db.session.scalars(sa.select(Team.id).where(Team.name == name)).one()
    return AudienceSpec("teams", teams=frozenset({found}))


def shared_with(*contacts):
    return AudienceSpec("shared", shared_with=frozenset(one.id for one in contacts))


def change(entry, **changes):
    """Change an entry in a transaction of its own, as its author unless told."""
    with db.transaction() as session:
        found = session.get_one(Interaction, entry.id)
        actor = changes.pop("actor", None)
        actor = session.get_one(User, actor.id) if actor else found.author
        services.change_interaction(found, actor=actor, **changes)
    db.session.rollback()


def events(entry):
    query = sa.select(Event).where(Event.subject == entry.ref).order_by(Event.id)
    return [(one.type, one.audience_id) for one in db.session.scalars(query)]


def test_an_entry_is_written_and_read_by_the_names_that_others_rely_on(api):
    firm, person = make_contact(), make_contact("Pekka Virtanen", kind="person")
    anna = make_user("Anna Laine", teams=["Sales", "Support"])
    program = api(anna)
    sent = {
        "kind": "meeting",
        "body": "Has **four** developments.",
        "audience": "teams",
        "teams": ["Sales"],
        "contacts": [firm.id, person.id],
        "occurred_at": "2026-03-03T14:20:00+02:00",
    }
    answer = program.post(URL, json=sent)
    assert answer.status_code == 201
    body = answer.json
    assert answer.headers["Location"] == f"{URL}/{body['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert body["occurred_at"] == "2026-03-03T12:20:00Z"
    assert body["author"] == {"id": anna.id, "name": "Anna Laine"}
    assert body["parent"] is None
    assert body["shared_with"] == []
    same = ("kind", "body", "audience", "teams", "contacts")
    assert {name: body[name] for name in same} == {name: sent[name] for name in same}
    assert program.get(answer.headers["Location"]).json == body


def test_without_an_audience_an_entry_is_for_the_teams_of_its_author(api):
    firm = make_contact()
    in_teams = api(make_user("Anna Laine", teams=["Support", "Sales"]))
    body = in_teams.post(URL, json={"body": "x", "contacts": [firm.id]}).json
    assert (body["audience"], body["teams"]) == ("teams", ["Sales", "Support"])
    alone = api(make_user("Olli Outside"))
    body = alone.post(URL, json={"body": "x", "contacts": [firm.id]}).json
    assert (body["audience"], body["teams"]) == ("staff", [])


def test_a_list_of_readers_names_its_audience(api):
    firm = make_contact(roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    program = api(anna)

    def post(**sent):
        return program.post(URL, json={"body": "x", "contacts": [firm.id], **sent})

    assert post(teams=["Sales"]).json["audience"] == "teams"
    assert post(shared_with=[firm.id]).json["audience"] == "shared"
    private = post(audience="private").json
    assert (private["audience"], private["users"]) == ("private", [anna.id])
    both = post(teams=["Sales"], shared_with=[firm.id])
    assert list(both.json["errors"]) == ["audience"]
    assert list(post(audience="staff", teams=["Sales"]).json["errors"]) == ["teams"]
    assert list(post(teams=["Nobody"]).json["errors"]) == ["teams"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"body": ""}, "body"),
        ({"body": "   "}, "body"),
        ({"body": "x\x00"}, "body"),
        ({"body": 7}, "body"),
        ({"body": "x" * 100_001}, "body"),
        ({}, "body"),
        ({"body": "x", "kind": "seance"}, "kind"),
        ({"body": "x", "contacts": []}, "contacts"),
        ({"body": "x", "contacts": [999_999]}, "contacts"),
        ({"body": "x", "contacts": ["one"]}, "contacts.0"),
        ({"body": "x", "contacts": [2**40]}, "contacts.0"),
        ({"body": "x", "parent": 999_999}, "parent"),
        ({"body": "x", "audience": "customers"}, "audience"),
        ({"body": "x", "occurred_at": "yesterday"}, "occurred_at"),
        ({"body": "x", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_taken_is_refused_beside_its_field(api, sent, field):
    firm = make_contact()
    program = api(make_user())
    answer = program.post(URL, json={"contacts": [firm.id]} | sent)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in answer.json["errors"]
    assert program.get(URL).json["items"] == []


def test_the_same_post_twice_writes_once(api):
    firm = make_contact()
    program = api(make_user())
    headers = {"Idempotency-Key": "once"}
    sent = {"body": "Called back", "contacts": [firm.id]}
    first = program.post(URL, json=sent, headers=headers)
    again = program.post(URL, json=sent, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert len(program.get(URL).json["items"]) == 1
    other = program.post(URL, json=sent | {"body": "Other"}, headers=headers)
    assert other.status_code == 422


def test_a_change_says_which_version_it_changes(api):
    firm = make_contact()
    anna = make_user("Anna Laine")
    entry = make_interaction(firm, author=anna, body="Before")
    program, url = api(anna), f"{URL}/{entry.id}"
    assert program.patch(url, json={"body": "After"}).status_code == 428
    stale = {"If-Match": '"7"'}
    assert program.patch(url, json={"body": "x"}, headers=stale).status_code == 412
    current = {"If-Match": program.get(url).headers["ETag"]}
    answer = program.patch(url, json={"body": "After"}, headers=current)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json["body"] == "After"
    assert answer.json["edited_at"] is not None
    assert program.patch(url, json={"body": "x"}, headers=current).status_code == 412
    assert program.delete(url).status_code == 428
    current = {"If-Match": '"2"'}
    assert program.delete(url, headers=current).status_code == 204
    assert program.get(url).status_code == 404


def test_only_its_author_changes_an_entry_or_who_may_put_others_right(api):
    firm = make_contact()
    entry = make_interaction(firm, author=make_user("Anna Laine"))
    url, headers = f"{URL}/{entry.id}", {"If-Match": '"1"'}
    mika = api(make_user("Mika Koski"))
    assert mika.patch(url, json={"body": "x"}, headers=headers).status_code == 403
    assert mika.delete(url, headers=headers).status_code == 403
    admin = api(make_user("Ad Min", roles=["admin"]))
    assert admin.patch(url, json={"body": "x"}, headers=headers).status_code == 200


def test_an_entry_without_an_author_is_open_to_every_colleague(api):
    entry = make_interaction(make_contact(), author_name="Old system")
    program = api(make_user())
    url = f"{URL}/{entry.id}"
    assert program.get(url).json["author"] == {"id": None, "name": "Old system"}
    answer = program.patch(url, json={"kind": "call"}, headers={"If-Match": '"1"'})
    assert answer.json["kind"] == "call"


def test_a_reply_takes_the_audience_and_the_contacts_of_what_it_answers(api):
    firm, person = make_contact(), make_contact("Pekka Virtanen", kind="person")
    anna = make_user("Anna Laine", teams=["Sales"])
    mika = make_user("Mika Koski", teams=["Sales", "Support"])
    program = api(anna)
    asked = {"body": "x", "contacts": [firm.id, person.id]}
    parent = program.post(URL, json=asked).json
    reply = api(mika).post(URL, json={"body": "Seen", "parent": parent["id"]}).json
    same = ("audience", "teams", "contacts")
    assert [reply[name] for name in same] == [parent[name] for name in same]
    assert reply["parent"] == parent["id"]
    wider = {"body": "Seen", "parent": parent["id"], "audience": "staff"}
    assert api(mika).post(URL, json=wider).json["audience"] == "teams"
    answers = program.get(f"{URL}?parent={parent['id']}").json["items"]
    assert [one["audience"] for one in answers] == ["teams", "teams"]


def test_a_reply_is_refused_that_more_would_read_than_its_author_asked_for(api):
    firm = make_contact(roles=["customer"])
    parent = make_interaction(firm, audience=shared_with(firm))
    program = api(make_user("Anna Laine", teams=["Sales"]))
    for audience in ("private", "teams", "staff"):
        sent = {"body": "He pays late", "parent": parent.id, "audience": audience}
        answer = program.post(URL, json=sent)
        assert list(answer.json["errors"]) == ["audience"]


def test_nobody_answers_what_they_cannot_read(api):
    anna = make_user("Anna Laine", teams=["Sales"])
    parent = make_interaction(make_contact(), author=anna, audience=team("Sales"))
    other = api(make_user("Olli Outside"))
    answer = other.post(URL, json={"body": "?", "parent": parent.id})
    assert list(answer.json["errors"]) == ["parent"]


def test_sharing_needs_its_own_permission_for_writing_and_for_tokens(api, app):
    firm = make_contact(roles=["customer"])
    sent = {"body": "For you", "contacts": [firm.id], "audience": "shared"}
    anna = make_user("Anna Laine")
    assert api(anna).post(URL, json=sent).status_code == 201
    narrow = api(anna, "interactions:write", "interactions:read", "contacts:read")
    assert narrow.post(URL, json=sent).status_code == 403
    spec = shared_with(firm)
    reader = make_user("No Share", roles=["vendor"])
    with db.transaction() as session, pytest.raises(Forbidden):
        services.write_interaction(
            session.get_one(Contact, firm.id),
            author=session.get_one(User, reader.id),
            body="x",
            audience=spec,
        )


def test_sharing_with_somebody_makes_it_about_them_too(api):
    firm = make_contact(roles=["customer"])
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    program = api(make_user())
    sent = {"body": "For both", "contacts": [firm.id], "shared_with": [other.id]}
    assert program.post(URL, json=sent).json["contacts"] == [firm.id, other.id]


def test_what_a_customer_writes_is_shared_with_their_own_organisation(api):
    firm = make_contact(roles=["customer"])
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    program = api(outi)
    sent = {"body": "When do you come?", "audience": "staff", "source": "hidden"}
    body = program.post(URL, json=sent).json
    assert body["audience"] == "shared"
    assert body["shared_with"] == body["contacts"] == [firm.id]
    assert body["kind"] == "message"
    assert program.post(URL, json={"body": "x", "contacts": [other.id]}).json["errors"]
    assert api(make_user()).get(f"{URL}/{body['id']}").json["direction"] == "in"


def test_a_customer_reads_of_a_shared_entry_nothing_that_is_not_theirs(api):
    firm = make_contact(roles=["customer"])
    other = make_contact("Tapio Rakennus Oy", roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(
        firm,
        author=anna,
        audience=shared_with(firm, other),
        source="trade journal",
        direction="out",
    )
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    body = api(outi).get(f"{URL}/{entry.id}").json
    assert body["shared_with"] == body["contacts"] == [firm.id]
    assert body["author"] == {"name": "Anna Laine"}
    assert body["teams"] == []
    hidden = {"users", "source", "direction", "pinned", "created_at"}
    assert not hidden & set(body)
    assert api(outi).patch(f"{URL}/{entry.id}", json={}).status_code == 404
    assert api(outi).delete(f"{URL}/{entry.id}").status_code == 404


def test_a_vendor_reads_and_does_not_write(api):
    firm = make_contact("Putkitehdas Ab", roles=["vendor"])
    program = api(make_user("Ville Vendor", kind="vendor", contact=firm))
    assert program.get(URL).status_code == 200
    assert program.post(URL, json={"body": "x"}).status_code == 403


def test_opening_an_entry_is_announced_to_its_new_readers(app):
    firm = make_contact(roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(firm, author=anna, audience=team("Sales"))
    before = entry.audience_id
    change(entry, audience=AudienceSpec("staff"))
    assert events(entry)[-1] == (
        "interaction.audience_widened",
        again(entry).audience_id,
    )
    change(entry, audience=shared_with(firm))
    assert events(entry)[-1] == (
        "interaction.audience_widened",
        again(entry).audience_id,
    )
    assert ("interaction.audience_narrowed", before) not in events(entry)


def test_closing_an_entry_is_announced_to_those_who_lose_it(app):
    firm = make_contact(roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(firm, author=anna, audience=shared_with(firm))
    before = entry.audience_id
    change(entry, audience=AudienceSpec("staff"))
    assert ("interaction.audience_narrowed", before) in events(entry)
    names = [name for name, _audience in events(entry)]
    assert "interaction.audience_widened" not in names
    change(entry, audience=AudienceSpec("private", users=frozenset({anna.id})))
    names = [name for name, _audience in events(entry)]
    assert names.count("interaction.audience_narrowed") == 2
    assert "interaction.audience_widened" not in names


def test_a_team_for_another_closes_and_opens(app):
    make_user("Mika Koski", teams=["Support"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(make_contact(), author=anna, audience=team("Sales"))
    change(entry, audience=team("Support"))
    names = {name for name, _audience in events(entry)}
    assert {"interaction.audience_narrowed", "interaction.audience_widened"} <= names


def test_naming_a_team_mate_opens_nothing(app):
    mika = make_user("Mika Koski", teams=["Sales"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(make_contact(), author=anna, audience=team("Sales"))
    pair = AudienceSpec("private", users=frozenset({anna.id, mika.id}))
    change(entry, audience=pair)
    assert "interaction.audience_widened" not in dict(events(entry))
    olli = make_user("Olli Outside")
    three = AudienceSpec("private", users=pair.users | {olli.id})
    change(entry, audience=three)
    assert "interaction.audience_widened" in dict(events(entry))


def test_replies_are_never_opened_and_never_left_open(app):
    firm = make_contact(roles=["customer"])
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(firm, author=anna, audience=team("Sales"))
    with db.transaction() as session:
        reply = services.write_interaction(
            [],
            author=session.get_one(User, anna.id),
            body="He pays late",
            parent=session.get_one(Interaction, entry.id),
        )
        reply_id = reply.id
    change(entry, audience=shared_with(firm))
    assert db.session.get_one(Interaction, reply_id).audience.kind == "teams"
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    assert [one.id for one in timeline.latest(outi).items] == [entry.id]
    change(entry, audience=AudienceSpec("private", users=frozenset({anna.id})))
    assert db.session.get_one(Interaction, reply_id).audience.kind == "private"


def test_a_reply_cannot_be_opened_beyond_what_it_answers(app):
    anna = make_user("Anna Laine", teams=["Sales"])
    entry = make_interaction(make_contact(), author=anna, audience=team("Sales"))
    with db.transaction() as session:
        parent = session.get_one(Interaction, entry.id)
        reply = services.write_interaction(
            [], author=session.get_one(User, anna.id), body="x", parent=parent
        )
        session.refresh(reply)
        session.expunge(reply)
    with pytest.raises(Invalid):
        change(reply, audience=AudienceSpec("staff"))


def test_the_trash_takes_replies_along_and_gives_them_back(app):
    anna = make_user("Anna Laine")
    entry = make_interaction(make_contact(), author=anna)
    with db.transaction() as session:
        parent = session.get_one(Interaction, entry.id)
        author = session.get_one(User, anna.id)
        old = services.write_interaction([], author=author, body="Old", parent=parent)
        new = services.write_interaction([], author=author, body="New", parent=parent)
        services.trash_interaction(old, actor=author)
        ids = [parent.id, old.id, new.id]

    def visible():
        db.session.rollback()
        return {one.id for one in timeline.latest(anna).items}

    assert visible() == {ids[0], ids[2]}
    with db.transaction() as session:
        parent = session.get_one(Interaction, entry.id)
        services.trash_interaction(parent, actor=None)
        services.trash_interaction(parent, actor=None)
    assert visible() == set()
    with db.transaction() as session, pytest.raises(Invalid):
        services.restore_interaction(session.get_one(Interaction, ids[2]), actor=None)
    with db.transaction() as session:
        parent = session.get_one(Interaction, entry.id)
        services.restore_interaction(parent, actor=None)
        services.restore_interaction(parent, actor=None)
    assert visible() == {ids[0], ids[2]}


def test_writing_notes_when_it_last_happened_and_leaves_the_version_alone(app):
    firm = make_contact()
    before = (firm.version, firm.updated_at)
    moment = now() - timedelta(days=3)
    make_interaction(firm, occurred_at=moment)
    make_interaction(firm, occurred_at=moment - timedelta(days=9))
    make_interaction(firm, occurred_at=now() + timedelta(days=9))
    firm = again(firm)
    assert firm.last_interaction_at == moment
    assert (firm.version, firm.updated_at) == before


def test_when_it_last_happened_gives_nothing_away(app):
    firm = make_contact()
    anna = make_user("Anna Laine", teams=["Sales"])
    olli = make_user("Olli Outside")
    entry = make_interaction(firm, author=anna, audience=team("Sales"))
    assert again(firm).last_interaction_at is None
    assert timeline.last_contacts(olli, [firm.id]) == {}
    assert timeline.last_contacts(anna, [firm.id]) == {firm.id: entry.occurred_at}
    assert timeline.last_contacts(anna, []) == {}


def test_a_moved_entry_moves_in_every_timeline(app):
    firm = make_contact()
    anna = make_user("Anna Laine")
    first = make_interaction(firm, author=anna)
    second = make_interaction(firm, author=anna)
    change(first, occurred_at=now() + timedelta(hours=1))
    found = timeline.timeline(anna, firm).items
    assert [one.id for one in found] == [first.id, second.id]
