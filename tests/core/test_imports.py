"""Bringing in files, as `rapport import` does: real files, a real database."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core import hookimpl
from core.app import CRM
from core.contacts.models import Affiliation, Contact
from core.contacts.services import change_contact
from core.db import db
from core.errors import Forbidden, Invalid
from core.events import BULK, PEOPLE, Delivery, Event, Subscriber
from core.importing.mapping import parse_mapping
from core.importing.models import ImportKey, ImportRefusal, ImportRun
from core.importing.reports import Report
from core.importing.running import STEPS, resume_import, run_import
from core.importing.undoing import undo_import
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from core.testing.factories import make_contact, make_user
from core.users.models import User

Rows = list[list[str]]


@pytest.fixture
def bring(app: CRM, tmp_path: Path) -> Callable[..., Report]:
    """Write a file and bring it in as a colleague who may."""
    me = make_user("Anna Laine", roles=["admin"], teams=["Sales"]).id

    def run(
        text: str | bytes, *, kind: str = "contacts", mapping: Any = None, **more: Any
    ) -> Report:
        path = tmp_path / more.pop("name", "file.csv")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run_import(
            app,
            kind,
            path,
            parse_mapping(mapping) if mapping else None,
            actor_id=more.pop("actor_id", me),
            **more,
        )

    return run


def contacts() -> dict[str, Contact]:
    db.session.rollback()
    return {one.name: one for one in db.session.scalars(sa.select(Contact))}


def count(model: type[Any]) -> int:
    db.session.rollback()
    return db.session.scalars(sa.select(sa.func.count()).select_from(model)).one()


CUSTOMERS = {
    "kind": "contacts",
    "source": "till",
    "key": "Nr",
    "null": ["NULL"],
    "columns": {
        "kind": {"value": "organisation"},
        "name": "Firma",
        "emails": [{"address": "Mail", "label": {"value": "work"}}],
    },
}


def test_a_file_with_our_own_headings_needs_no_mapping(bring: Any) -> None:
    report = bring(
        "Name,Given name,Family-Name,Organisation,Email,Phone,City\r\n"
        "Kallio Oy,,,,info@kallio.example,,Helsinki\r\n"
        ",Outi,Kallio,Kallio Oy,outi@kallio.example,040 123 4567,\r\n"
    )
    assert (report.created, report.refused, report.unused) == (2, 0, ())
    found = contacts()
    assert found["Kallio Oy"].addresses[0]["city"] == "Helsinki"
    assert found["Outi Kallio"].phones == [{"number": "040 123 4567", "label": ""}]
    joined = db.session.scalars(sa.select(Affiliation)).one()
    assert joined.person_id == found["Outi Kallio"].id
    assert joined.organisation_id == found["Kallio Oy"].id


def test_a_broken_row_is_refused_with_its_line_and_the_rest_comes_in(
    bring: Any,
) -> None:
    report = bring(
        "Nr,Firma,Mail\n"
        "1,Kallio Oy,info@kallio.example\n"
        "2,Tapio Oy,pekka@\n"
        "3,,nobody@tapio.example\n"
        "4,Too,many,cells\n"
        "5,Short\n"
        '6,"Never closed,x@y.example\n'
        "7,Saimaa Oy,NULL\n"
        '8,"Two\nlines Oy",two@lines.example\n'
        "\n"
        "9,Päijänne Oy,info@paijanne.example\n",
        mapping=CUSTOMERS,
    )
    assert sorted(contacts()) == [
        "Kallio Oy",
        "Päijänne Oy",
        "Saimaa Oy",
        "Two lines Oy",
    ]
    assert (report.created, report.refused) == (4, 5)
    said = {one.line: one.reason for one in report.refusals}
    assert sorted(said) == [3, 4, 5, 6, 7]
    assert "no domain" in said[3]
    assert said[4] == "name: Write a name."
    assert said[5] == "This row has 4 cells, but there are 3 headings."
    assert said[6] == "This row has 2 cells, but there are 3 headings."
    assert said[7] == "The quotation marks of this row do not close."
    kept = db.session.scalars(sa.select(ImportRefusal).order_by(ImportRefusal.line))
    assert [one.row["Nr"] for one in kept] == ["2", "3", "4", "5", "6"]


def test_the_same_file_again_changes_what_changed_and_doubles_nothing(
    bring: Any,
) -> None:
    first = "Nr,Firma,Mail\n1,Kallio Oy,a@kallio.example\n2,Tapio Oy,b@tapio.example\n"
    assert bring(first, mapping=CUSTOMERS).created == 2
    again = bring(first, mapping=CUSTOMERS)
    assert (again.created, again.updated, again.same) == (0, 0, 2)
    changed = bring(first.replace("Tapio Oy", "Tapio Group Oy"), mapping=CUSTOMERS)
    assert (changed.created, changed.updated, changed.same) == (0, 1, 1)
    assert sorted(contacts()) == ["Kallio Oy", "Tapio Group Oy"]
    assert count(ImportKey) == 2


def test_rows_refer_to_rows_of_another_file_by_the_keys_of_their_source(
    bring: Any,
) -> None:
    bring("Nr,Firma,Mail\n1,Kallio Oy,a@kallio.example\n", mapping=CUSTOMERS)
    people = {
        "source": "till",
        "key": {"template": "person {Id}"},
        "columns": {
            "name": {"template": "{First} {Last}"},
            "kind": {"value": "person"},
            "organisation_key": "Firm",
            "organisation_role": {"from": "Rolle", "map": {"EK": "Buyer"}},
        },
    }
    report = bring(
        "Id,First,Last,Firm,Rolle\n1,Outi,Kallio,1,EK\n2,Mika,Aho,77,EK\n",
        mapping=people,
    )
    assert report.created == 1
    assert report.refusals[0].reason == (
        "organisation_key: “77” was not brought in as contacts."
    )
    joined = db.session.scalars(sa.select(Affiliation)).one()
    assert (joined.person.name, joined.organisation.name) == (
        "Outi Kallio",
        "Kallio Oy",
    )
    assert joined.role == "Buyer"


@pytest.mark.parametrize(
    ("charset", "delimiter"),
    [("utf-8-sig", ","), ("cp1252", ";"), ("utf-16", "\t"), ("utf-8", "|")],
)
def test_charset_and_delimiter_are_found(
    bring: Any, charset: str, delimiter: str
) -> None:
    names = ["Päijänteen Vesihuolto Oy", "Ångström & Söner AB", "Müller Großhandel"]
    lines = [["name", "city"], *([one, "Jyväskylä"] for one in names)]
    text = "".join(delimiter.join(one) + "\r\n" for one in lines)
    assert bring(text.encode(charset)).created == 3
    assert sorted(contacts()) == sorted(names)
    assert {one.addresses[0]["city"] for one in contacts().values()} == {"Jyväskylä"}


def test_bytes_that_are_no_text_refuse_their_row_alone(bring: Any) -> None:
    mapping = {"charset": "utf-8", "columns": {"name": "name"}}
    report = bring(b"name\nKallio\nT\xe4hti\nNul\x00\nSaimaa\n", mapping=mapping)
    assert [one.line for one in report.refusals] == [3, 4]
    assert sorted(contacts()) == ["Kallio", "Saimaa"]


def test_a_trial_says_what_would_happen_and_leaves_nothing(bring: Any) -> None:
    many = "".join(f"{n},Firm {n},info@firm{n}.example\n" for n in range(150))
    bad = "200,,x@\n"
    report = bring(f"Nr,Firma,Mail\n{many}{bad}", mapping=CUSTOMERS, dry_run=True)
    assert (report.created, report.refused, report.run_id) == (150, 1, None)
    for model in (Contact, ImportKey, ImportRun, ImportRefusal):
        assert count(model) == 0
    assert (
        db.session.scalar(sa.select(Event.id).where(Event.type.like("contact.%")))
        is None
    )


def test_a_trial_lets_rows_refer_to_rows_it_took_back(bring: Any) -> None:
    mapping = {
        **CUSTOMERS,
        "columns": {"name": "Firma", "parent_key": "Mother"},
    }
    rows = "".join(f"{n},Firm {n},\n" for n in range(150))
    report = bring(
        f"Nr,Firma,Mother\n{rows}200,Daughter,0\n201,Orphan,999\n",
        mapping=mapping,
        dry_run=True,
    )
    assert (report.created, report.refused) == (151, 1)
    assert "999" in report.refusals[0].reason


class Listener:
    """A plugin that hears of contacts."""

    __name__ = "listener"

    @hookimpl
    def register_subscribers(self) -> list[Subscriber]:
        return [Subscriber("listener", ("contact.*",), lambda _event: None)]


def test_what_an_import_writes_is_delivered_after_what_people_write(
    make_app: Callable[..., CRM], tmp_path: Path
) -> None:
    app = make_app(extra_plugins=(("listener", Listener()),))
    path = tmp_path / "file.csv"
    path.write_text("name\nKallio Oy\n")
    with app.app_context():
        me = make_user(roles=["admin"])
        run_import(app, "contacts", path, actor_id=me.id)
        make_contact("Tapio Oy")
        made = db.session.execute(
            sa.select(Delivery.priority, Event.actor_id == me.id)
            .join(Delivery, Delivery.event_id == Event.id)
            .where(Event.type == "contact.created", Delivery.subscriber == "listener")
            .order_by(Event.id)
        ).all()
    assert [one.priority for one in made] == [BULK, PEOPLE]
    assert made[0][1]


def test_undo_takes_back_what_nobody_has_touched_since(bring: Any, app: CRM) -> None:
    make_contact("Old Oy")
    text = "".join(f"{n},Firm {n},info@firm{n}.example\n" for n in range(1, 5))
    report = bring(f"Nr,Firma,Mail\n{text}", mapping=CUSTOMERS)
    run = db.session.get_one(ImportRun, report.run_id)
    me = run.by_id or 0
    assert (run.state, run.created, run.resume_row) == ("done", 4, 4)
    with db.transaction():
        change_contact(contacts_now()["Firm 1"], {"tags": ["kept"]}, actor=None)
        write_interaction(contacts_now()["Firm 2"], author=None, body="They called.")
    undone = undo_import(app, report.run_id or 0, actor_id=me)
    assert (undone.deleted, undone.left) == (2, 2)
    assert {one.reason for one in undone.kept} == {
        "It was changed since.",
        "Other records hang on it.",
    }
    assert sorted(contacts()) == ["Firm 1", "Firm 2", "Old Oy"]
    assert count(Interaction) == 1
    assert db.session.get_one(ImportRun, report.run_id).state == "kept"
    deleted = db.session.scalars(
        sa.select(Event).where(Event.type == "contact.deleted")
    )
    assert len(deleted.all()) == 2


def contacts_now() -> dict[str, Contact]:
    return {one.name: one for one in db.session.scalars(sa.select(Contact))}


def test_undo_of_everything_lets_the_file_come_in_again(bring: Any, app: CRM) -> None:
    text = "Nr,Firma,Mail\n1,Kallio Oy,a@kallio.example\n"
    report = bring(text, mapping=CUSTOMERS)
    me = db.session.get_one(ImportRun, report.run_id).by_id or 0
    assert undo_import(app, report.run_id or 0, actor_id=me).deleted == 1
    with pytest.raises(Invalid, match="no import"):
        undo_import(app, report.run_id or 0, actor_id=me)
    assert (count(Contact), count(ImportKey)) == (0, 0)
    assert bring(text, mapping=CUSTOMERS).created == 1


def test_an_earlier_import_is_undone_after_the_later_one(bring: Any, app: CRM) -> None:
    first = bring("Nr,Firma,Mail\n1,Kallio Oy,a@kallio.example\n", mapping=CUSTOMERS)
    later = bring("Nr,Firma,Mail\n1,Kallio Group,a@kallio.example\n", mapping=CUSTOMERS)
    me = db.session.get_one(ImportRun, first.run_id).by_id or 0
    refused = undo_import(app, first.run_id or 0, actor_id=me)
    assert (refused.deleted, refused.left) == (0, 1)
    assert undo_import(app, later.run_id or 0, actor_id=me).changed == 1
    assert undo_import(app, first.run_id or 0, actor_id=me).deleted == 1


def test_an_import_that_was_cut_off_goes_on_where_it_was(
    bring: Any, app: CRM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STEPS, "postgresql", 100)
    text = "".join(f"{n},Firm {n},info@firm{n}.example\n" for n in range(250))

    def pull_the_plug(rows: int, _part: float) -> None:
        if rows > 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(f"Nr,Firma,Mail\n{text}", mapping=CUSTOMERS, progress=pull_the_plug)
    run = db.session.scalars(sa.select(ImportRun)).one()
    assert (run.state, run.resume_row, run.created) == ("stopped", 100, 100)
    assert count(Contact) == 100
    report = resume_import(app, run.id, tmp_path / "file.csv")
    assert report.created == 250
    assert (count(Contact), count(ImportKey)) == (250, 250)
    with pytest.raises(Invalid, match="no import"):
        resume_import(app, run.id, tmp_path / "file.csv")


def test_another_file_is_not_taken_for_the_one_that_was_cut_off(
    bring: Any, app: CRM, tmp_path: Path
) -> None:
    report = bring("name\nKallio\n")
    with db.transaction() as session:
        session.get_one(ImportRun, report.run_id).state = "stopped"
    (tmp_path / "file.csv").write_text("name\nTapio\n")
    with pytest.raises(Invalid, match="not the file"):
        resume_import(app, report.run_id or 0, tmp_path / "file.csv")


@pytest.mark.parametrize(
    ("kind", "text", "mapping", "said"),
    [
        ("cakes", "name\n", None, "Nothing here brings in"),
        ("contacts", "", None, "is empty"),
        ("contacts", ",,\n1,2,3\n", None, "no headings"),
        ("contacts", "a,b\n1,2\n", None, "No column of this file"),
        ("contacts", "a\n", {"columns": {"name": "b"}}, "has no column “b”"),
        ("contacts", "a\n", {"columns": {"nome": "a"}}, "no field “nome”"),
        ("contacts", "a\n", {"columns": {}}, "needs .columns"),
        (
            "contacts",
            "a\n",
            {"kind": "staff", "columns": {"name": "a"}},
            "is for staff",
        ),
        ("contacts", "a\n", {"clumns": {}}, "“clumns” is not known here"),
        ("contacts", "a\n", {"columns": {"name": {"from": "a", "x": 1}}}, "“x”"),
    ],
)
def test_a_file_or_mapping_that_makes_no_sense_is_refused_whole(
    bring: Any, kind: str, text: str, mapping: Any, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        bring(text, kind=kind, mapping=mapping)
    assert count(ImportRun) == 0


def test_somebody_without_the_permission_brings_nothing_in(bring: Any) -> None:
    support = make_user("Sami Support", roles=["support"])
    with pytest.raises(Forbidden):
        bring("name\nKallio\n", actor_id=support.id)
    sales = make_user("Sari Sales", roles=["sales"])
    with pytest.raises(Forbidden):
        bring("email,name\na@example.com,A\n", kind="staff", actor_id=sales.id)


def test_colleagues_come_in_with_roles_and_teams_and_keep_their_own(bring: Any) -> None:
    text = (
        "email,name,role,team,password\n"
        'nancy@house.example,Nancy Davolio,sales,"Sales, Export",rapport-demo\n'
        "laura@house.example,Laura Callahan,support,Support,rapport-demo\n"
        "short@house.example,Too Short,sales,Sales,short\n"
        "odd@house.example,Odd Role,wizard,Sales,rapport-demo\n"
    )
    report = bring(text, kind="staff")
    assert (report.created, [one.line for one in report.refusals]) == (2, [4, 5])
    nancy = db.session.scalars(
        sa.select(User).where(User.email == "nancy@house.example")
    ).one()
    assert sorted(team.name for team in nancy.teams) == ["Export", "Sales"]
    assert [role.name for role in nancy.roles] == ["sales"]
    again = bring(text.replace('sales,"Sales, Export"', "admin,Support"), kind="staff")
    assert (again.created, again.same) == (0, 2)
    db.session.refresh(nancy)
    assert [role.name for role in nancy.roles] == ["sales"]


def test_history_comes_in_with_its_own_author_time_and_readers(bring: Any) -> None:
    make_contact("Kallio Oy")
    nancy = make_user("Nancy Davolio", roles=["sales"], teams=["Sales"])
    report = bring(
        "key,contact,author,date,body,kind,audience\n"
        "1,Kallio Oy,Nancy Davolio,2019-03-05,Wants a price list.,note,\n"
        "2,Kallio Oy,Somebody Gone,2018-01-02,First visit.,note,\n"
        "3,Kallio Oy,Nancy Davolio,2019-03-06,For my eyes.,note,private\n"
        "4,Nobody Oy,Nancy Davolio,2019-03-06,Lost.,note,\n"
        "5,Kallio Oy,Nancy Davolio,6.3.2019,Wrong day.,note,\n",
        kind="interactions",
    )
    assert report.created == 3
    assert [one.line for one in report.refusals] == [5, 6]
    entries = db.session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()
    assert [one.author_id for one in entries] == [nancy.id, None, nancy.id]
    assert entries[0].occurred_at.isoformat() == "2019-03-05T00:00:00+00:00"
    assert [one.audience.kind for one in entries] == ["teams", "staff", "private"]
    assert entries[1].author_name == "Somebody Gone"


def test_named_colleagues_come_in_as_readers_and_an_unknown_one_is_refused(
    bring: Any,
) -> None:
    make_contact("Kallio Oy")
    nancy = make_user("Nancy Davolio", roles=["sales"], teams=["Sales"])
    mika = make_user("Mika Koski", teams=["Support"])
    report = bring(
        "key,contact,author,body,kind,audience,team,user\n"
        f"1,Kallio Oy,Nancy Davolio,For two.,note,private,,{mika.email}\n"
        "2,Kallio Oy,Nancy Davolio,And one.,note,teams,Sales,Mika Koski\n"
        "3,Kallio Oy,Nancy Davolio,Lost.,note,private,,nobody@house.example\n",
        kind="interactions",
    )
    assert (report.created, [one.line for one in report.refusals]) == (2, [4])
    entries = db.session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()
    assert entries[0].audience.spec.users == {nancy.id, mika.id}
    assert entries[1].audience.spec.users == {mika.id}
    assert entries[1].audience.spec.teams == {nancy.teams[0].id}


RULES = {
    "zone": "Europe/Helsinki",
    "null": ["-"],
    "columns": {
        "plain": "a",
        "named": {"from": "b", "default": "none"},
        "fixed": {"value": 3},
        "full": {"template": "{a} {b}"},
        "mapped": {"from": "a", "map": {"x": "ex", "*": "other"}},
        "parts": {"from": "b", "split": ";"},
        "day": {"from": "day", "date": "%d.%m.%Y"},
        "moment": {"from": "day", "time": "%d.%m.%Y"},
        "amount": {"from": "sum", "decimal": ","},
        "each": ["a", "b", {"template": "{a}{b}"}],
        "nested": {"number": "b", "label": {"value": "work"}},
    },
}


def test_the_rules_of_a_mapping_do_what_they_say() -> None:
    mapping = parse_mapping(RULES)
    _key, row = mapping.row_of(
        {"a": " x ", "b": "one; two", "day": "5.3.2026", "sum": "1 234,50"}
    ) or (None, {})
    assert row == {
        "plain": "x",
        "named": "one; two",
        "fixed": 3,
        "full": "x one; two",
        "mapped": "ex",
        "parts": ["one", "two"],
        "day": "2026-03-05",
        "moment": "2026-03-05T00:00:00+02:00",
        "amount": "1234.50",
        "each": ["x", "one; two", "xone; two"],
        "nested": {"number": "one; two", "label": "work"},
    }


def test_an_empty_cell_fills_no_field() -> None:
    _key, row = parse_mapping(RULES).row_of({"a": "", "b": "-", "sum": " "}) or (
        None,
        {},
    )
    assert row == {"named": "none", "fixed": 3}


def test_a_mapping_leaves_out_the_rows_it_skips(bring: Any) -> None:
    mapping = {**CUSTOMERS, "skip": {"Mail": ["gone", ""]}}
    report = bring(
        "Nr,Firma,Mail\n1,Kallio,a@b.example\n2,Old,gone\n3,None,\n", mapping=mapping
    )
    assert (report.created, report.left_out, report.rows) == (1, 2, 3)


@pytest.mark.timeout(300)
def test_the_command_brings_in_lists_and_takes_back(
    app: CRM, database_url: str, tmp_path: Path
) -> None:
    del app
    me = make_user("Ada Admin", roles=["admin"])
    file = tmp_path / "till.csv"
    file.write_text("Nr,Firma,Mail\n1,Kallio Oy,a@b.example\n2,Bad Oy,nope\n")
    mapping = tmp_path / "till.toml"
    mapping.write_text(
        'source = "till"\nkey = "Nr"\n[columns]\nname = "Firma"\n'
        'emails = [{ address = "Mail" }]\n'
    )
    place = {"RAPPORT_INSTANCE": str(tmp_path), "RAPPORT_DATABASE_URL": database_url}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core", "import", *words],
            env={**os.environ, **place, "RAPPORT_LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            check=False,
        )

    done = command("contacts", str(file), "--map", str(mapping), "--as", me.email)
    assert "1 new" in done.stdout
    assert (
        "line 3: emails.0.address: Write an e-mail address such as pekka@example.com."
        in done.stderr
    )
    listed = json.loads(command("list", "--json").stdout)
    assert [(one["file"], one["created"]) for one in listed] == [("till.csv", 1)]
    undone = json.loads(command("undo", str(listed[0]["id"]), "--json").stdout)
    assert (undone["deleted"], undone["left"]) == (1, 0)
    assert contacts() == {}
    missing = command("contacts", "absent.csv")
    assert missing.returncode == 2
    assert "rapport: There is no file absent.csv." in missing.stderr


def workbook(rows: list[list[str | float]]) -> bytes:
    """Write the smallest XLSX file that a spreadsheet program opens."""

    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    table = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/s.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="s.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/s.xml": f'<worksheet xmlns="{main}"><sheetData>{table}'
        "</sheetData></worksheet>",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def test_a_workbook_comes_in_like_a_csv_file(bring: Any) -> None:
    table = workbook([["name", "tag"], ["Kallio Oy", 12.0], ["", ""], ["x" * 201, 1.0]])
    report = bring(table, name="contacts.xlsx")
    assert (report.created, [one.line for one in report.refusals]) == (1, [4])
    assert contacts()["Kallio Oy"].tags == ["12"]


def test_hostile_text_comes_in_as_it_is_or_is_refused(
    bring: Any, tmp_path: Path
) -> None:
    names = [
        "=1+1",
        "<script>alert(1)</script>",
        "'; DROP TABLE contact; --",
        "田" * 199,
    ]
    path = tmp_path / "hostile.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["name"], *[[one] for one in names], ["x" * 201]])
    report = bring(path.read_bytes())
    assert sorted(contacts()) == sorted(names)
    assert report.refused == 1
