"""Kinds with their own few fields: by page, program and file, and the house's own."""

import io
import json
import re
import threading

import pytest
import sqlalchemy as sa

from core.db import db
from core.exporting import export_kind, export_rows
from core.exporting.writers import WRITERS
from core.importing.running import run_import
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


def written():
    db.session.rollback()
    return db.session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()


CALL = {
    "kind": "call",
    "direction": "in",
    "source": "trade-journal ad",
    "details": {"outcome": "reached", "duration": 12},
}


def test_a_program_writes_and_reads_the_fields_of_a_call(firm, anna, api, as_user):
    program = api(anna)
    sent = {"contacts": [firm.id], "body": "Asked for prices.", **CALL}
    made = program.post("/api/v1/interactions", json=sent)
    assert made.status_code == 201, made.text
    assert {name: made.json[name] for name in CALL} == CALL
    address = f"/api/v1/interactions/{made.json['id']}"
    headers = {"If-Match": made.headers["ETag"]}
    changes = {"direction": "out", "details": {"outcome": "no_answer"}}
    answer = program.patch(address, json=changes, headers=headers)
    assert answer.json["details"] == {"outcome": "no_answer"}
    assert (answer.json["direction"], answer.json["source"]) == (
        "out",
        "trade-journal ad",
    )
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert "Outgoing · Source: trade-journal ad · No answer" in page


@pytest.mark.parametrize(
    ("kind", "details", "field", "said"),
    [
        ("call", {"colour": "red"}, "details.colour", "There are: outcome, duration"),
        ("note", {"colour": "red"}, "details.colour", "it has none of its own"),
        ("call", {"duration": "long"}, "details.duration", "how many minutes"),
        ("call", {"duration": -1}, "details.duration", "how many minutes"),
        ("call", {"duration": True}, "details.duration", "how many minutes"),
        ("call", {"duration": 10**9}, "details.duration", "longer than a week"),
        ("call", {"outcome": "sold"}, "details.outcome", "Choose one of these"),
        ("visit", {"place": ["x"]}, "details.place", "has to be text"),
        ("visit", {"place": "x" * 301}, "details.place", "At most 300"),
    ],
)
def test_a_field_that_is_wrong_is_named(firm, anna, api, kind, details, field, said):
    sent = {"contacts": [firm.id], "body": "x", "kind": kind, "details": details}
    answer = api(anna).post("/api/v1/interactions", json=sent)
    assert answer.status_code == 422
    [message] = answer.json["errors"][field]
    assert said in message
    assert written() == []


def test_a_customer_is_not_told_whence_an_entry_came(firm, anna, api):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    sent = {"contacts": [firm.id], "body": "For you.", "audience": "shared", **CALL}
    made = api(anna).post("/api/v1/interactions", json=sent).json
    read = api(outi).get(f"/api/v1/interactions/{made['id']}").json
    assert not {"details", "direction", "source"} & set(read)


def test_the_form_of_a_kind_has_its_fields_without_scripts(firm, anna, as_user):
    browser = as_user(anna)
    page = browser.get(f"/interactions/new?contact={firm.id}&kind=call").text
    for name in ("direction", "details.outcome", "details.duration", "source"):
        assert f'name="{name}"' in page
    form = {
        "contacts": firm.id,
        "kind": "call",
        "body": "Rang twice.",
        "direction": "out",
        "source": "",
        "details.outcome": "no_answer",
        "details.duration": "3",
    }
    wrong = browser.post("/interactions", data=form | {"details.duration": "soon"})
    assert wrong.status_code == 422
    assert "Write how many minutes, such as 15." in wrong.text
    assert 'value="soon"' in wrong.text
    assert browser.post("/interactions", data=form).status_code == 303
    [entry] = written()
    assert entry.details == {"outcome": "no_answer", "duration": 3}
    edit = browser.get(f"/interactions/{entry.id}/edit").text
    assert 'value="no_answer" selected' in edit
    form |= {"version": entry.version, "audience": "teams", "teams": "Sales"}
    form |= {"details.duration": "4", "body": "Rang twice, in vain."}
    assert browser.post(f"/interactions/{entry.id}/edit", data=form).status_code == 303
    assert written()[0].details == {"outcome": "no_answer", "duration": 4}


def test_the_fields_of_another_kind_come_when_it_is_chosen(anna, as_user):
    browser = as_user(anna)
    fields = browser.get("/interactions/fields?kind=visit&details.place=Gate+B").text
    assert 'name="details.place"' in fields
    assert 'value="Gate B"' in fields
    # Each has outcomes of its own, and no source.
    assert "Nobody there" in fields
    assert "No answer" not in fields
    assert 'name="source"' not in fields


def test_what_was_changed_in_the_fields_can_be_taken_back(firm, anna, as_user, api):
    sent = {"contacts": [firm.id], "body": "x", **CALL}
    made = api(anna).post("/api/v1/interactions", json=sent)
    browser = as_user(anna)
    form = {"version": made.json["version"], "kind": "note", "body": "x"}
    form |= {"audience": "teams", "teams": "Sales"}
    address = f"/interactions/{made.json['id']}/edit"
    assert browser.post(address, data=form).status_code == 303
    assert written()[0].details == {}
    page = browser.get("/me/changes").text
    undo = re.findall(r'action="(/me/undo/[^"]+)"', page)[0]
    assert browser.post(undo).status_code == 303
    [entry] = written()
    assert (entry.kind, entry.direction) == ("call", "in")
    assert entry.details == CALL["details"]


# -- The house's own -------------------------------------------------------------------

INSPECTION = {
    "title": "Site inspection",
    "icon": "clipboard-check",
    "fields.0.title": "Result",
    "fields.0.type": "choice",
    "fields.0.choices": "passed, failed",
    "fields.1.title": "Lämpötila",
    "fields.1.type": "text",
}


@pytest.fixture
def boss(app, as_user):
    return as_user(make_user("Ad Min", roles=("admin",)))


def test_an_administrator_adds_a_kind_with_fields_of_its_own(
    firm, anna, api, boss, as_user
):
    assert boss.post("/admin/kinds", data=INSPECTION).status_code == 303
    page = boss.get("/admin/kinds").text
    assert "Site inspection" in page
    assert "Result, Lämpötila" in page
    fields = as_user(anna).get("/interactions/fields?kind=site_inspection").text
    assert 'name="details.lampotila"' in fields
    sent = {"contacts": [firm.id], "body": "Seen.", "kind": "site_inspection"}
    good = {"result": "passed", "lampotila": "21"}
    made = api(anna).post("/api/v1/interactions", json=sent | {"details": good})
    assert made.status_code == 201, made.text
    bad = sent | {"details": {"result": "maybe"}}
    answer = api(anna).post("/api/v1/interactions", json=bad)
    assert "details.result" in answer.json["errors"]
    story = as_user(anna).get(f"/contacts/{firm.id}").text
    assert "passed · Lämpötila: 21" in story


def composer_of(page):
    return page.partition('id="composer"')[2].partition("</form>")[0]


def test_a_kind_that_is_removed_leaves_its_entries_and_comes_back(
    firm, anna, api, boss, as_user
):
    boss.post("/admin/kinds", data=INSPECTION)
    sent = {"contacts": [firm.id], "body": "Seen.", "kind": "site_inspection"}
    details = {"details": {"result": "passed"}}
    for _turn in range(4):
        entry = api(anna).post("/api/v1/interactions", json=sent | details).json
    assert boss.post("/admin/kinds/site_inspection/remove").status_code == 303
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}").text
    assert "Site inspection" in page
    # People wrote them: they are no automatic ones.
    assert "automatic entries" not in page
    # Its entries can still be looked for; nobody writes a new one.
    assert '<option value="site_inspection"' not in composer_of(page)
    edit = browser.get(f"/interactions/{entry['id']}/edit").text
    assert '<option value="site_inspection" selected' in edit
    assert boss.post("/admin/kinds/site_inspection/restore").status_code == 303
    page = browser.get(f"/contacts/{firm.id}").text
    assert '<option value="site_inspection"' in composer_of(page)


def test_a_field_that_is_renamed_keeps_what_was_written_in_it(
    firm, anna, api, boss, as_user
):
    boss.post("/admin/kinds", data=INSPECTION)
    sent = {"contacts": [firm.id], "body": "Seen.", "kind": "site_inspection"}
    details = {"details": {"lampotila": "21"}}
    api(anna).post("/api/v1/interactions", json=sent | details)
    form = INSPECTION | {"fields.1.title": "Temperature", "fields.1.name": "lampotila"}
    assert boss.post("/admin/kinds/site_inspection", data=form).status_code == 303
    assert "Temperature: 21" in as_user(anna).get(f"/contacts/{firm.id}").text


def test_a_kind_that_cannot_be_is_refused_beside_its_field(boss):
    none = INSPECTION | {"fields.0.choices": " , "}
    answer = boss.post("/admin/kinds", data=none)
    assert answer.status_code == 422
    assert "Write what can be chosen, with commas between." in answer.text
    assert 'value="Lämpötila"' in answer.text
    twice = boss.post("/admin/kinds", data=INSPECTION | {"title": "Call"})
    assert "There is such a kind already." in twice.text
    assert boss.get("/admin/kinds/nothing").status_code == 404
    assert boss.post("/admin/kinds/call/remove").status_code == 404


def test_an_entry_begins_with_the_text_of_its_kind(firm, anna, boss, as_user):
    text = "**Present:**\r\n\r\n**Agreed:**"
    saved = boss.post("/admin/kinds/meeting/beginning", data={"template": text})
    assert saved.status_code == 303
    page = as_user(anna).get(f"/interactions/new?contact={firm.id}&kind=meeting").text
    assert "**Present:**\n\n**Agreed:**</textarea>" in page
    assert (
        "**Present:**"
        not in as_user(anna)
        .get(f"/contacts/{firm.id}")
        .text.partition("</textarea>")[0]
    )
    boss.post("/admin/kinds/meeting/beginning", data={"template": " "})
    page = as_user(anna).get(f"/interactions/new?contact={firm.id}&kind=meeting").text
    assert "**Present:**" not in page


def test_a_text_that_is_refused_stays_in_its_field(boss):
    long = "**Present:** " + "x" * 10_000
    answer = boss.post("/admin/kinds/meeting/beginning", data={"template": long})
    assert answer.status_code == 422
    assert f"{long}</textarea>" in answer.text
    assert "x" * 20 not in boss.get("/admin/kinds/meeting").text


def test_fields_come_in_and_go_out_with_files(firm, anna, app, tmp_path):
    table = tmp_path / "calls.csv"
    table.write_text(
        "id,contact,body,kind,direction,source,outcome,duration\n"
        f"7,{firm.name},Rang.,call,in,trade-journal ad,reached,12\n",
        "utf-8",
    )
    boss = make_user("Ad Min", roles=("admin",))
    report = run_import(app, "interactions", table, None, actor_id=boss.id)
    assert report.refused == 0, report.refusals
    [entry] = written()
    assert {name: getattr(entry, name) for name in CALL} == CALL
    out = io.BytesIO()
    kind = export_kind(app, "interactions")
    WRITERS["json"](kind, export_rows(kind, boss), out)
    [row] = json.loads(out.getvalue())
    assert {name: row[name] for name in CALL} == CALL
    out = io.BytesIO()
    WRITERS["csv"](kind, export_rows(kind, boss), out)
    assert "trade-journal ad,reached,12" in out.getvalue().decode()


def test_two_who_add_a_kind_at_once_lose_neither(as_user):
    chiefs = [make_user(name, roles=["admin"]) for name in ("Ada Ala", "Bo Berg")]
    browsers = [as_user(one) for one in chiefs]
    for turn in range(3):
        titles = [f"Sample {turn}", f"Fair {turn}"]
        barrier, answers = threading.Barrier(2), []

        def add(browser, title, barrier=barrier, answers=answers):
            barrier.wait()
            sent = {"title": title, "icon": "box-seam"}
            answers.append(browser.post("/admin/kinds", data=sent).status_code)

        threads = [
            threading.Thread(target=add, args=one)
            for one in zip(browsers, titles, strict=True)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert answers == [303, 303]
        page = browsers[0].get("/admin/kinds").text
        assert [one for one in titles if one not in page] == []
