import re
from html import unescape

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.events import Event
from core.testing.factories import make_contact, make_user
from plugins.documents.models import Document, Opening
from tests.plugins.documents.looking import find, look


def shared_with(*contacts):
    return AudienceSpec("shared", shared_with=frozenset(one.id for one in contacts))


@pytest.fixture
def house(app):
    """Sales, support, a customer and another one, a vendor."""

    class House:
        anna = make_user("Anna Laine", teams=["Sales"])
        mika = make_user("Mika Koski", teams=["Support"], roles=("support",))
        kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
        tapio = make_contact("Tapio Rakennus Oy", roles=["customer"])
        putki = make_contact("Putki Oy", roles=["vendor"])
        outi = make_user("Outi Kallio", kind="customer", contact=kallio)
        tuomo = make_user("Tuomo Tapio", kind="customer", contact=tapio)
        ville = make_user("Ville Putki", kind="vendor", contact=putki)

    return House


# -- Who finds what ----------------------------------------------------------------


def test_nobody_outside_finds_an_internal_document_by_any_address(
    house, keep, as_user, api
):
    inside = keep(house.anna, contact=house.kallio, title="Our margin")
    for user in (house.outi, house.tuomo, house.ville):
        browser, client = as_user(user), api(user)
        addresses = [
            f"/documents/{inside.id}",
            f"/documents/{inside.id}/versions/1/file",
            f"/documents/{inside.id}/text",
            f"/documents/{inside.id}/share",
            f"/portal/documents/{inside.id}",
            "/documents",
            "/documents/new",
        ]
        for address in addresses:
            assert browser.get(address).status_code == 404, address
        for address in ("", "/versions/1/file"):
            path = f"/api/v1/documents/{inside.id}{address}"
            assert client.get(path).status_code == 404, path
        assert "Our margin" not in browser.get("/portal/documents").text
        assert client.get("/api/v1/documents").json["items"] == []


def test_colleagues_of_another_team_do_not_find_a_document_of_a_team(
    house, keep, as_user, api
):
    sales = AudienceSpec("teams", teams=frozenset(house.anna.team_ids))
    made = keep(house.anna, contact=house.kallio, audience=sales, title="Our margin")
    browser, client = as_user(house.mika), api(house.mika)
    for address in ("", "/versions/1/file", "/text", "/edit", "/share", "/versions"):
        path = f"/documents/{made.id}{address}"
        assert browser.get(path).status_code == 404, path
    for act in ("trash", "restore", "edit", "share", "versions"):
        path = f"/documents/{made.id}/{act}"
        assert browser.post(path, data={"title": "x"}).status_code == 404, path
    path = f"/api/v1/documents/{made.id}"
    assert client.get(path).status_code == 404
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 404
    assert client.get(f"{path}/versions/1/file").status_code == 404
    assert "Our margin" not in browser.get("/documents").text
    assert "Our margin" not in browser.get(f"/contacts/{house.kallio.id}").text


@pytest.mark.parametrize("number", [0, 2, 99, 2**31, 2**70])
def test_a_version_that_does_not_exist_is_not_found(house, keep, as_user, number):
    made = keep(house.anna)
    address = f"/documents/{made.id}/versions/{number}/file"
    assert as_user(house.anna).get(address).status_code == 404
    assert as_user(house.anna).get(f"/documents/{2**70}").status_code == 404


def test_the_customer_it_is_shown_to_reads_it_with_fewer_fields_and_others_do_not(
    house, keep, as_user, api
):
    made = keep(
        house.anna,
        contact=house.kallio,
        title="Prices",
        audience=shared_with(house.kallio),
    )
    browser, client = as_user(house.outi), api(house.outi)
    assert "Prices" in browser.get("/portal/documents").text
    page = browser.get(f"/portal/documents/{made.id}")
    assert page.status_code == 200
    assert "Anna" not in page.text
    file = browser.get(f"/documents/{made.id}/versions/1/file", buffered=True)
    assert file.data.startswith(b"%PDF")
    said = client.get(f"/api/v1/documents/{made.id}").json
    assert set(said) == {
        "id", "title", "current", "text_state", "versions",
        "created_at", "updated_at", "version",
    }  # fmt: skip
    assert "sha256" not in said["versions"][0]
    for user in (house.tuomo, house.ville):
        assert as_user(user).get(f"/portal/documents/{made.id}").status_code == 404
        file = f"/documents/{made.id}/versions/1/file"
        assert as_user(user).get(file).status_code == 404
        assert api(user).get(f"/api/v1/documents/{made.id}").status_code == 404


def test_people_outside_get_the_current_version_and_no_other(
    house, keep, as_user, api, send
):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    send(
        api(house.anna), b"second", "2.txt", to=f"/api/v1/documents/{made.id}/versions"
    )
    browser, client = as_user(house.outi), api(house.outi)
    address = f"/documents/{made.id}/versions"
    assert browser.get(f"{address}/2/file", buffered=True).data == b"second"
    assert browser.get(f"{address}/1/file").status_code == 404
    assert client.get(f"/api/v1{address}/1/file").status_code == 404
    said = client.get(f"/api/v1/documents/{made.id}").json
    assert [one["number"] for one in said["versions"]] == [2]
    inside = as_user(house.anna).get(f"{address}/1/file", buffered=True)
    assert inside.data.startswith(b"%PDF")


def test_people_outside_change_nothing(house, keep, as_user, api, send):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    browser, client = as_user(house.outi), api(house.outi)
    address = f"/documents/{made.id}"
    for act in ("trash", "restore", "edit", "share", "versions"):
        assert browser.post(f"{address}/{act}").status_code == 404
    path = f"/api/v1{address}"
    match = {"If-Match": "*"}
    assert client.patch(path, json={"title": "x"}, headers=match).status_code == 404
    assert client.delete(path, headers=match).status_code == 404
    assert send(client).status_code == 404
    assert send(client, to=f"{path}/versions").status_code == 404


def test_what_lies_in_the_trash_is_for_colleagues_only(house, keep, as_user):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    assert as_user(house.anna).post(f"/documents/{made.id}/trash").status_code == 303
    outside = as_user(house.outi)
    assert outside.get(f"/portal/documents/{made.id}").status_code == 404
    assert outside.get(f"/documents/{made.id}/versions/1/file").status_code == 404
    assert as_user(house.anna).get(f"/documents/{made.id}").status_code == 200


def test_without_the_permission_there_is_no_page_and_no_panel(house, keep, as_user):
    keep(house.anna, contact=house.kallio, title="Prices")
    nobody = as_user(make_user("No Role", roles=()))
    assert nobody.get("/documents").status_code == 403
    admin = as_user(make_user("Ad Min", roles=("admin",)))
    assert "Prices" in admin.get(f"/contacts/{house.kallio.id}").text


def test_an_administrator_does_not_see_a_private_document(house, keep, as_user):
    private = AudienceSpec("private", users=frozenset({house.anna.id}))
    made = keep(house.anna, audience=private)
    admin = as_user(make_user("Ad Min", roles=("admin",)))
    assert admin.get(f"/documents/{made.id}").status_code == 404


# -- Changing who reads it ---------------------------------------------------------


def hidden(page, name):
    return re.findall(rf'name="{name}" value="([^"]*)"', page.text)


def share(browser, made, **choice):
    return browser.post(f"/documents/{made.id}/share", data=choice)


def test_sharing_first_says_by_name_who_will_read_it(house, keep, as_user):
    made = keep(house.anna, contact=house.kallio)
    browser = as_user(house.anna)
    choice = {"audience": "shared", "shared_with": house.kallio.id}
    asked = share(browser, made, **choice)
    assert asked.status_code == 200
    assert "Outi Kallio" in asked.text
    assert "1 person outside will see this." in asked.text
    assert "Show to 1 person outside" in asked.text
    assert find(Document, made.id).audience.kind == "staff"
    done = share(browser, made, **choice, seen=hidden(asked, "seen"))
    assert done.status_code == 303
    assert find(Document, made.id).audience.kind == "shared"
    assert "Customer sees this" in browser.get(f"/documents/{made.id}").text


def test_it_is_asked_again_when_somebody_was_added_meanwhile(house, keep, as_user):
    made = keep(house.anna, contact=house.kallio)
    browser = as_user(house.anna)
    choice = {"audience": "shared", "shared_with": house.kallio.id}
    seen = hidden(share(browser, made, **choice), "seen")
    make_user("Pekka Virtanen", kind="customer", contact=house.kallio)
    again = share(browser, made, **choice, seen=seen)
    assert again.status_code == 200
    assert "Pekka Virtanen" in again.text
    assert "Somebody was added" in again.text
    assert share(browser, made, **choice, seen=hidden(again, "seen")).status_code == 303


def test_narrowing_from_outside_first_says_who_has_opened_it(house, keep, as_user):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    file = f"/documents/{made.id}/versions/1/file"
    as_user(house.outi).get(file, buffered=True)
    browser = as_user(house.anna)
    assert "Outi Kallio" in browser.get(f"/documents/{made.id}").text
    asked = share(browser, made, audience="staff")
    assert asked.status_code == 200
    assert "Outi Kallio opened version 1." in asked.text
    seen = hidden(asked, "seen")
    assert share(browser, made, audience="staff", seen=seen).status_code == 303
    assert as_user(house.outi).get(file).status_code == 404


def test_narrowing_inside_the_house_asks_nothing(house, keep, as_user):
    made = keep(house.anna)
    browser = as_user(house.anna)
    assert share(browser, made, audience="teams", teams="Sales").status_code == 303
    asked = share(browser, made, audience="staff")
    assert (asked.status_code, "Mika Koski" in asked.text) == (200, True)


def test_changing_readers_leaves_an_event_for_those_it_concerns(house, keep, api):
    made = keep(house.anna, contact=house.kallio)
    client = api(house.anna)
    address = f"/api/v1/documents/{made.id}"
    for choice in (
        {"audience": "shared", "shared_with": [house.kallio.id]},
        {"audience": "private"},
    ):
        answer = client.patch(address, json=choice, headers={"If-Match": "*"})
        assert answer.status_code == 200
    events = db.session.scalars(
        sa.select(Event).where(Event.type.contains("audience_")).order_by(Event.id)
    ).all()
    assert [one.type.rpartition("_")[2] for one in events] == ["widened", "narrowed"]
    # Both were written for those who could read it when it was open.
    assert len({one.audience_id for one in events}) == 1
    outside = api(house.outi).get("/api/v1/events?cursor=0.0").json["items"]
    assert {one["type"] for one in outside} >= {one.type for one in events}


def test_a_role_may_be_kept_from_showing_documents_outside(house, keep, as_user, api):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("archive", ("documents:read", "documents:write", "contacts:read"))
    clerk = make_user("Aki Arkisto", roles=("archive",))
    made = keep(clerk, contact=house.kallio)
    choice = {"audience": "shared", "shared_with": [house.kallio.id]}
    match = {"If-Match": "*"}
    answer = api(clerk).patch(
        f"/api/v1/documents/{made.id}", json=choice, headers=match
    )
    assert answer.status_code == 403
    assert share(as_user(clerk), made, **choice).status_code == 403
    assert (
        'value="shared"' not in as_user(clerk).get(f"/documents/{made.id}/share").text
    )


def test_only_who_keeps_a_private_document_opens_it(house, keep, api):
    both = AudienceSpec("private", users=frozenset({house.anna.id, house.mika.id}))
    made = keep(house.anna, audience=both)
    address, match = f"/api/v1/documents/{made.id}", {"If-Match": "*"}
    wider = {"audience": "staff"}
    assert api(house.mika).patch(address, json=wider, headers=match).status_code == 403
    assert api(house.anna).patch(address, json=wider, headers=match).status_code == 200


def test_two_people_changing_readers_meet_a_conflict_and_lose_nothing(
    house, keep, as_user, api
):
    made = keep(house.anna)
    api(house.mika).patch(
        f"/api/v1/documents/{made.id}", json={"title": "New"}, headers={"If-Match": "*"}
    )
    late = share(
        as_user(house.anna), made, audience="teams", teams="Sales", version="1"
    )
    assert late.status_code == 409
    assert "Somebody changed this document" in late.text
    assert re.search(r'value="teams" checked', late.text)


# -- What was opened ---------------------------------------------------------------


def test_what_people_outside_open_is_remembered_once_per_version(
    house, keep, as_user, api
):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    file = f"/documents/{made.id}/versions/1/file"
    for client in (as_user(house.outi), api(house.outi)):
        path = (
            file
            if client.get("/portal/documents").status_code == 200
            else f"/api/v1{file}"
        )
        client.get(path, buffered=True)
    as_user(house.outi).head(file, buffered=True)
    as_user(house.anna).get(file, buffered=True)
    (opening,) = look(sa.select(Opening))
    assert opening.user_id == house.outi.id
    assert opening.last_at > opening.first_at


def test_a_colleague_who_looks_as_somebody_opens_nothing_for_them(house, keep, as_user):
    made = keep(house.anna, contact=house.kallio, audience=shared_with(house.kallio))
    browser = as_user(house.anna)
    browser.post(f"/view-as/{house.outi.id}")
    answer = browser.get(f"/documents/{made.id}/versions/1/file", buffered=True)
    assert answer.status_code == 200
    assert look(sa.select(Opening)) == []


def test_the_upload_form_never_goes_outside_in_one_step(house, as_user, send):
    browser = as_user(house.anna)
    answer = send(
        browser,
        to="/documents",
        contact=house.kallio.id,
        audience="shared",
        shared_with=[house.kallio.id],
    )
    assert answer.status_code == 303
    made = look(sa.select(Document))[0]
    assert made.audience.kind == "teams"
    assert f"/documents/{made.id}/share?" in answer.headers["Location"]
    form = browser.get(unescape(answer.headers["Location"]))
    assert re.search(r'value="shared" checked', form.text)
    assert "Kallion Vesijohto" in form.text


def test_the_part_that_says_who_reads_it_names_people_outside(house, as_user):
    browser = as_user(house.anna)
    silent = make_contact("Hiljainen Oy", roles=["customer"])
    said = browser.get(
        "/documents/who",
        query_string={
            "audience": "shared", "shared_with": [house.kallio.id, silent.id]
        },
    )  # fmt: skip
    assert "Outi Kallio (Kallion Vesijohto Oy)" in said.text
    assert "Nobody of Hiljainen Oy can sign in yet." in said.text
    assert browser.get("/documents/who").text == ""
    assert browser.get("/documents/who?audience=nonsense").text == ""
