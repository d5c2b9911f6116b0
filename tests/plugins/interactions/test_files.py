"""Files that come with an entry: kept, shown where it stands, read by its readers."""

import io
import re

import pypdfium2
import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.interactions.models import Interaction
from core.interactions.services import change_interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.defaults import ROLES
from core.users.models import User
from core.users.services import ensure_role
from plugins.documents.models import Document
from tests.core.world import PDF


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


@pytest.fixture
def olli(app):
    return make_user("Olli Outside", teams=["Warehouse"])


def sheet(name="Prices.csv", content=b"sku,price\nKV-100,4.20\n"):
    return io.BytesIO(content), name


def note(firm, *files, **more):
    told = {"contacts": firm.id, "kind": "note", "body": "Here are the prices."}
    return {**told, "files": list(files), **more}


def count(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def files_of(page):
    return re.findall(r'href="(/documents/\d+)">([^<]+)</a>', page)


@pytest.fixture
def written(firm, anna, as_user):
    """An entry of Anna's team with two files."""
    sent = note(firm, sheet(), sheet("Contract.pdf", PDF))
    sent |= {"audience": "teams", "teams": "Sales"}
    assert as_user(anna).post("/interactions", data=sent).status_code == 303
    db.session.rollback()
    return db.session.scalars(sa.select(Interaction)).one()


def test_files_stand_with_their_entry_and_its_readers_read_them(
    firm, anna, mika, olli, written, as_user
):
    page = as_user(mika).get(f"/contacts/{firm.id}").text
    entry = page.partition('class="entry-files"')[2].partition("</ul>")[0]
    found = files_of(entry)
    assert [title for _url, title in found] == ["Prices", "Contract"]
    for url, title in found:
        assert title in as_user(mika).get(url).text
        assert as_user(olli).get(url).status_code == 404


def test_another_readership_counts_for_the_files_before_any_worker_runs(
    firm, anna, mika, olli, written, as_user, api
):
    [url, _title] = files_of(as_user(mika).get(f"/interactions/{written.id}").text)[0]
    number = url.rpartition("/")[2]
    assert as_user(mika).get(url).status_code == 200
    with db.transaction() as session:
        entry = session.get_one(Interaction, written.id)
        author = session.get_one(User, anna.id)
        only = AudienceSpec("private", users=frozenset({anna.id}))
        change_interaction(entry, actor=author, audience=only)
    for one in (mika, olli):
        assert as_user(one).get(url).status_code == 404
        assert api(one).get(f"/api/v1/documents/{number}").status_code == 404
        assert api(one).get("/api/v1/documents").json["items"] == []
        assert "Contract" not in as_user(one).get(f"/contacts/{firm.id}").text
    assert as_user(anna).get(url).status_code == 200


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (sheet("Nothing.txt", b""), "Nothing.txt: This file is empty."),
        (sheet("Huge.txt", b"x" * 2_000), "Huge.txt: This file is larger than"),
    ],
)
def test_a_file_that_is_refused_is_named_and_nothing_is_written(
    firm, anna, as_user, monkeypatch, file, said
):
    monkeypatch.setattr("plugins.documents.services.max_upload", lambda: 1_000)
    content, name = file
    sent = note(firm, sheet(), (io.BytesIO(content.getvalue()), name))
    answer = as_user(anna).post("/interactions", data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Choose your files once more" in answer.text
    assert "Here are the prices.</textarea>" in answer.text
    assert count(Interaction) == count(Document) == 0


def test_who_may_not_keep_documents_is_offered_no_field_and_keeps_none(
    firm, as_user, app
):
    with db.transaction():
        ensure_role(
            "notes", ["contacts:read", "interactions:read", "interactions:write"]
        )
    nelli = make_user("Nelli Notes", roles=["notes"], teams=["Sales"])
    browser = as_user(nelli)
    assert 'name="files"' not in browser.get(f"/contacts/{firm.id}").text
    answer = browser.post("/interactions", data=note(firm, sheet()))
    assert answer.status_code == 403
    assert count(Interaction) == count(Document) == 0
    assert browser.post("/interactions", data=note(firm)).status_code == 303


def test_a_customer_reads_the_files_of_what_is_shared_with_them(
    firm, anna, as_user, deliver
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    entry = make_interaction(firm, author=anna, audience=shared)
    reply = {"parent": entry.id, "body": "As promised.", "files": [sheet()]}
    reply |= {"looked": "1", "seen": outi.id}
    assert as_user(anna).post("/interactions", data=reply).status_code == 303
    inside = make_interaction(firm, author=anna, body="Internal.")
    edit = {"version": inside.version, "kind": "note", "body": "Internal!"}
    edit |= {"audience": "staff", "files": [sheet("Secret.csv")]}
    address = f"/interactions/{inside.id}/edit"
    assert as_user(anna).post(address, data=edit).status_code == 303
    browser = as_user(outi)
    page = browser.get(f"/interactions/{entry.id}").text
    [address] = re.findall(r'href="(/[^"]*documents/\d+)">Prices</a>', page)
    assert browser.get(address).status_code == 200
    assert "Secret" not in browser.get("/interactions").text
    assert "Secret" in as_user(anna).get(f"/contacts/{firm.id}").text


def test_who_sees_only_their_own_customers_reads_only_their_files(firm, anna, as_user):
    with db.transaction():
        ensure_role("own", ROLES["sales"], reach="own")
    nelli = make_user("Nelli Narrow", roles=["own"])
    mine = make_contact("Tapio Rakennus Oy", owner=nelli.id)
    for contact, name in ((firm, "Theirs.csv"), (mine, "Ours.csv")):
        sent = note(contact, sheet(name), audience="staff")
        assert as_user(anna).post("/interactions", data=sent).status_code == 303
    browser = as_user(nelli)
    found = files_of(as_user(anna).get("/interactions").text)
    seen = {title: browser.get(url).status_code for url, title in found}
    assert seen == {"Ours": 200, "Theirs": 404}
    page = browser.get(f"/contacts/{mine.id}").text
    assert ">Ours</a>" in page.partition('class="entry-files"')[2]
    assert "Theirs" not in browser.get("/documents").text


def test_files_follow_their_entry_into_the_trash_and_out_of_it(
    firm, anna, mika, written, as_user, deliver
):
    [url, _title] = files_of(as_user(mika).get(f"/interactions/{written.id}").text)[0]
    browser = as_user(anna)
    for act, listed in (("trash", False), ("restore", True)):
        browser.post(f"/interactions/{written.id}/{act}")
        deliver()
        assert ("Contract" in as_user(mika).get("/documents").text) is listed
    assert as_user(mika).get(url).status_code == 200


def test_without_a_plugin_that_keeps_files_the_composer_offers_none(
    make_app, sign_in_to
):
    bare = make_app(PLUGINS_DISABLED=["documents"])
    with bare.app_context():
        nelli = make_user("Nelli Notes", teams=["Sales"])
        contact = make_contact("Tapio Oy").id
    browser = sign_in_to(bare, nelli)
    page = browser.get(f"/contacts/{contact}").text
    assert 'id="composer"' in page
    assert 'name="files"' not in page
    refused = {"contacts": contact, "body": "x", "files": [sheet()]}
    assert browser.post("/interactions", data=refused).status_code == 403


def test_a_customer_sends_a_picture_with_a_question_and_gets_a_file_back(
    firm, anna, as_user
):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    other = make_contact("Byggnad Ab", roles=["customer"])
    bo = make_user("Bo Byggnad", kind="customer", contact=other)
    asks = as_user(outi)
    assert 'name="files"' in asks.get("/portal/messages/new").text
    sent = {"subject": "Loud pump", "body": "It is loud."}
    empty = {"files": [sheet("Nothing.txt", b"")]}
    refused = asks.post("/portal/messages/new", data=sent | empty)
    assert refused.status_code == 422
    assert "Nothing.txt: This file is empty." in refused.text
    page = asks.post(
        "/portal/messages/new", data=sent | {"files": [sheet("Pump.csv")]}
    ).location
    number = page.rpartition("/")[2]
    assert ">Pump</a>" in asks.get(page).text
    assert ">Pump</a>" in as_user(anna).get(f"/support/{number}").text
    for kind, name in (("reply", "Manual.pdf"), ("note", "Debts.pdf")):
        form = {"answer": kind, "body": "See there.", "files": [sheet(name, PDF)]}
        answer = as_user(anna).post(f"/support/{number}/answer", data=form)
        assert answer.status_code == 303, answer.text
    form = {"body": "And this.", "files": [sheet("More.csv")]}
    assert asks.post(page, data=form).status_code == 303
    shown = asks.get(page).text
    found = re.findall(r'href="(/[^"]*documents/\d+)">(\w+)</a>', shown)
    assert [title for _url, title in found] == ["Pump", "Manual", "More"]
    for url, _title in found:
        assert asks.get(url).status_code == 200
        assert as_user(bo).get(url).status_code == 404
    assert "Debts" in as_user(anna).get(f"/support/{number}").text


def test_a_customer_answers_what_was_shared_with_a_file(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    entry = make_interaction(firm, author=anna, audience=shared)
    browser = as_user(outi)
    assert 'name="files"' in browser.get(f"/interactions/{entry.id}").text
    reply = {"parent": entry.id, "body": "Ours.", "files": [sheet("Ours.csv")]}
    assert browser.post("/interactions", data=reply).status_code == 303
    assert ">Ours</a>" in browser.get(f"/interactions/{entry.id}").text


def test_the_dossier_names_the_files_of_an_entry(firm, anna, written, as_user):
    url = f"/interactions/timeline/{firm.id}"
    [entry] = as_user(anna).get(f"{url}.json").json["entries"]
    assert entry["files"] == ["Prices", "Contract"]
    with pypdfium2.PdfDocument(as_user(anna).get(f"{url}.pdf").get_data()) as paper:
        text = " ".join(one.get_textpage().get_text_range() for one in paper)
    assert "Files: Prices, Contract" in " ".join(text.split())
