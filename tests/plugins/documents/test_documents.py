import io
import re
import threading
from datetime import timedelta

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.services import change_contact
from core.db import db, now
from core.errors import Invalid
from core.files import file_store
from core.testing.factories import make_contact, make_user
from plugins.documents import checks, services
from plugins.documents.jobs import GRACE, sweep
from plugins.documents.models import Document, Version
from tests.plugins.documents.looking import look


def test_a_file_is_kept_with_a_contact_from_the_form(app, as_user, send):
    anna = make_user("Anna Laine", teams=["Sales"])
    kallio = make_contact()
    browser = as_user(anna)
    form = browser.get(f"/documents/new?contact={kallio.id}")
    assert 'type="file"' in form.text
    answer = send(
        browser, to="/documents", title="Prices", contact=kallio.id, audience="teams"
    )
    made = look(sa.select(Document))[0]
    assert answer.headers["Location"] == f"/documents/{made.id}"
    page = browser.get(answer.headers["Location"])
    assert "Prices was added." in page.text
    assert "Kallion Vesijohto Oy" in page.text
    assert "Sales" in page.text


def test_without_a_file_the_form_comes_back_with_what_was_typed(app, as_user):
    browser = as_user(make_user(teams=["Sales"]))
    data = {"title": "Prices", "audience": "staff", "file": (io.BytesIO(b""), "")}
    answer = browser.post("/documents", data=data)
    assert answer.status_code == 422
    assert "Choose a file." in answer.text
    assert 'value="Prices"' in answer.text
    assert re.search(r'value="staff" checked', answer.text)


def test_a_team_nobody_knows_is_said_beside_the_choice(app, as_user, send):
    browser = as_user(make_user())
    answer = send(browser, to="/documents", audience="teams", teams="Nobody")
    assert answer.status_code == 422
    assert "There is no team Nobody." in answer.text


def test_several_files_become_several_documents(app, as_user):
    kallio = make_contact()
    files = [(io.BytesIO(f"text {n}".encode()), f"list {n}.txt") for n in range(3)]
    data = {"file": files, "contact": kallio.id, "title": "Ignored"}
    answer = as_user(make_user()).post("/documents", data=data)
    assert answer.headers["Location"] == f"/documents?contact={kallio.id}"
    titles = look(sa.select(Document.title))
    assert sorted(titles) == ["list 0", "list 1", "list 2"]


def test_a_file_the_contact_has_already_is_linked_and_not_kept_again(
    app, as_user, send
):
    kallio, tapio = make_contact(), make_contact("Tapio Oy")
    browser = as_user(make_user())
    first = send(browser, to="/documents", contact=kallio.id)
    again = send(browser, to="/documents", contact=kallio.id, filename="Copy.pdf")
    assert again.headers["Location"] == first.headers["Location"]
    assert "is here already" in browser.get(again.headers["Location"]).text
    other = send(browser, to="/documents", contact=tapio.id)
    assert other.headers["Location"] != first.headers["Location"]
    assert len(list(file_store().hashes())) == 1


def test_a_hidden_document_with_the_same_content_is_not_given_away(
    app, as_user, send, keep
):
    kallio, mika = make_contact(), make_user("Mika Koski")
    private = AudienceSpec("private", users=frozenset({mika.id}))
    hidden = keep(mika, contact=kallio, audience=private)
    answer = send(as_user(make_user()), to="/documents", contact=kallio.id)
    assert answer.headers["Location"] != f"/documents/{hidden.id}"


def test_a_script_that_sends_one_file_gets_its_address_or_the_reason(
    app, as_user, send
):
    browser = as_user(make_user())
    headers = {"Accept": "application/json", "Idempotency-Key": "k1"}
    first = send(browser, to="/documents", headers=headers)
    assert first.status_code == 201
    assert first.json["same"] is False
    assert send(browser, to="/documents", headers=headers).json == first.json
    headers["Idempotency-Key"] = "k2"
    assert send(browser, to="/documents", headers=headers).json["same"] is True
    headers["Idempotency-Key"] = "k3"
    refused = send(browser, b"", to="/documents", headers=headers)
    assert refused.status_code == 422
    assert refused.json["errors"]["file"] == ["This file is empty."]


def test_a_new_version_is_shown_and_the_old_one_stays_reachable(app, as_user, send):
    browser = as_user(make_user())
    address = send(browser, to="/documents").headers["Location"]
    assert "Version 1 stays reachable." in browser.get(f"{address}/versions").text
    answer = send(browser, b"second", "2.txt", to=f"{address}/versions")
    assert answer.status_code == 303
    page = browser.get(address).text
    assert "version 2 of 2" in page
    old = browser.get(f"{address}?version=1").text
    assert "This is version 1. It was replaced." in old
    assert browser.get(f"{address}?version=3").status_code == 404
    same = send(browser, b"second", "2.txt", to=f"{address}/versions")
    assert same.status_code == 422
    assert "This file is version 2 already." in same.text


def test_two_new_versions_at_once_both_get_a_number(app, api, keep, send):
    anna = make_user()
    address = f"/api/v1/documents/{keep(anna).id}/versions"
    clients = [api(anna), api(anna)]
    together = threading.Barrier(2)
    answers = []

    def add(client, content):
        together.wait()
        answers.append(send(client, content, "x.txt", to=address))

    threads = [
        threading.Thread(target=add, args=(client, content))
        for client, content in zip(clients, (b"second", b"third"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status_code for one in answers] == [201, 201]
    numbers = look(sa.select(Version.number).order_by(Version.number))
    assert numbers == [1, 2, 3]


def test_a_title_is_changed_and_two_people_do_not_overwrite_each_other(
    app, as_user, keep
):
    made = keep(make_user())
    browser = as_user(make_user("Mika Koski"))
    address = f"/documents/{made.id}/edit"
    assert browser.post(address, data={"title": " "}).status_code == 422
    assert browser.post(address, data={"title": "x" * 201}).status_code == 422
    first = browser.post(address, data={"title": "One", "version": "1"})
    assert first.status_code == 303
    late = browser.post(address, data={"title": "Two", "version": "1"})
    assert late.status_code == 409
    assert "Its title is now: One" in late.text
    assert 'value="Two"' in late.text


def test_the_trash_is_undone_from_the_toast(app, as_user, keep):
    made = keep(make_user(), title="Prices")
    browser = as_user(make_user("Mika Koski"))
    gone = browser.post(f"/documents/{made.id}/trash", follow_redirects=True)
    assert "Prices is in the trash." in gone.text
    assert 'action="/me/undo/' in gone.text
    assert "Prices" in browser.get("/documents?view=trash").text
    assert "Bring it back" in browser.get(f"/documents/{made.id}").text
    assert browser.post(f"/documents/{made.id}/trash").status_code == 404
    undo = gone.text.split('action="/me/undo/')[1].split('"')[0]
    assert browser.post(f"/me/undo/{undo}").status_code == 303
    assert "Prices" in browser.get("/documents").text


def test_the_list_is_filtered_by_words_contact_and_view(app, as_user, keep):
    anna, mika = make_user("Anna Laine"), make_user("Mika Koski")
    kallio = make_contact(roles=["customer"])
    shared = AudienceSpec("shared", shared_with=frozenset({kallio.id}))
    keep(anna, title="Prices 100%", contact=kallio, audience=shared)
    keep(mika, title="Drawing", filename="site_plan.pdf")
    browser = as_user(anna)

    def titles(query):
        page = browser.get(f"/documents?{query}").text
        return {one for one in ("Prices 100%", "Drawing") if f"<span>{one}<" in page}

    assert titles("") == {"Prices 100%", "Drawing"}
    assert titles("q=prices") == {"Prices 100%"}
    assert titles("q=%25") == {"Prices 100%"}
    assert titles("q=site_plan") == {"Drawing"}
    assert titles("q=_") == {"Drawing"}
    assert titles(f"contact={kallio.id}") == {"Prices 100%"}
    assert titles("view=mine") == {"Prices 100%"}
    assert titles("view=outside") == {"Prices 100%"}
    assert titles("view=trash") == set()
    assert titles("view=nonsense&q=%00&after=") == {"Prices 100%", "Drawing"}
    assert browser.get("/documents?contact=4711").status_code == 404
    assert browser.get("/documents?after=nonsense").status_code == 400


def test_the_list_goes_on_with_a_link(app, as_user, keep, monkeypatch):
    from plugins.documents import views

    monkeypatch.setattr(views, "PAGE", 2)
    anna = make_user()
    for number in range(3):
        keep(anna, title=f"List {number}", content=f"text {number}".encode())
    browser = as_user(anna)
    first = browser.get("/documents?q=List").text
    following = re.search(r'href="(/documents\?[^"]*after=[^"]*)"', first)
    assert following is not None
    second = browser.get(following[1].replace("&amp;", "&")).text
    assert "List 0" in second
    assert "List 2" not in second


def test_an_empty_list_says_what_belongs_there(app, as_user):
    browser = as_user(make_user())
    assert "Add a contract or a price list" in browser.get("/documents").text
    assert "No document is called so." in browser.get("/documents?q=zebra").text


def test_the_contact_page_has_the_newest_five_and_a_zone_for_more(app, as_user, keep):
    anna = make_user()
    kallio = make_contact()
    for number in range(7):
        keep(anna, contact=kallio, title=f"List {number}", content=f"{number}".encode())
    page = as_user(anna).get(f"/contacts/{kallio.id}/panels/documents.list").text
    assert [n for n in range(7) if f"List {n}" in page] == [2, 3, 4, 5, 6]
    assert f"/documents?contact={kallio.id}" in page
    assert "data-drop" in page


def test_an_organisation_shows_the_documents_of_its_people(app, as_user, keep):
    anna = make_user()
    kallio = make_contact()
    pekka = make_contact("Pekka Virtanen", kind="person")
    with db.transaction() as session:
        person = session.get_one(type(pekka), pekka.id)
        change_contact(
            person, {"affiliations": [{"organisation": kallio.id}]}, actor=None
        )
    keep(anna, contact=pekka, title="Power of attorney")
    assert "Power of attorney" in as_user(anna).get(f"/contacts/{kallio.id}").text


def test_a_contact_without_documents_offers_the_first_step(app, as_user):
    kallio = make_contact()
    page = as_user(make_user()).get(f"/contacts/{kallio.id}").text
    assert f"/documents/new?contact={kallio.id}" in page
    assert "data-drop" not in page


def test_pages_take_as_many_statements_for_many_documents_as_for_one(
    app, as_user, keep, count_queries
):
    anna = make_user("Anna Laine", teams=["Sales"])
    kallio = make_contact(roles=["customer"])
    shared = AudienceSpec("shared", shared_with=frozenset({kallio.id}))
    made = keep(anna, contact=kallio, audience=shared)
    keep(anna, contact=make_contact("Tapio Oy"), content=b"x")
    browser = as_user(anna)
    addresses = (
        "/documents",
        f"/documents/{made.id}",
        f"/contacts/{kallio.id}/panels/documents.list",
    )
    few = []
    for address in addresses:
        with count_queries() as queries:
            browser.get(address)
        few.append(queries.count)
    for number in range(12):
        other = make_user(f"Colleague {number}", teams=["Sales"])
        keep(other, contact=kallio, content=f"text {number}".encode())
    for address, count in zip(addresses, few, strict=True):
        with count_queries() as queries:
            browser.get(address)
        assert queries.count <= count, (address, queries.statements)


# -- Clearing up -------------------------------------------------------------------


def test_the_sweep_removes_what_no_row_mentions_and_only_when_it_is_old(
    app, keep, monkeypatch
):
    keep(make_user())
    store = file_store()
    forgotten = store.put(io.BytesIO(b"an upload that failed"), limit=None).sha256
    sweep()
    assert store.exists(forgotten)
    later = now() + GRACE + timedelta(minutes=1)
    monkeypatch.setattr("plugins.documents.jobs.now", lambda: later)
    sweep()
    assert not store.exists(forgotten)
    assert len(list(store.hashes())) == 1


def test_the_sweep_leaves_what_another_table_mentions(app, monkeypatch):
    store = file_store()
    photo = store.put(io.BytesIO(b"a photo of a plugin that is off"), limit=None)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE shop_photo (sha256 VARCHAR(64))")
        connection.execute(
            sa.insert(sa.table("shop_photo", sa.column("sha256"))).values(
                sha256=photo.sha256
            )
        )
    later = now() + GRACE * 2
    monkeypatch.setattr("plugins.documents.jobs.now", lambda: later)
    sweep()
    assert store.exists(photo.sha256)


def test_an_upload_that_is_refused_later_leaves_no_document(app, as_user, monkeypatch):
    def fail(*_args, **_kwargs):
        raise Invalid("the transaction fails after the file was stored")

    monkeypatch.setattr(services, "intern_audience", fail)
    data = {"file": (io.BytesIO(b"content"), "a.txt")}
    assert as_user(make_user()).post("/documents", data=data).status_code == 422
    assert look(sa.select(Document.id)) == []
    assert len(list(file_store().hashes())) == 1


def test_the_doctor_names_a_limit_that_can_never_be_reached(make_app):
    app = make_app(DOCUMENTS_MAX_UPLOAD=100_000_000)
    with app.app_context():
        assert "MAX_CONTENT_LENGTH" in (checks.uploads_can_be_kept() or "")
    app = make_app()
    with app.app_context():
        assert checks.uploads_can_be_kept() is None
