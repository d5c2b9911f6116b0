"""What is in the house can be taken out, and what went out can come in again."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import vobject
from python_calamine import CalamineWorkbook

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.errors import Forbidden
from core.exporting import export_kind, export_kinds, export_rows
from core.exporting.writers import WRITERS
from core.importing.running import run_import
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.server import environment
from core.users.models import User

ROOT = Path(__file__).parents[2]

HOSTILE = [
    '=HYPERLINK("http://evil.example","Click")',
    "+358 40 123",
    "-2+3",
    "@SUM(A1:A9)",
    "'=1+1",
    "''+x",
    "'quoted' name",
    'say "hi", then; leave',
    "two\nlines",
    "黄山贸易有限公司",
    "Ä\u0308 👩‍👩‍👧 ﷽",
    "tab\tinside",
    "a,b;c|d",
    "-5.00",
]


@pytest.fixture
def admin(app):
    return make_user("Ad Min", roles=("admin",))


def written(app, kind, form, user):
    out = io.BytesIO()
    declared = export_kind(app, kind)
    WRITERS[form](declared, export_rows(declared, user), out)
    return out.getvalue()


def people():
    with db.read_only() as session:
        return sorted(
            (one.name, one.know_first, one.emails, one.phones, one.roles, one.tags)
            for one in session.scalars(sa.select(Contact))
        )


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_goes_out_comes_in_again_as_it_was(app, admin, tmp_path, form):
    for number, words in enumerate(HOSTILE):
        make_contact(
            f"{number:02} {words}"[:60].replace("\n", " ").replace("\t", " "),
            know_first=words,
            emails=[{"address": f"a{number}@example.com", "label": "work"}],
            phones=[{"number": "+358 40 123 4567"}],
            roles=["customer"],
            tags=["retail"],
        )
    before = people()
    path = tmp_path / f"out.{form}"
    path.write_bytes(written(app, "contacts", form, admin))
    with db.engine.begin() as connection:
        for table in ("contact_key", "contact"):
            connection.execute(sa.text("DELETE FROM " + table))  # noqa: S608
    report = run_import(app, "contacts", path, None, actor_id=admin.id)
    assert report.refused == 0, report.refusals
    assert people() == before


def test_a_spreadsheet_finds_nothing_to_run(app, admin):
    for words in HOSTILE:
        make_contact("Kallio", know_first=words)
    text = written(app, "contacts", "csv", admin).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            number = cell.removeprefix("-").replace(".", "", 1).isdecimal()
            assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    sheet = CalamineWorkbook.from_filelike(
        io.BytesIO(written(app, "contacts", "xlsx", admin))
    ).get_sheet_by_index(0)
    cells = [cell for row in sheet.to_python() for cell in row]
    assert HOSTILE[0] in cells


def test_json_holds_everything(app, admin):
    for words in HOSTILE:
        make_contact("Kallio", know_first=words, custom={"shoe size": words})
    found = json.loads(written(app, "contacts", "json", admin))
    assert [one["know_first"] for one in found] == HOSTILE
    assert [one["custom"]["shoe size"] for one in found] == HOSTILE
    assert json.loads(written(app, "orders", "json", admin)) == []


def test_cards_are_read_by_what_reads_cards(app, admin):
    make_contact(
        "Ada; Love, lace",
        kind="person",
        emails=[{"address": "ada@example.com", "label": "work"}],
        phones=[{"number": "+358 40 123 4567", "label": "x;y:z\n"}],
    )
    cards = list(
        vobject.readComponents(written(app, "contacts", "vcard", admin).decode())
    )
    assert [one.fn.value for one in cards] == ["Ada; Love, lace"]
    assert cards[0].email.value == "ada@example.com"


def test_colleagues_whom_an_entry_names_go_out_with_it_by_their_addresses(app, admin):
    contact, mika = make_contact("A Oy"), make_user("Mika Koski")
    team = make_user("Sanna Aalto", teams=["Support"]).teams[0].id
    both = frozenset({admin.id, mika.id})
    for body, audience in {
        "For two": AudienceSpec("private", users=both),
        "For a team and one": AudienceSpec(
            "teams", teams=frozenset({team}), users=frozenset({mika.id})
        ),
        "For all": AudienceSpec("staff"),
    }.items():
        make_interaction(contact, author=admin, body=body, audience=audience)
    rows = json.loads(written(app, "interactions", "json", admin))
    found = {one["body"]: (one["teams"], one["users"]) for one in rows}
    assert found == {
        "For two": ([], [mika.email]),
        "For a team and one": (["Support"], [mika.email]),
        "For all": ([], []),
    }


def test_nobody_takes_out_what_they_may_not_see(app, admin):
    contact, other = make_contact("A Oy"), make_contact("B Oy")
    make_interaction(contact, author=admin, body="Only for the house")
    outi = make_user("Outi Kallio", kind="customer", contact=contact)
    assert b"B Oy" not in written(app, "contacts", "csv", outi)
    assert b"A Oy" in written(app, "contacts", "csv", outi)
    assert b"Only for" not in written(app, "interactions", "csv", outi)
    assert b"Only for" in written(app, "interactions", "csv", admin)
    nobody = make_user("No Role", roles=())
    with pytest.raises(Forbidden):
        written(app, "contacts", "csv", nobody)
    assert other.id


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_the_demo_company_goes_out_whole(demo_app, form):
    with db.read_only() as session:
        admin = session.scalars(
            sa.select(User).where(User.email.startswith("helena"))
        ).one()
        assert admin.permissions
        session.expunge_all()
    kinds = export_kinds(demo_app)
    assert {"contacts", "products", "orders", "interactions", "tickets"} <= set(kinds)
    for kind in kinds:
        assert len(written(demo_app, kind, form, admin)) > 500, kind


# -- By command --------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_command_writes_files_and_refuses_clearly(
    app, admin, database_url, tmp_path
):
    make_contact("Kallion Vesijohto Oy")

    def rapport(*words):
        return subprocess.run(
            [sys.executable, "-m", "core", "export", *words],
            env=environment(tmp_path, database_url),
            cwd=ROOT,
            capture_output=True,
        )

    told = rapport("contacts")
    assert told.returncode == 0, told.stderr
    assert b"Kallion Vesijohto Oy" in told.stdout
    out = tmp_path / "c.vcf"
    assert rapport("contacts", "--format", "vcard", "--out", str(out)).returncode == 0
    assert b"BEGIN:VCARD" in out.read_bytes()
    for words, said in (
        (["unicorns"], b"unicorns"),
        (["contacts", "--format", "pdf"], b"pdf"),
        (["products", "--format", "vcard"], b"Only contacts"),
        (["contacts", "--as", "nobody@example.com"], b"nobody@example.com"),
        (["contacts", "--out", str(tmp_path / "no" / "x.csv")], b"x.csv"),
    ):
        wrong = rapport(*words)
        assert wrong.returncode == 2, words
        assert said in wrong.stderr
    assert not list(tmp_path.glob("*.part"))


def test_what_a_table_has_no_room_for_stays_when_it_comes_in_again(
    app, admin, tmp_path
):
    numbers = [f"+35840123456{n}" for n in range(7)]
    phones = [{"number": one, "label": "work"} for one in numbers]
    place = {"street": "Satamakatu 1", "city": "Helsinki", "label": "gate B"}
    firm = make_contact("Kallion Vesijohto Oy", phones=phones, addresses=[place])
    path = tmp_path / "contacts.csv"
    table = written(app, "contacts", "csv", admin).decode("utf-8-sig")
    path.write_text(table.replace("Vesijohto", "Vesi"), "utf-8")
    report = run_import(app, "contacts", path, None, actor_id=admin.id)
    assert (report.created, report.updated, report.refused) == (0, 1, 0)
    with db.read_only() as session:
        found = session.get_one(Contact, firm.id)
        assert found.name == "Kallion Vesi Oy"
        assert [one["number"] for one in found.phones] == numbers
        assert [one["label"] for one in found.addresses] == ["gate B"]
