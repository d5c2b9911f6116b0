"""One file that holds an installation, and an installation from one file."""

import io
import json
import shutil
import stat
import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from core import migrate
from core.app import create_app
from core.backup import tables
from core.cli import rapport
from core.contacts.erasing.models import Erasure
from core.cursors import events_after, latest_cursor
from core.db import db, now
from core.event_visibility import learned
from core.events import Delivery, Event
from core.files import file_store
from core.interactions.models import Interaction
from core.jobs import JobRun
from core.testing.factories import PASSWORD, make_contact, make_interaction, make_user
from core.testing.signing_in import SignedIn
from core.worker import deliver_due, run_due_jobs
from plugins.documents.models import Version
from tests.core.contacts.erasing_world import where_is


@pytest.fixture
def run(app):
    """Run a command on an application, that of the test unless another is given."""

    def start(*words, on=app):
        result = CliRunner().invoke(rapport, [str(one) for one in words], obj=on)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return start


@pytest.fixture
def elsewhere(tmp_path, request, word_lists):
    """Make an empty installation on a database of its own, of either kind."""
    made = []
    servers = []

    def make(dialect, name="elsewhere", **config):
        folder = tmp_path / name
        folder.mkdir()
        url = f"sqlite:///{folder}/rapport.db"
        if dialect == "postgresql":
            server = request.getfixturevalue("postgres")
            url = server.clone()
            servers.append((server, url))
        settings = {"TESTING": True, "SECRET_KEY": "test", "DATABASE_URL": url}
        app = create_app(
            settings | {"SEARCH_LEMMAS": word_lists} | config, instance=folder
        )
        with app.app_context(), migrate.changing_tables(db.engine) as connection:
            tables.drop_all(connection)
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["rapport_engine"].dispose()
    for server, url in servers:
        server.drop(url)


@pytest.fixture
def company(app, as_user, deliver):
    """A little of everything: people, notes, a document, queues, a deleted row."""
    (Path(app.instance_path) / "config.py").write_text('HOUSE_NAME = "Kivi & Co"\n')
    (Path(app.instance_path) / "secret_key").write_text("k" * 40)
    rep = make_user("Aino Mäki", roles=("admin",), teams=("Sales",), password=PASSWORD)
    firm = make_contact("Kallion Vesijohto Oy – 水管", roles=("customer",))
    for number in range(30):
        make_interaction(contact=firm, author=rep, body=f"Pipe {number}: «ok» \\ \t 😀")
    answer = as_user(rep).post(
        "/documents",
        data={
            "file": (io.BytesIO(b"The contract mentions zirconium." * 50), "a.txt"),
            "title": "Contract",
            "contact": str(firm.id),
            "audience": "staff",
        },
    )
    assert answer.status_code in {200, 303}, answer.text
    with db.transaction() as session:
        gone = session.get_one(Interaction, 30)
        session.delete(gone)
    return rep


def everything(app):
    """Give every table's rows in one form, without what a restore begins anew."""
    found = {}
    with app.app_context(), db.engine.connect() as connection, connection.begin():
        for table in tables.describe_tables(connection):
            skipped = {"job_run": "*", "event": "xid", "delivery": "token leased_until"}
            left = skipped.get(table.name, "").split()
            if left == ["*"]:
                continue
            names = list(table.columns)
            found[table.name] = sorted(
                (
                    json.dumps(
                        {
                            name: alike(value, table.columns[name])
                            for name, value in zip(names, row, strict=True)
                            if name not in left
                        },
                        sort_keys=True,
                    )
                    for row in tables.rows_of(connection, table)
                ),
            )
    return found


def alike(value, kind):
    if kind == "json" and value is not None:
        return json.loads(value)
    return str(value) if kind in {"numeric", "integer"} and value is not None else value


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_backup_restores_whole_into_either_kind_of_database(
    app, company, run, elsewhere, tmp_path, target, sign_in_to, clock
):
    file = tmp_path / "all.rapport"
    taken = run("backup", file)
    assert taken.exit_code == 0, taken.stderr
    assert "1 files" in taken.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = elsewhere(target)
    back = run("restore", file, on=other)
    assert back.exit_code == 0, back.stderr
    before, after = everything(app), everything(other)
    for name in before:
        assert len(before[name]) == len(after[name]), name
        if db.dialect == target:
            assert before[name] == after[name], name
    here = Path(other.instance_path)
    assert (here / "secret_key").read_text() == "k" * 40
    assert stat.S_IMODE((here / "secret_key").stat().st_mode) == 0o600
    assert "Kivi" in (here / "config.py").read_text()
    client = SignedIn.around(other.test_client())
    typed = {"email": company.email, "password": PASSWORD}
    with other.app_context():
        assert client.post("/sign-in", data=typed).status_code == 303
        with db.read_only() as session:
            version = session.scalars(sa.select(Version)).one()
        assert file_store().verify(version.sha256)
    assert "Contract" in client.get(f"/documents/{version.document_id}").text
    run_due_jobs(other)
    while deliver_due(other):
        continue
    items = client.get("/search?q=zirconium").text
    assert "Contract" in items
    # The number of a row that is gone is not given out again.
    with other.app_context():
        fresh = make_interaction(contact=make_contact(), author=company, body="New")
        assert fresh.id == 31


def test_a_backup_is_of_one_moment_while_people_write(
    app, company, run, elsewhere, tmp_path, dialect
):
    stopped = threading.Event()
    written = []

    def write():
        with app.app_context():
            while not stopped.is_set():
                make_contact(f"Firm {len(written)}")
                written.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(3):
            assert run("backup", tmp_path / f"{number}.rapport").exit_code == 0
    finally:
        stopped.set()
        thread.join()
    assert written
    for number in range(3):
        other = elsewhere("sqlite", f"place{number}")
        assert run("restore", tmp_path / f"{number}.rapport", on=other).exit_code == 0
        found = everything(other)
        made = [one for one in found["event"] if '"contact.created"' in one]
        # Each contact with its event, its name and its deliveries, or without all.
        assert len(made) == len(found["contact"])


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_backup_of_an_older_version_is_brought_up_to_date(
    app, company, run, elsewhere, tmp_path, deliver
):
    deliver()
    before = everything(app)
    heads = {one.name: one.head for one in migrate.status(app)}
    assert heads["core"] != "0002_fixed_audiences"
    migrate.downgrade(app, "core", "0002_fixed_audiences")
    assert run("backup", tmp_path / "old.rapport").exit_code == 0
    other = elsewhere("sqlite")
    back = run("restore", tmp_path / "old.rapport", on=other)
    assert back.exit_code == 0, back.stderr
    assert f"core {heads['core']}" in back.stdout
    assert {one.name: one.current for one in migrate.status(other)} == heads
    assert everything(other)["contact"] == before["contact"]


def test_a_house_with_data_is_replaced_only_when_asked_and_kept_beside(
    app, company, run, tmp_path
):
    file = tmp_path / "monday.rapport"
    assert run("backup", file).exit_code == 0
    make_contact("Tuesday's firm")
    tuesday = everything(app)
    refused = run("restore", file)
    assert refused.exit_code == 2
    assert "--replace" in refused.stderr
    assert everything(app) == tuesday
    done = run("restore", file, "--replace")
    assert done.exit_code == 0, done.stderr
    assert "Tuesday" not in json.dumps(everything(app)["contact"])
    (beside,) = tmp_path.glob("before-restore-*")
    again = run("restore", beside, "--replace", "--quiet")
    assert again.exit_code == 0
    assert again.stdout == ""
    assert everything(app) == tuesday


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_restored_house_goes_on_telling_what_happens(app, company, run, tmp_path):
    with db.transaction() as session:
        # Another cluster had come further than this one ever will in this test.
        session.execute(sa.update(Event).values(xid=2**40))
        session.execute(
            sa.update(Delivery).values(token="x", leased_until=now() + timedelta(1))
        )
        session.add(JobRun(name="x", next_run=now() + timedelta(days=9)))
    run("backup", tmp_path / "a.rapport")
    run("restore", tmp_path / "a.rapport", "--replace")
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.max(Event.xid))) == 0
        assert session.scalars(sa.select(Delivery.token).distinct()).all() == [None]
        assert session.scalars(sa.select(JobRun)).all() == []


def test_who_follows_from_a_later_day_hears_what_comes_after_a_restore(app):
    admin = make_user("Ad Min", roles=("admin",))
    ahead = f"{2**40}.{2**40}"
    with db.read_only():
        found, cursor = events_after(ahead, learned(admin).scalars)
        assert found == []
        assert cursor == latest_cursor()
    make_contact("Afterwards Oy")
    with db.read_only():
        found, _cursor = events_after(cursor, learned(admin).scalars)
    assert "contact.created" in {one.type for one in found}


# -- Refusals: one sentence, and nothing was touched -------------------------------


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip(path):
    with zipfile.ZipFile(path) as archive:
        inside = max(archive.infolist(), key=lambda one: one.compress_size)
    data = bytearray(path.read_bytes())
    data[inside.header_offset + 60 + inside.compress_size // 2] ^= 0xFF
    path.write_bytes(data)


def rewritten(change):
    def spoil(path):
        with zipfile.ZipFile(path) as old:
            members = {one: old.read(one) for one in old.namelist()}
        change(members)
        with zipfile.ZipFile(path, "w") as new:
            for name, data in members.items():
                new.writestr(name, data)

    return spoil


def contents(**more):
    def change(members):
        said = json.loads(members["rapport.json"])
        members["rapport.json"] = json.dumps(said | more).encode()

    return rewritten(change)


def one_row_less(members):
    lines = members["tables/contact.jsonl"].splitlines(keepends=True)
    members["tables/contact.jsonl"] = b"".join(lines[1:])


SPOILT = {
    "cut": (cut, "not a whole one"),
    "flipped": (flip, ""),
    "text": (lambda path: path.write_text("hello"), "no backup"),
    "empty": (lambda path: path.write_bytes(b""), "no backup"),
    "other zip": (rewritten(lambda m: m.clear() or m.update(a=b"")), "'a' is in it"),
    "slip": (rewritten(lambda m: m.update({"../../evil": b"x"})), "evil"),
    "absolute": (rewritten(lambda m: m.update({"/etc/evil": b"x"})), "evil"),
    "row": (rewritten(one_row_less), "tables/contact.jsonl is not what it was"),
    "table": (rewritten(lambda m: m.pop("tables/contact.jsonl")), "damaged"),
    "contents": (rewritten(lambda m: m.update({"rapport.json": b"[]"})), "no backup"),
    "format": (contents(format=2), "newer Rapport"),
    "revision": (contents(lineages={"core": "0999_later"}), "newer core"),
    "stranger": (
        contents(lineages={"core": "0001_first", "aliens": "0001_first"}),
        "aliens, which is not installed",
    ),
}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_backup_is_refused_before_anything_is_changed(
    app, company, run, tmp_path, how
):
    file = tmp_path / "spoilt.rapport"
    assert run("backup", file).exit_code == 0
    spoil, said = SPOILT[how]
    spoil(file)
    before = everything(app)
    refused = run("restore", file, "--replace")
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert everything(app) == before
    assert not list(tmp_path.glob("before-restore-*"))
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_tables_of_a_plugin_that_is_gone_are_named_and_can_stay_out(
    app, company, run, elsewhere, tmp_path
):
    file = tmp_path / "all.rapport"
    assert run("backup", file).exit_code == 0
    other = elsewhere("sqlite", PLUGINS_DISABLED=["support"])
    refused = run("restore", file, on=other)
    assert refused.exit_code == 2
    assert "support, which is not installed" in refused.stderr
    assert run("restore", file, "--without", "nobody", on=other).exit_code == 2
    done = run("restore", file, "--without", "support", on=other)
    assert done.exit_code == 0, done.stderr
    assert "support were left out" in done.stderr
    assert everything(other)["contact"] == everything(app)["contact"]
    assert not any(one.startswith("support") for one in everything(other))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_tables_of_a_plugin_that_is_switched_off_are_in_the_backup(
    app, company, run, make_app, elsewhere, tmp_path
):
    off = make_app(PLUGINS_DISABLED=["documents"])
    assert run("backup", tmp_path / "all.rapport", on=off).exit_code == 0
    other = elsewhere("sqlite")
    assert run("restore", tmp_path / "all.rapport", on=other).exit_code == 0
    assert everything(other) == everything(app)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_missing_file_is_named_and_the_rest_is_kept(
    app, company, run, elsewhere, tmp_path
):
    with db.read_only() as session:
        sha256 = session.scalars(sa.select(Version.sha256)).one()
    file_store().remove(sha256)
    taken = run("backup", tmp_path / "all.rapport")
    assert taken.exit_code == 0
    assert f"file {sha256} of documents_version" in taken.stderr
    back = run("restore", tmp_path / "all.rapport", on=elsewhere("sqlite"))
    assert back.exit_code == 0
    assert sha256 in back.stderr


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_backup_never_writes_over_another(app, company, run, tmp_path):
    file = tmp_path / "all.rapport"
    file.write_bytes(b"")
    assert run("backup", file).exit_code == 0
    kept = file.read_bytes()
    refused = run("backup", file)
    assert refused.exit_code == 2
    assert "there already" in refused.stderr
    assert file.read_bytes() == kept
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_empty_house_has_nothing_to_back_up(run, elsewhere, tmp_path):
    refused = run("backup", tmp_path / "all.rapport", on=elsewhere("sqlite"))
    assert refused.exit_code == 2
    assert "rapport init" in refused.stderr
    assert not (tmp_path / "all.rapport").exists()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_rehearsal_never_ends_in_the_database_it_came_from(
    app, company, run, elsewhere, tmp_path
):
    config = Path(app.instance_path) / "config.py"
    config.write_text('DATABASE_URL = "postgresql://crm:secret@live/crm"\n')
    run("backup", tmp_path / "all.rapport")
    other = elsewhere("sqlite")
    done = run("restore", tmp_path / "all.rapport", on=other)
    assert done.exit_code == 0
    assert "config.restored.py" in done.stderr
    place = Path(other.instance_path)
    assert not (place / "config.py").exists()
    assert "secret@live" in (place / "config.restored.py").read_text()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_fails_half_way_leaves_the_old_tables(
    app, company, run, tmp_path, monkeypatch
):
    file = tmp_path / "all.rapport"
    assert run("backup", file).exit_code == 0
    make_contact("Tuesday's firm")
    before = everything(app)
    real = tables.fill

    def give_up(connection, table, kinds, rows):
        if table.name == "interaction":
            raise sa.exc.OperationalError("x", {}, Exception("disk full"))
        real(connection, table, kinds, rows)

    monkeypatch.setattr(tables, "fill", give_up)
    refused = run("restore", file, "--replace")
    assert refused.exit_code == 2
    assert "nothing was changed: disk full" in refused.stderr
    assert everything(app) == before
    shutil.rmtree(tmp_path / "search", ignore_errors=True)


def test_who_was_erased_since_a_backup_is_erased_again_when_it_is_restored(
    app, run, api, tmp_path
):
    chief = make_user("Ada Admin", roles=["admin"])
    person = make_contact("Zyxqv Ångström", kind="person", job_title="Buyer")
    saved = tmp_path / "monday.rapport"
    assert run("backup", saved).exit_code == 0
    why = {"reason": "Asked for it on the phone.", "confirm": "Zyxqv Ångström"}
    place = f"/api/v1/contacts/{person.id}/erase"
    assert api(chief).post(place, json=why).status_code == 201
    db.session.rollback()
    result = run("restore", saved, "--replace")
    assert result.exit_code == 0, result.output
    assert "Erased again, as they had been since the backup: 1" in result.output
    assert where_is("Zyxqv") == set()
    with db.read_only() as session:
        assert session.get_one(Erasure, person.id).by_id == chief.id
