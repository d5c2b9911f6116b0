"""Entries are linked to tickets, orders and documents, for those who read both."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.interactions.services import trash_interaction
from core.records import Link
from core.testing.factories import make_user
from core.users.defaults import ROLES
from core.users.models import User
from core.users.services import ensure_role
from plugins.support.models import Ticket
from plugins.support.services import open_ticket


def opened(firm, author, subject, **more):
    with db.transaction() as session:
        contact, writer = session.get(Contact, firm.id), session.get(User, author.id)
        made = open_ticket(
            contact, author=writer, subject=subject, body="Careful now.", **more
        )
        number = made.id
    db.session.rollback()
    return db.session.get(Ticket, number)


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Support"])


@pytest.fixture
def ticket(firm, mika):
    """A ticket that every colleague reads."""
    return opened(firm, mika, "Leaking valve", audience=AudienceSpec("staff"))


@pytest.fixture
def secret(firm, mika):
    """A ticket that only Mika's team reads."""
    return opened(firm, mika, "Their lawyer wrote")


def note(firm, *links, **more):
    told = {"contacts": firm.id, "kind": "note", "body": "The part is on its way."}
    return {"audience": "staff", **told, "links": [one.ref for one in links], **more}


def latest():
    db.session.rollback()
    return db.session.scalars(sa.select(Interaction).order_by(-Interaction.id)).first()


def links():
    db.session.rollback()
    return sorted(db.session.scalars(sa.select(Link.to_ref)))


def places(page):
    return re.findall(r'hx-get="(/interactions/\d+/links)"', page)


def test_a_note_names_its_ticket_and_the_ticket_its_note(firm, anna, as_user, ticket):
    browser = as_user(anna)
    browser.post("/interactions", data=note(firm, ticket))
    entry = latest()
    (place,) = places(browser.get(f"/contacts/{firm.id}").text)
    for said in (
        browser.get(place, headers={"HX-Request": "true"}).text,
        browser.get(place).text,
    ):
        assert f'href="/support/{ticket.number}"' in said
        assert "Leaking valve" in said
    page = browser.get(f"/support/{ticket.number}").text
    assert "Notes about this" in page
    assert f'href="/interactions/{entry.id}"' in page
    assert "The part is on its way." in page


def test_a_note_without_links_has_no_place_for_them(firm, anna, as_user, ticket):
    as_user(anna).post("/interactions", data=note(firm))
    assert not places(as_user(anna).get(f"/contacts/{firm.id}").text)


def test_who_may_not_read_the_ticket_learns_nothing_of_the_link(
    firm, anna, mika, as_user, secret
):
    as_user(mika).post("/interactions", data=note(firm, secret))
    entry = latest()
    url = f"/interactions/{entry.id}/links"
    for reader, sees in ((mika, True), (anna, False)):
        browser = as_user(reader)
        assert bool(places(browser.get(f"/contacts/{firm.id}").text)) is sees
        answer = browser.get(url)
        assert ("Their lawyer wrote" in answer.text) is sees
        item = browser.get(f"/api/v1/interactions/{entry.id}").json
        assert item["links"] == ([secret.ref] if sees else [])
        edit = as_user(reader).get(f"/interactions/{entry.id}/edit").text
        assert ("Their lawyer wrote" in edit) is sees


def test_who_may_not_read_the_note_finds_no_trace_of_it_at_the_ticket(
    firm, anna, mika, as_user, ticket
):
    as_user(mika).post(
        "/interactions", data=note(firm, ticket, audience="teams", teams="Support")
    )
    page = f"/support/{ticket.number}"
    assert "The part is on its way." in as_user(mika).get(page).text
    hidden = as_user(anna).get(page).text
    assert "The part is on its way." not in hidden
    assert "Notes about this" not in hidden


def test_whose_role_reads_no_tickets_sees_no_link(firm, anna, as_user, ticket):
    as_user(anna).post("/interactions", data=note(firm, ticket))
    entry = latest()
    may = set(ROLES["staff"][0]) - {"support:read", "support:write"}
    with db.transaction():
        ensure_role("Notes only", may)
    reader = make_user("Rauno Ranta", roles=["Notes only"])
    browser = as_user(reader)
    assert not places(browser.get(f"/contacts/{firm.id}").text)
    assert "Leaking valve" not in browser.get(f"/interactions/{entry.id}/links").text


def test_nothing_hidden_or_unknown_can_be_linked(firm, anna, as_user, secret, api):
    before = latest()
    for ref in (secret.ref, "support.ticket/999", "user/1", "contact/1", "x", "a/b/1"):
        answer = api(anna).post(
            "/api/v1/interactions",
            json={"contacts": [firm.id], "body": "Look.", "links": [ref]},
        )
        assert answer.status_code == 422, ref
        assert ref in answer.json["errors"]["links"][0]
    assert latest() == before
    assert links() == []


def test_editing_keeps_the_links_that_the_editor_cannot_see(
    firm, anna, mika, as_user, ticket, secret
):
    as_user(mika).post("/interactions", data=note(firm, ticket, secret))
    entry = latest()
    with db.transaction() as session:
        session.get(Interaction, entry.id).author_id = anna.id
    entry = latest()
    sent = note(firm, version=entry.version, looked="1")
    answer = as_user(anna).post(f"/interactions/{entry.id}/edit", data=sent)
    assert answer.status_code == 303
    # The ticket she saw is unlinked; the one she knows nothing of is still linked.
    assert links() == [secret.ref]


def test_nobody_finds_out_by_trying_what_an_entry_is_linked_to(
    firm, anna, mika, as_user, ticket, secret, api
):
    as_user(mika).post("/interactions", data=note(firm, secret))
    entry = latest()
    with db.transaction() as session:
        session.get(Interaction, entry.id).author_id = anna.id
    program, url = api(anna), f"/api/v1/interactions/{entry.id}"
    for ref in (secret.ref, "support.ticket/999"):
        tag = {"If-Match": program.get(url).headers["ETag"]}
        answer = program.patch(url, json={"links": [ref]}, headers=tag)
        assert answer.status_code == 422, ref
    tag = {"If-Match": program.get(url).headers["ETag"]}
    answer = program.patch(url, json={"links": [ticket.ref]}, headers=tag)
    assert answer.json["links"] == [ticket.ref]
    assert links() == sorted([ticket.ref, secret.ref])


def test_the_link_stays_while_one_looks_for_whom(firm, anna, as_user, ticket):
    browser = as_user(anna)
    page = browser.get(f"/interactions/new?link={ticket.ref}&q=Kallion").text
    assert f'name="link" value="{ticket.ref}"' in page
    found = re.search(r'href="(/interactions/new\?contact=[^"]+)"', page)[1]
    form = browser.get(unescape(found)).text
    assert f'name="links" value="{ticket.ref}" checked' in form


def test_programs_read_and_change_links(firm, anna, ticket, api):
    program = api(anna)
    made = program.post(
        "/api/v1/interactions",
        json={"contacts": [firm.id], "body": "Look.", "links": [ticket.ref]},
    )
    assert made.status_code == 201
    assert made.json["links"] == [ticket.ref]
    url, tag = f"/api/v1/interactions/{made.json['id']}", made.headers["ETag"]
    listed = program.get("/api/v1/interactions").json["items"]
    assert [ticket.ref] in [one["links"] for one in listed]
    kept = program.patch(url, json={"body": "Look!"}, headers={"If-Match": tag})
    assert kept.json["links"] == [ticket.ref]
    gone = program.patch(
        url, json={"links": []}, headers={"If-Match": kept.headers["ETag"]}
    )
    assert gone.json["links"] == []
    assert gone.headers["ETag"] != kept.headers["ETag"]


def test_the_button_on_a_ticket_brings_its_link_along(firm, anna, as_user, ticket):
    browser = as_user(anna)
    page = browser.get(f"/interactions/new?contact={firm.id}&link={ticket.ref}").text
    assert f'name="links" value="{ticket.ref}" checked' in page
    assert "Leaking valve" in page
    odd = browser.get(f"/interactions/new?contact={firm.id}&link=user/1")
    assert odd.status_code == 200
    assert 'name="links" value' not in odd.text


def test_a_refused_note_keeps_its_links(firm, anna, as_user, ticket):
    sent = note(firm, ticket, body="")
    answer = as_user(anna).post("/interactions", data=sent)
    assert answer.status_code == 422
    assert f'name="links" value="{ticket.ref}" checked' in answer.text


def test_records_are_offered_by_what_the_search_finds(
    firm, anna, mika, as_user, ticket, secret, deliver
):
    deliver()
    url = "/interactions/records?q=valve"
    items = {one["id"]: one["name"] for one in as_user(anna).get(url).json["items"]}
    assert "Leaking valve" in items[ticket.ref]
    # A contact is no link: it is whom the entry is about.
    assert firm.ref not in items
    for reader, count in ((mika, 1), (anna, 0)):
        found = as_user(reader).get("/interactions/records?q=lawyer").json["items"]
        assert len([one for one in found if one["id"] == secret.ref]) == count


def test_the_dossier_names_what_its_reader_may_read(
    firm, anna, mika, as_user, ticket, secret
):
    as_user(mika).post("/interactions", data=note(firm, ticket, secret))
    url = f"/interactions/timeline/{firm.id}.json"
    plain, careful = (
        f"Ticket: #{one.number} {one.subject}" for one in (ticket, secret)
    )
    for reader, titles in ((mika, [plain, careful]), (anna, [plain])):
        lines = as_user(reader).get(url).json["entries"]
        assert sorted(lines[0]["linked"]) == sorted(titles)
    outside = as_user(mika).get(f"{url}?audience=shared").text
    assert "Leaking valve" not in outside


def test_what_is_in_the_trash_is_linked_to_nothing(firm, anna, as_user, ticket):
    as_user(anna).post("/interactions", data=note(firm, ticket))
    entry = latest()
    with db.transaction() as session:
        trash_interaction(session.get(Interaction, entry.id), actor=None)
    assert "Notes about this" not in as_user(anna).get(f"/support/{ticket.number}").text
    assert as_user(anna).get(f"/interactions/{entry.id}/links").status_code == 404


def test_what_waits_with_the_customer_is_offered_at_once(
    firm, anna, mika, as_user, ticket, secret
):
    for reader, refs in ((mika, {ticket.ref, secret.ref}), (anna, {ticket.ref})):
        found = as_user(reader).get(f"/interactions/records?contact={firm.id}").json
        assert {one["id"] for one in found["items"]} == refs
    url = f"/interactions/records?contact={firm.id}&q=VALVE"
    (item,) = as_user(mika).get(url).json["items"]
    assert item["id"] == ticket.ref
    assert as_user(anna).get("/interactions/records?contact=999").json["items"] == []


def test_a_draft_is_told_the_names_of_what_its_writer_still_sees(
    firm, anna, mika, as_user, ticket, secret
):
    kept = {"chosen": [ticket.ref, secret.ref, "support.ticket/999", "odd"]}
    for reader, refs in ((mika, [ticket.ref, secret.ref]), (anna, [ticket.ref])):
        browser = as_user(reader)
        found = browser.get("/interactions/records", query_string=kept).json["items"]
        assert [one["id"] for one in found] == refs
        assert "Leaking valve" in found[0]["name"]
