"""An administrator sees what removing a plugin takes away, removes it, puts it back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from core import migrate, settings
from core.db import db
from core.demo import load_demo_company
from core.plugin_life import (
    archives_of,
    plan_removal,
    put_back,
    remove_plugin,
    turn_off,
    turn_on,
)
from core.plugin_manager import PluginError
from core.records import Link
from core.testing.factories import make_contact, make_user
from core.testing.plugins import install_plugin
from core.testing.server import environment
from core.users.models import Role
from core.worker import deliver_due
from plugins.search.saved import keep_search
from plugins.support.models import Ticket
from plugins.support.services import open_ticket

ROOT = Path(__file__).parents[2]
# The demo company is made once, which takes its time on a busy machine.
pytestmark = [pytest.mark.timeout(300), pytest.mark.soak_on_postgresql]


def snapshot():
    """Read every row of every table, as the database keeps it."""
    metadata = sa.MetaData()
    with db.engine.connect() as connection:
        with migrate.quietly():
            metadata.reflect(connection)
        return {
            name: sorted(
                connection.execute(
                    sa.select(*[sa.cast(one, sa.Text) for one in table.columns])
                ).all(),
                key=repr,
            )
            for name, table in metadata.tables.items()
        }


def permissions_of_roles():
    with db.read_only() as session:
        return {one.name: one.permissions for one in session.scalars(sa.select(Role))}


@pytest.fixture
def company(app, dialect, request, tmp_path):
    """The demo company, with a setting and a link that concern each plugin."""
    if dialect == "sqlite":
        ready = request.getfixturevalue("demo_template")
        db.engine.dispose()
        shutil.copytree(ready, tmp_path, dirs_exist_ok=True)
    else:
        load_demo_company(app)
    with db.transaction() as session:
        settings.save("documents", {"max_upload": 5_000_000})
        for ref in ("documents.document/1", "portal.order/1", "support.ticket/1"):
            session.add(Link(from_ref="interaction/1", to_ref=ref))
    return app


# A plugin that has a page and nothing in the database.
PLAIN = """
from flask import Blueprint
from core import hookimpl
from core.permissions import public

bp = Blueprint("plain", __name__)


@bp.get("/plain")
@public
def index():
    return "Plainly here."


@hookimpl
def register_blueprints():
    return [bp]
"""
# What core keeps for plugins, apart from history.
SHARED = {"role", "setting", "link", "job_run"}
HISTORY = {"event", "delivery"}


@pytest.mark.parametrize("name", ["documents", "portal", "support"])
def test_a_removed_plugin_leaves_the_rest_alone_and_comes_back_row_for_row(
    company, name, make_app
):
    before, roles = snapshot(), permissions_of_roles()
    plan = plan_removal(company, name)
    own = {one for one in before if one.startswith(f"{name}_")}
    assert {*plan.tables, f"{name}_alembic_version"} == own
    assert plan.tables == {one: len(before[one]) for one in plan.tables}
    linked = [one for one in before["link"] if f"{name}." in str(one)]
    assert plan.links == len(linked) > 0
    gone = remove_plugin(company, name)
    assert gone.tables == plan.tables
    removed = snapshot()
    assert set(removed) == set(before) - own
    for table in set(removed) - SHARED - HISTORY:
        assert removed[table] == before[table], table
    assert not any(
        permission.startswith(f"{name}:")
        for granted in permissions_of_roles().values()
        for permission in granted
    )
    # Core runs whole without it, from the next start on.
    without = make_app()
    assert not without.extensions["rapport_pm"].has_plugin(name)
    with without.app_context():
        assert migrate.differences(without) == []
    assert without.test_client().get("/readyz").status_code in {200, 503}

    back = put_back(company, gone.archive)
    assert back.tables == plan.tables
    assert back.lost == 0
    after = snapshot()
    for table in set(after) - HISTORY - {"role", "job_run"}:
        assert after[table] == before[table], table
    assert permissions_of_roles() == roles
    assert migrate.differences(company, name) == []
    assert make_app().extensions["rapport_pm"].has_plugin(name)


def test_what_comes_back_goes_on_counting_where_it_stopped(company):
    with db.transaction() as session:
        (last,) = session.execute(sa.text("SELECT max(id) FROM support_ticket")).one()
        session.execute(
            sa.text("DELETE FROM support_ticket WHERE id = :last"), {"last": last}
        )
    gone = remove_plugin(company, "support")
    put_back(company, gone.archive)
    contact, user = make_contact("Uusi Oy"), make_user()
    with db.transaction() as session:
        ticket = open_ticket(
            session.merge(contact),
            author=session.merge(user),
            subject="Again",
            body="It leaks.",
        )
        assert ticket.id > last


def test_rows_whose_contact_is_gone_stay_in_the_archive(app):
    contact, other, user = make_contact("A Oy"), make_contact("B Oy"), make_user()
    with db.transaction() as session:
        for one in (contact, other):
            open_ticket(
                session.merge(one),
                author=session.merge(user),
                subject=one.name,
                body="It leaks.",
            )
    gone = remove_plugin(app, "support")
    with db.engine.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM contact_key WHERE contact_id = :id"), {"id": other.id}
        )
        connection.execute(
            sa.text("DELETE FROM interaction_contact WHERE contact_id = :id"),
            {"id": other.id},
        )
        connection.execute(
            sa.text("DELETE FROM contact WHERE id = :id"), {"id": other.id}
        )
    back = put_back(app, gone.archive)
    assert back.tables["support_ticket"] == 1
    assert back.lost == 2  # the ticket, and which message was said on it
    assert migrate.differences(app, "support") == []


def test_search_forgets_what_was_removed_and_finds_what_came_back(
    company, make_app, sign_in_to
):
    while deliver_due(company):
        continue
    admin = make_user("Ad Min", roles=("admin",))
    with db.read_only() as session:
        subject = session.get_one(Ticket, 1).subject

    def found(app):
        answer = sign_in_to(app, admin).get(f"/api/v1/search?q={quote(subject)}")
        items = answer.json["items"]
        return [one["ref"] for one in items if one["ref"] == "support.ticket/1"]

    assert found(company)
    gone = remove_plugin(company, "support")
    without = make_app()
    with without.app_context():
        while deliver_due(without):
            continue
    put_back(company, gone.archive)
    assert not found(company)
    while deliver_due(company):
        continue
    assert found(company)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_plugin_without_tables_goes_and_comes_back_too(
    make_app, monkeypatch, tmp_path
):
    install_plugin(tmp_path / "site", "plain", PLAIN)
    monkeypatch.syspath_prepend(tmp_path / "site")
    app = make_app()
    gone = remove_plugin(app, "plain")
    assert gone.tables == {}
    assert make_app().test_client().get("/plain").status_code == 404
    put_back(app, gone.archive)
    assert make_app().test_client().get("/plain").text == "Plainly here."


def test_a_kept_search_comes_back_with_the_plugin_that_kept_it(app):
    anna = make_user("Anna Laine")
    with db.transaction() as session:
        keep_search(session.merge(anna), "valve tag:urgent")
    before = snapshot()["search_saved"]
    gone = remove_plugin(app, "search")
    assert gone.tables == {"search_saved": 1}
    assert "search_saved" not in snapshot()
    put_back(app, gone.archive)
    assert snapshot()["search_saved"] == before
    assert migrate.differences(app, "search") == []


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_archive_is_for_its_owner_alone_and_says_what_it_holds(app):
    gone = remove_plugin(app, "support")
    assert gone.archive.stat().st_mode & 0o077 == 0
    with ZipFile(gone.archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        assert manifest["plugin"] == "support"
        assert manifest["tables"]["support_numbering"] == 1
        assert b'"last": 1000' in opened.read("tables/support_numbering.jsonl")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_uploaded_bytes_come_back_with_their_documents(company, make_app):
    from core.files import file_store

    hashes = list(file_store().hashes())
    plan = plan_removal(company, "documents")
    assert plan.files == len(hashes) > 0
    gone = remove_plugin(company, "documents")
    for one in hashes:
        file_store().remove(one)
    put_back(company, gone.archive)
    assert all(file_store().verify(one) for one in hashes)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_putting_back_twice_changes_nothing_and_keeps_what_is_new(company):
    gone = remove_plugin(company, "support")
    put_back(company, gone.archive)
    with db.transaction() as session:
        session.execute(sa.text("UPDATE support_ticket SET subject = 'New words'"))
    assert put_back(company, gone.archive).already
    assert "New words" in repr(snapshot()["support_ticket"])


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_role_that_changed_meanwhile_keeps_its_changes(app):
    gone = remove_plugin(app, "support")
    with db.transaction() as session:
        role = session.scalars(sa.select(Role).where(Role.name == "sales")).one()
        role.permissions = ["contacts:read"]
    put_back(app, gone.archive)
    assert permissions_of_roles()["sales"] == [
        "contacts:read",
        "support:read",
        "support:write",
    ]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_plugin_is_switched_off_and_on_without_losing_anything(app, make_app):
    before = snapshot()
    turn_off(app, "support")
    off = make_app()
    assert off.test_client().get("/support").status_code == 404
    turn_on(off, "support")
    assert make_app().test_client().get("/support").status_code == 302
    assert snapshot() == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_is_not_there_is_refused_by_name(app, tmp_path, make_app):
    for work in (plan_removal, remove_plugin, turn_off, turn_on):
        with pytest.raises(PluginError, match="'nowhere'"):
            work(app, "nowhere")
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(PluginError, match="damaged"):
        put_back(app, tmp_path / "no.zip")
    with ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    with pytest.raises(PluginError, match="no archive of a plugin"):
        put_back(app, tmp_path / "other.zip")
    pinned = make_app(PLUGINS_DISABLED=["support"])
    with pytest.raises(PluginError, match="configuration"):
        turn_on(pinned, "support")


# -- By command, in processes of their own -----------------------------------------


def rapport(folder, url, *words, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "core", "plugin", *words],
        env=environment(folder, url),
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_commands_plan_remove_and_restore(company, database_url, tmp_path):
    before = snapshot()["support_ticket"]
    db.engine.dispose()
    plan = rapport(tmp_path, database_url, "plan", "support", "--json")
    assert json.loads(plan.stdout)["tables"]["support_ticket"] == len(before)
    unsure = rapport(tmp_path, database_url, "remove", "support")
    assert (unsure.returncode, "--yes" in unsure.stderr) == (2, True)
    gone = rapport(tmp_path, database_url, "remove", "support", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "restart" in gone.stdout
    assert "support_ticket" not in snapshot()
    listed = rapport(tmp_path, database_url, "list", "--json")
    assert {"name": "support", "module": "plugins.support.plugin", "on": False} in (
        json.loads(listed.stdout)
    )
    back = rapport(tmp_path, database_url, "restore", "support", "--json")
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout)["lost"] == 0
    assert snapshot()["support_ticket"] == before
    wrong = rapport(tmp_path, database_url, "plan", "nowhere")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "kills",
    [pytest.param(2, id="few"), pytest.param(12, id="many", marks=pytest.mark.soak)],
)
def test_a_removal_that_is_killed_is_whole_or_finished_by_the_next_one(
    company, database_url, tmp_path, kills
):
    before = snapshot()
    roles = permissions_of_roles()
    db.engine.dispose()
    command = [sys.executable, "-m", "core", "plugin", "remove", "support", "--yes"]
    started = time.monotonic()
    subprocess.run(command, env=environment(tmp_path, database_url), check=True)
    whole = time.monotonic() - started
    (first,) = archives_of(tmp_path, "support")
    put_back(company, first)
    for number in range(kills):
        child = subprocess.Popen(
            command, env=environment(tmp_path, database_url), stdout=subprocess.DEVNULL
        )
        # The work is at the end, after the imports.
        time.sleep(whole * (0.6 + 0.4 * number / kills))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        there = "support_ticket" in snapshot()
        if there:
            assert snapshot()["support_ticket"] == before["support_ticket"]
            assert permissions_of_roles() == roles
            done = rapport(tmp_path, database_url, "remove", "support", "--yes")
            assert done.returncode == 0, done.stderr
        assert "support_ticket" not in snapshot()
        put_back(company, archives_of(tmp_path, "support")[-1])
        assert snapshot()["support_ticket"] == before["support_ticket"]
        assert permissions_of_roles() == roles
        assert not list((tmp_path / "archive").glob("*.part"))


def test_the_archive_of_another_plugin_is_refused_before_anything_is_done(
    app, database_url, tmp_path
):
    gone = remove_plugin(app, "support")
    with pytest.raises(PluginError, match="is an archive of 'support', not of 'por"):
        put_back(app, gone.archive, "portal")
    assert not sa.inspect(db.engine).has_table("support_ticket")
    assert put_back(app, gone.archive, "support").plugin == "support"
