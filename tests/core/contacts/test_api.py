"""/api/v1/contacts: the promises that programs rely on."""

import pytest

from core.contacts.affiliations import affiliate
from core.contacts.models import Contact
from core.db import db
from core.testing.factories import make_contact, make_user

NAMED = {
    "id", "kind", "name", "given_name", "family_name", "emails", "phones", "roles",
    "owner", "addresses", "affiliations", "parent", "language", "do_not_contact",
    "next_step", "tags", "custom", "version",
}  # fmt: skip
INSIDE = {"owner", "next_step", "know_first", "tags", "custom", "do_not_contact"}


def test_a_contact_added_is_read_back_with_every_field(app, api):
    anna = make_user("Anna Laine")
    group = make_contact("Kallio Group")
    pekka = make_contact("Pekka Virtanen", kind="person")
    client = api(anna)
    sent = {
        "kind": "organisation",
        "name": "Kallion Vesijohto Oy",
        "emails": [{"address": "info@kallio.example", "label": "office"}],
        "phones": [{"number": "+358 40 123 4567", "label": "mobile"}],
        "addresses": [{"street": "Kalliokatu 1", "city": "Helsinki", "country": "FI"}],
        "roles": ["vendor", "customer"],
        "owner": anna.email,
        "affiliations": [{"person": pekka.id, "role": "Buyer", "since": "2021-05-01"}],
        "parent": group.id,
        "language": "fi",
        "do_not_contact": True,
        "know_first": "Deliver before **ten**.",
        "next_step": "Call",
        "next_step_on": "2026-03-05",
        "tags": ["retail", "Helsinki"],
        "custom": {"discount": 10, "gate": "B"},
    }
    answer = client.post("/api/v1/contacts", json=sent)
    assert answer.status_code == 201, answer.json
    made = answer.json
    assert answer.headers["Location"].endswith(f"/api/v1/contacts/{made['id']}")
    assert answer.headers["ETag"] == f'"{made["version"]}"'
    assert set(made) >= NAMED
    assert made["emails"] == sent["emails"]
    assert made["phones"] == sent["phones"]
    assert made["roles"] == ["customer", "vendor"]
    assert made["owner"] == {"id": anna.id, "name": "Anna Laine"}
    assert made["parent"] == {"id": group.id, "name": "Kallio Group"}
    assert made["affiliations"][0]["person"] == {
        "id": pekka.id,
        "name": "Pekka Virtanen",
    }
    assert made["affiliations"][0]["role"] == "Buyer"
    assert made["tags"] == ["Helsinki", "retail"]
    assert made["custom"] == {"discount": 10, "gate": "B"}
    assert made["addresses"][0]["city"] == "Helsinki"
    read = client.get(answer.headers["Location"])
    assert read.json == made
    assert read.headers["ETag"] == answer.headers["ETag"]
    person = client.get(f"/api/v1/contacts/{pekka.id}").json
    assert person["affiliations"][0]["organisation"]["id"] == made["id"]


def test_the_same_post_twice_adds_one_contact(app, api):
    client = api(make_user())
    sent = {"kind": "person", "name": "Pekka Virtanen"}
    first, second = (
        client.post("/api/v1/contacts", json=sent, headers={"Idempotency-Key": "k-1"})
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert len(client.get("/api/v1/contacts").json["items"]) == 1
    other = client.post(
        "/api/v1/contacts",
        json=sent | {"name": "Outi"},
        headers={"Idempotency-Key": "k-1"},
    )
    assert other.status_code == 422


def test_two_programs_that_change_one_contact_cannot_overwrite_each_other(app, api):
    contact = make_contact()
    client = api(make_user())
    url = f"/api/v1/contacts/{contact.id}"
    tag = client.get(url).headers["ETag"]
    blind = client.patch(url, json={"next_step": "Call"})
    first = client.patch(url, json={"next_step": "Call"}, headers={"If-Match": tag})
    late = client.patch(url, json={"next_step": "Write"}, headers={"If-Match": tag})
    assert [one.status_code for one in (blind, first, late)] == [428, 200, 412]
    assert late.mimetype == "application/problem+json"
    assert client.get(url).json["next_step"] == "Call"
    assert first.headers["ETag"] == '"2"'
    assert client.delete(url).status_code == 428
    assert client.delete(url, headers={"If-Match": tag}).status_code == 412


def test_a_patch_changes_what_it_sends_and_nothing_else(app, api):
    anna, mika = make_user("Anna Laine"), make_user("Mika Koski")
    contact = make_contact(owner=anna.id, tags=["retail"], phones=["040 1234567"])
    answer = api(anna).patch(
        f"/api/v1/contacts/{contact.id}",
        json={"owner": mika.id, "tags": []},
        headers={"If-Match": '"1"'},
    )
    assert answer.json["owner"]["name"] == "Mika Koski"
    assert answer.json["tags"] == []
    assert answer.json["phones"] == [{"number": "040 1234567", "label": ""}]
    cleared = api(anna).patch(
        f"/api/v1/contacts/{contact.id}",
        json={"owner": None},
        headers={"If-Match": '"2"'},
    )
    assert cleared.json["owner"] is None


def test_a_deleted_contact_is_in_the_trash_and_comes_back(app, api, as_user):
    anna = make_user("Anna Laine")
    contact = make_contact()
    url = f"/api/v1/contacts/{contact.id}"
    client = api(anna)
    assert client.delete(url, headers={"If-Match": '"1"'}).status_code == 204
    assert client.get(url).status_code == 404
    assert client.get("/api/v1/contacts").json["items"] == []
    assert as_user(anna).post(f"/contacts/{contact.id}/restore").status_code == 303
    assert client.get(url).status_code == 200


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "person"}, "name"),
        ({"name": "Pekka"}, "kind"),
        ({"kind": "robot", "name": "R2"}, "kind"),
        (
            {"kind": "person", "name": "P", "emails": [{"address": "x"}]},
            "emails.0.address",
        ),
        (
            {"kind": "person", "name": "P", "emails": [{"adress": "x"}]},
            "emails.0.adress",
        ),
        ({"kind": "person", "name": "P", "colour": "red"}, "colour"),
        ({"kind": "person", "name": "P", "owner": 4711}, "owner"),
        ({"kind": "person", "name": "P", "owner": 1.5}, "owner"),
        ({"kind": "person", "name": "P", "version": 7}, "version"),
        ({"kind": "person", "name": "P", "tags": "retail"}, "tags"),
    ],
)
def test_a_wrong_field_is_named_in_the_problem(app, api, sent, field):
    answer = api(make_user()).post("/api/v1/contacts", json=sent)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert field in answer.json["errors"], answer.json


def test_the_pages_of_a_list_are_complete_and_hold_nothing_twice(app, api):
    names = [f"Contact {n % 7}" for n in range(45)] + ["Ääni", "zeta", "李伟", "'; --"]
    for name in names:
        make_contact(name)
    client = api(make_user())
    seen: list[int] = []
    url: str | None = "/api/v1/contacts?limit=10"
    while url:
        answer = client.get(url)
        assert len(answer.json["items"]) <= 10
        seen += [one["id"] for one in answer.json["items"]]
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next"] is None)
        url = link.split("<")[1].split(">")[0] if link else None
    assert len(seen) == len(set(seen)) == len(names)


def test_a_list_is_filtered_by_kind_role_owner_tag_and_organisation(app, api):
    anna = make_user("Anna Laine")
    firm = make_contact("Firm", roles=["vendor"], tags=["Big"])
    pekka = make_contact("Pekka", kind="person", owner=anna.id)
    with db.transaction() as session:
        affiliate(
            session.get_one(Contact, pekka.id),
            organisation=session.get_one(Contact, firm.id),
        )
    client = api(anna)

    def found(**asked):
        answer = client.get("/api/v1/contacts", query_string=asked)
        return [one["name"] for one in answer.json["items"]]

    assert found() == ["Firm", "Pekka"]
    assert found(kind="person") == ["Pekka"]
    assert found(role="vendor") == ["Firm"]
    assert found(owner="me") == found(owner=anna.id) == ["Pekka"]
    assert found(owner="nobody") == ["Firm"]
    assert found(tag="big") == ["Firm"]
    assert found(organisation=firm.id) == ["Pekka"]
    assert client.get("/api/v1/contacts?organisation=999").status_code == 404
    assert client.get("/api/v1/contacts?role=friend").status_code == 422
    assert client.get("/api/v1/contacts?cursor=bogus").status_code == 400
    assert client.get("/api/v1/contacts?limit=201").status_code == 422


def test_a_portal_user_reads_their_own_organisation_without_what_is_internal(app, api):
    anna = make_user("Anna Laine")
    group = make_contact("Kallio Group")
    own = make_contact(
        owner=anna.id,
        tags=["slow payer"],
        know_first="Never before ten",
        parent=group.id,
    )
    other = make_contact("Tapio Rakennus Oy")
    outi = make_user("Outi Kallio", kind="customer", contact=own)
    client = api(outi)
    [seen] = client.get("/api/v1/contacts").json["items"]
    assert seen == client.get(f"/api/v1/contacts/{own.id}").json
    assert seen["name"] == own.name
    assert not INSIDE & set(seen)
    assert seen["parent"] is None
    for number in (other.id, group.id, 999, 2**40):
        assert client.get(f"/api/v1/contacts/{number}").status_code == 404
    for asked in ({"tag": "slow payer"}, {"owner": anna.id}, {"owner": "nobody"}):
        assert (
            len(client.get("/api/v1/contacts", query_string=asked).json["items"]) == 1
        )
    tag = {"If-Match": '"1"'}
    assert (
        client.patch(f"/api/v1/contacts/{own.id}", json={}, headers=tag).status_code
        == 404
    )
    assert client.delete(f"/api/v1/contacts/{own.id}", headers=tag).status_code == 404
    sent = {"kind": "person", "name": "P"}
    assert client.post("/api/v1/contacts", json=sent).status_code == 404


def test_a_colleague_of_short_sight_learns_no_name_beyond_it(app, api):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("own", ["contacts:read", "contacts:write"], reach="own")
    sanna = make_user("Sanna Aho", roles=("own",))
    hidden = make_contact("Hidden Group")
    mine = make_contact("Mine Oy", owner=sanna.id, parent=hidden.id)
    secret = make_contact("Secret Person", kind="person")
    with db.transaction() as session:
        affiliate(
            session.get_one(Contact, secret.id),
            organisation=session.get_one(Contact, mine.id),
        )
    client = api(sanna)
    text = client.get("/api/v1/contacts").text
    assert "Mine Oy" in text
    assert "Hidden" not in text
    assert "Secret" not in text
    named = client.patch(
        f"/api/v1/contacts/{mine.id}",
        json={"parent": hidden.id},
        headers={"If-Match": '"2"'},
    )
    assert named.status_code == 422
    emptied = client.patch(
        f"/api/v1/contacts/{mine.id}",
        json={"affiliations": []},
        headers={"If-Match": '"2"'},
    )
    assert emptied.status_code == 200
    whole = api(make_user()).get(f"/api/v1/contacts/{mine.id}").json
    assert [one["person"]["name"] for one in whole["affiliations"]] == ["Secret Person"]


def test_a_list_takes_as_many_statements_for_300_contacts_as_for_10(
    app, api, count_queries
):
    anna = make_user("Anna Laine")
    client = api(anna)

    def cost():
        with count_queries() as counter:
            assert client.get("/api/v1/contacts?limit=200").status_code == 200
        return counter.count

    _fill(5, anna)
    cost()  # The first use of a token is noted down.
    few = cost()
    _fill(145, anna)
    assert cost() == few


def _fill(count, owner):
    from core.contacts.services import create_contact

    with db.transaction():
        for n in range(count):
            firm = create_contact(
                {"kind": "organisation", "name": f"Firm {n}", "owner": owner.id},
                actor=None,
            )
            seat = [{"organisation": firm.id, "role": "Buyer"}]
            create_contact(
                {"kind": "person", "name": f"Person {n}", "affiliations": seat},
                actor=None,
            )
