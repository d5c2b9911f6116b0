"""`rapport doctor`: what may be wrong, and what to do."""

import json
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from core import checkup, migrate
from core.cli import rapport
from core.db import db, now
from core.events import Delivery, Event
from core.jobs import JobRun
from core.plugin_manager import PluginError
from core.testing.factories import make_contact
from core.testing.plugins import INSTALLED, install_plugin
from core.worker import beat

MAIL = {
    "SMTP_HOST": "mail.example",
    "MAIL_FROM": "crm@house.example",
    "PUBLIC_URL": "https://crm.house.example",
}


@pytest.fixture
def doctor(app):
    """Ask the doctor; give the exit code and the findings by name."""

    def ask(on=app):
        result = CliRunner().invoke(rapport, ["doctor", "--json"], obj=on)
        found = json.loads(result.stdout)
        assert all(one["said"] for one in found)
        said = {one["name"]: (one["level"], one["said"]) for one in found}
        return result.exit_code, said

    return ask


@pytest.fixture
def well(app, monkeypatch):
    """Give an installation at which nothing is wrong."""
    for name, value in MAIL.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    app.config |= MAIL
    assert CliRunner().invoke(rapport, ["search", "rebuild"], obj=app).exit_code == 0
    beat(app)


def test_nothing_is_found_where_all_is_well(well, doctor):
    assert doctor() == (0, {})


def test_what_may_be_as_it_should_is_a_warning_and_ends_with_0(app, well, doctor):
    make_contact()
    with db.transaction() as session:
        session.execute(sa.delete(JobRun))
        session.add(JobRun(name="x", next_run=now(), error="RuntimeError()"))
        for one in session.scalars(sa.select(Delivery)):
            one.parked_at = now()
    code, said = doctor()
    assert code == 0
    assert said["worker"][0] == said["deliveries"][0] == said["jobs"][0] == "warning"
    assert "start rapport worker" in said["worker"][1]
    assert "/admin/deliveries" in said["deliveries"][1]


def test_a_clock_that_was_set_back_is_noticed(app, well, doctor, client):
    make_contact()
    with db.transaction() as session:
        later = now() + timedelta(hours=1)
        session.execute(sa.update(Event).values(time=later))
        session.execute(sa.update(JobRun).values(last_run=later))
    code, said = doctor()
    assert code == 0
    assert "set back" in said["clock"][1]
    assert "ahead of the clock" in said["worker"][1]
    assert client.get("/readyz").status_code == 503
    beat(app)
    assert client.get("/readyz").json["checks"]["worker"] == "ok"


def test_settings_that_are_not_safe_are_wrong(make_app, well, doctor):
    app = make_app(PROXIES=1, DEBUG=True)
    code, said = doctor(on=app)
    assert code == 2
    assert {"SESSION_COOKIE_SECURE", "TRUSTED_HOSTS", "DEBUG"} <= set(said)
    safe = make_app(
        PROXIES=1, SESSION_COOKIE_SECURE=True, TRUSTED_HOSTS=["crm.example.com"]
    )
    assert doctor(on=safe) == (0, {})


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_secret_key_is_there_and_its_owners_alone(make_app, well, doctor, tmp_path):
    code, said = doctor(on=make_app(SECRET_KEY=None))
    assert code == 2
    assert "rapport init" in said["secret key"][1]
    key = tmp_path / "secret_key"
    key.write_text("k" * 64)
    key.chmod(0o640)
    code, said = doctor(on=make_app(SECRET_KEY=None))
    assert code == 0
    assert "chmod 600" in said["secret key"][1]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(("left", "code"), [(10**9 // 2, 0), (10**8, 2)])
def test_a_disk_that_fills_is_told_in_time(well, doctor, monkeypatch, left, code):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, left))
    found, said = doctor()
    assert found == code
    assert "make room" in said["disk"][1]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_away_or_empty_is_wrong(make_app, doctor, tmp_path):
    away = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/x.db")
    code, said = doctor(on=away)
    assert code == 2
    assert "does not answer" in said["database"][1]
    empty = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    code, said = doctor(on=empty)
    assert code == 2
    assert "rapport db upgrade" in said["tables of core"][1]


def test_sqlite_on_a_network_file_system_is_noticed(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"none / ext4 rw 0 0\nhost:/x {tmp_path} nfs4 rw 0 0\n")
    assert checkup._file_system(tmp_path / "rapport.db", mounts) == "nfs4"
    assert checkup._file_system(Path("/srv/x"), mounts) is None


# -- Plugins that are gone, or do not fit ------------------------------------------


def test_a_plugin_that_is_gone_leaves_core_whole_and_is_named(
    app, well, doctor, client, monkeypatch
):
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE weather_alembic_version (version_num VARCHAR(32))"
        )
    assert checkup.missing_plugins(app) == ["weather"]
    code, said = doctor()
    assert code == 0
    assert "weather has tables here and is not installed" in said["plugins"][1]
    assert client.get("/readyz").status_code == 200
    assert migrate.upgrade(app) == []


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_run_says_which_plugin_is_gone(app, monkeypatch, caplog):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE weather_alembic_version (v INT)")
    started = []
    monkeypatch.setattr("core.serve.serve", lambda *_, **more: started.append(more))
    result = CliRunner().invoke(rapport, ["run", "--port", "8132"], obj=app)
    assert result.exit_code == 0, result.stderr
    assert started
    told = caplog.text + result.stderr
    assert "weather has tables here and is not installed" in told
    assert "Install it again" in told


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_plugin_for_another_version_is_refused_by_name(
    make_app, tmp_path, monkeypatch
):
    site = tmp_path / "site"
    install_plugin(site, "future", "")
    about = site / "future_plugin-1.0.dist-info" / "METADATA"
    plain = about.read_text()
    about.write_text(f"{plain}Requires-Dist: Rapport_CRM>=2\n")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(PluginError, match=r"'future' needs Rapport >=2, and this is"):
        make_app(PLUGINS_DISABLED=INSTALLED)
    make_app(PLUGINS_DISABLED=[*INSTALLED, "future"])
    about.write_text(f"{plain}Requires-Dist: rapport-crm>=0.0.1\n")
    make_app(PLUGINS_DISABLED=INSTALLED)
