import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.events import Event
from core.files import file_store
from core.paper import make_pdf
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.documents.models import Document, Version
from tests.plugins.documents.looking import look

OTHER = make_pdf(["Price agreement 2027\nThe price per pallet is 320 euro."])


def test_an_upload_answers_with_the_document_and_where_it_is(app, api, send):
    anna = make_user("Anna Laine", teams=["Sales"])
    kallio = make_contact()
    answer = send(api(anna), title="Prices", contact=kallio.id)
    assert answer.status_code == 201
    said = answer.json
    assert answer.headers["Location"] == f"/api/v1/documents/{said['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (said["title"], said["contact"]) == ("Prices", kallio.id)
    assert (said["audience"], said["teams"]) == ("teams", ["Sales"])
    assert said["text_state"] == "pending"
    assert said["author"] == {"id": anna.id, "name": "Anna Laine"}
    (version,) = said["versions"]
    assert version["number"] == 1
    assert version["filename"] == "Price agreement.pdf"
    assert version["media_type"] == "application/pdf"


def test_without_a_title_the_file_name_becomes_one(app, api, send):
    answer = send(api(make_user()), filename="Price_agreement 2026.pdf")
    assert answer.json["title"] == "Price agreement 2026"


def test_the_readers_are_sent_by_name_of_team_and_id(app, api, send):
    client = api(make_user("Anna Laine", teams=["Sales"]))
    mika = make_user("Mika Koski", teams=["Support"])
    kallio = make_contact(roles=["customer"])
    both = send(client, audience="teams", teams=["Sales", "Support"]).json
    assert both["teams"] == ["Sales", "Support"]
    private = send(client, audience="private", users=[mika.id]).json
    assert mika.id in private["users"]
    shared = send(client, audience="shared", contact=kallio.id).json
    assert shared["shared_with"] == [kallio.id]
    assert send(client, shared_with=[kallio.id]).json["audience"] == "shared"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"audience": "everybody"}, "audience"),
        ({"audience": "teams", "teams": ["Nobody"]}, "teams"),
        ({"audience": "shared"}, "shared_with"),
        ({"audience": "staff", "teams": ["Sales"]}, "teams"),
        ({"audience": "shared", "shared_with": [999]}, "shared_with"),
        ({"contact": "999"}, "contact"),
        ({"contact": "99999999999999999999"}, "contact"),
        ({"interaction": "999"}, "interaction"),
        ({"title": "x" * 201}, "title"),
        ({"tilte": "Prices"}, "tilte"),
    ],
)
def test_a_field_that_does_not_fit_is_named(app, api, send, fields, field):
    answer = send(api(make_user(teams=["Sales"])), **fields)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]
    assert look(sa.select(sa.func.count(Document.id)))[0] == 0


def test_a_request_without_a_file_or_with_an_empty_one_is_refused(app, api, send):
    client = api(make_user())
    missing = client.post("/api/v1/documents", data={"title": "Prices"})
    empty = send(client, b"")
    assert (missing.status_code, empty.status_code) == (422, 422)
    assert list(missing.json["errors"]) == list(empty.json["errors"]) == ["file"]


def test_a_file_over_the_limit_is_refused_with_a_sentence(make_app, send):
    app = make_app(DOCUMENTS_MAX_UPLOAD=200_000)
    with app.app_context():
        anna = make_user()
        from core.users.sessions import create_token

        with db.transaction():
            _token, secret = create_token(anna, scopes=("*",))
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        answer = send(client, b"x" * 200_001)
        assert answer.status_code == 413
        assert answer.content_type == "application/problem+json"
        assert "larger than 0.2 MB" in answer.json["detail"]
        assert list(file_store().hashes()) == []
        assert send(client, b"x" * 200_000).status_code == 201


def test_a_file_over_the_wall_of_the_server_is_refused_alike(make_app):
    app = make_app(MAX_CONTENT_LENGTH=10_000)
    with app.app_context():
        email = make_user().email
        from core.testing.signing_in import browser_of

        browser = browser_of(app, email)
        answer = browser.post("/documents", data={"file": "x" * 20_000})
        assert answer.status_code == 413


def test_the_same_post_twice_is_one_document(app, api, send):
    client = api(make_user())
    key = {"Idempotency-Key": "a1"}
    first, again = send(client, headers=key), send(client, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = send(client, OTHER, headers=key)
    assert other.status_code == 422
    assert look(sa.select(sa.func.count(Document.id)))[0] == 1


def test_the_same_file_twice_is_two_documents_and_stored_once(app, api, send):
    client = api(make_user())
    first, second = send(client).json, send(client, filename="Copy.pdf").json
    assert first["id"] != second["id"]
    assert [one["versions"][0]["sha256"] for one in (first, second)] == list(
        file_store().hashes()
    ) * 2


def test_version_2_replaces_version_1_which_stays_reachable(app, api, send, deliver):
    client = api(make_user())
    made = send(client).json
    address = f"/api/v1/documents/{made['id']}"
    answer = send(client, OTHER, "Price agreement v2.pdf", to=f"{address}/versions")
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"2"'
    assert [one["number"] for one in answer.json["versions"]] == [2, 1]
    assert answer.json["current"] == 2
    deliver()
    said = client.get(address).json
    assert [one["text_state"] for one in said["versions"]] == ["done", "done"]
    files = [client.get(one["url"], buffered=True).data for one in said["versions"]]
    assert files[0] == OTHER
    assert files[1] != OTHER
    announced = sa.select(Event.type).where(Event.type.endswith("version_added"))
    assert len(look(announced)) == 1


def test_the_file_that_is_current_already_makes_no_version(app, api, send):
    client = api(make_user())
    made = send(client).json
    answer = send(client, to=f"/api/v1/documents/{made['id']}/versions")
    assert answer.status_code == 422
    assert answer.json["errors"]["file"] == ["This file is version 1 already."]


def test_a_change_needs_the_version_it_changes(app, api, send):
    client = api(make_user())
    address = f"/api/v1/documents/{send(client).json['id']}"
    assert client.patch(address, json={"title": "New"}).status_code == 428
    stale = {"If-Match": '"7"'}
    assert (
        client.patch(address, json={"title": "New"}, headers=stale).status_code == 412
    )
    fresh = {"If-Match": '"1"'}
    answer = client.patch(address, json={"title": "New"}, headers=fresh)
    assert (answer.status_code, answer.json["title"]) == (200, "New")
    assert answer.headers["ETag"] == '"2"'
    again = client.patch(address, json={"title": "Newer"}, headers=fresh)
    assert again.status_code == 412


def test_reading_the_text_does_not_make_an_etag_stale(app, api, send, deliver):
    client = api(make_user())
    made = send(client)
    deliver()
    answer = client.patch(
        made.headers["Location"],
        json={"title": "New"},
        headers={"If-Match": made.headers["ETag"]},
    )
    assert answer.status_code == 200


def test_a_document_moves_to_another_contact_unless_it_is_shown_outside(app, api, send):
    client = api(make_user())
    kallio, tapio = make_contact(roles=["customer"]), make_contact("Tapio Oy")
    made = send(client, contact=kallio.id)
    address = made.headers["Location"]

    def move(contact, version):
        headers = {"If-Match": f'"{version}"'}
        return client.patch(address, json={"contact": contact}, headers=headers)

    assert move(tapio.id, 1).json["contact"] == tapio.id
    assert move(None, 2).json["contact"] is None
    assert move(kallio.id, 3).json["contact"] == kallio.id
    assert move(4711, 4).json["errors"]["contact"]
    share = {"audience": "shared", "shared_with": [kallio.id]}
    shared = client.patch(address, json=share, headers={"If-Match": '"4"'})
    assert shared.json["audience"] == "shared"
    assert move(tapio.id, 5).json["errors"]["contact"]


def test_deleting_puts_a_document_into_the_trash(app, api, send):
    client = api(make_user())
    made = send(client)
    address = made.headers["Location"]
    headers = {"If-Match": made.headers["ETag"]}
    assert client.delete(address).status_code == 428
    assert client.delete(address, headers=headers).status_code == 204
    assert client.get(address).status_code == 404
    assert client.get("/api/v1/documents").json["items"] == []
    assert look(sa.select(Document))[0].trashed_at is not None


def test_the_list_goes_page_by_page_with_a_filter(app, api, send):
    client = api(make_user())
    kallio = make_contact()
    for number in range(5):
        send(client, f"text {number}".encode(), f"list {number}.txt", contact=kallio.id)
    send(client, filename="Other.pdf")
    first = client.get("/api/v1/documents?limit=2&q=list")
    assert [one["title"] for one in first.json["items"]] == ["list 4", "list 3"]
    assert 'rel="next"' in first.headers["Link"]
    titles, cursor = [], ""
    while cursor is not None:
        page = client.get(
            f"/api/v1/documents?limit=2&contact={kallio.id}"
            + (f"&cursor={cursor}" if cursor else "")
        ).json
        titles += [one["title"] for one in page["items"]]
        cursor = page["next"]
    assert titles == [f"list {number}" for number in (4, 3, 2, 1, 0)]
    assert client.get("/api/v1/documents?limit=201").status_code == 422
    assert client.get("/api/v1/documents?cursor=nonsense").status_code == 400


def test_a_list_takes_as_many_statements_for_many_as_for_one(
    app, api, send, count_queries
):
    anna = make_user("Anna Laine", teams=["Sales"])
    client = api(anna)
    send(client, b"one", "1.txt")
    with count_queries() as few:
        client.get("/api/v1/documents")
    for number in range(2, 12):
        other = api(make_user(f"Colleague {number}", teams=["Sales"]))
        send(
            other, f"text {number}".encode(), f"{number}.txt", contact=make_contact().id
        )
    with count_queries() as many:
        assert len(client.get("/api/v1/documents").json["items"]) == 11
    assert many.count == few.count


def test_a_token_reads_only_with_its_scope_and_shares_only_with_its(app, api, send):
    anna = make_user()
    kallio = make_contact(roles=["customer"])
    reading, writing = api(anna, "documents:read"), api(anna, "documents:write")
    assert send(reading).status_code == 403
    made = send(writing)
    assert made.status_code == 201
    assert writing.get("/api/v1/documents").status_code == 403
    assert reading.get(made.headers["Location"]).status_code == 200
    assert send(writing, audience="shared", contact=kallio.id).status_code == 403
    sharing = api(anna, "documents:write", "documents:share")
    assert send(sharing, audience="shared", contact=kallio.id).status_code == 201


def test_a_file_of_an_entry_is_read_by_whoever_reads_the_entry(app, api, send, deliver):
    anna = make_user("Anna Laine", teams=["Sales"])
    kallio = make_contact(roles=["customer"])
    sales = AudienceSpec("teams", teams=frozenset(anna.team_ids))
    entry = make_interaction(kallio, author=anna, audience=sales)
    client = api(anna)
    made = send(client, interaction=entry.id)
    assert made.json["audience"] == "teams"
    assert (made.json["interaction"], made.json["contact"]) == (entry.id, kallio.id)
    wider = send(client, interaction=entry.id, audience="staff")
    assert list(wider.json["errors"]) == ["audience"]
    alone = client.patch(
        made.headers["Location"], json={"audience": "staff"}, headers={"If-Match": "*"}
    )
    assert list(alone.json["errors"]) == ["audience"]

    change = {"audience": "private"}
    client.patch(
        f"/api/v1/interactions/{entry.id}", json=change, headers={"If-Match": "*"}
    )
    deliver()
    assert client.get(made.headers["Location"]).json["audience"] == "private"
    client.delete(f"/api/v1/interactions/{entry.id}", headers={"If-Match": "*"})
    deliver()
    assert client.get(made.headers["Location"]).status_code == 404


def test_deleting_a_contact_for_good_takes_its_documents_along(app, keep):
    anna, kallio = make_user(), make_contact()
    keep(anna, contact=kallio)
    with db.transaction() as session:
        session.execute(sa.text("DELETE FROM contact"))
    assert look(sa.select(Version.id)) == []
