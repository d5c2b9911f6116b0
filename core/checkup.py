"""What may be wrong with an installation, each with what to do.

`rapport doctor` tells all of it; /readyz asks the part that decides whether requests
can be answered.
"""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from flask import Flask, current_app

from core import migrate
from core.db import db, now
from core.ddl import SUFFIX
from core.events import Delivery, Event
from core.jobs import JobRun
from core.pages import Check
from core.plugin_manager import declared_by, report_failure

SILENT = 90
FULL, NEARLY_FULL = 200_000_000, 1_000_000_000
# Seconds by which clocks may differ before anybody could notice.
CLOCK = 30
NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs", "fuse.glusterfs", "ceph", "afs")


@dataclass(frozen=True)
class Finding:
    """Something to look at: `wrong` needs a hand, a `warning` may be as it should."""

    name: str
    level: Literal["wrong", "warning"]
    said: str


def examine(app: Flask) -> list[Finding]:
    """Look at everything; what cannot be asked is a finding too."""
    if not Path(app.instance_path).is_dir():
        said = f"there is none in {app.instance_path}: run rapport init"
        return [Finding("instance", "wrong", said)]
    found = list(_settings(app)) + list(_disk(app))
    try:
        with db.read_only() as session:
            session.execute(sa.select(1))
        behind = list(_tables(app))
    except sa.exc.OperationalError as error:
        said = f"does not answer ({type(error.orig).__name__}): start it, or see "
        return [*found, Finding("database", "wrong", f"{said}DATABASE_URL")]
    except sa.exc.ProgrammingError:
        behind = [Finding("database", "wrong", "has no tables: run rapport init")]
    found += behind
    if not behind:
        found += [*_queue(), *_clock(), *_plugin_checks(app)]
    found += [
        Finding("plugins", "warning", missing_sentence(one))
        for one in missing_plugins(app)
    ]
    return found


def _settings(app: Flask) -> Iterator[Finding]:
    key = Path(app.instance_path) / "secret_key"
    if not app.extensions["rapport_lasting_key"]:
        said = "there is none, so every restart signs everybody out: run rapport init"
        yield Finding("secret key", "wrong", said)
    elif key.exists() and key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        said = f"others than its owner may read {key}: chmod 600 {key}"
        yield Finding("secret key", "warning", said)
    if app.debug:
        yield Finding("DEBUG", "wrong", "is on and shows our insides: switch it off")
    if app.config["PROXIES"]:
        if not app.config["SESSION_COOKIE_SECURE"]:
            said = "set it to True: behind a proxy people come over TLS"
            yield Finding("SESSION_COOKIE_SECURE", "wrong", said)
        if not app.config["TRUSTED_HOSTS"]:
            said = "list the host names people use, or links can be forged"
            yield Finding("TRUSTED_HOSTS", "wrong", said)


def _disk(app: Flask) -> Iterator[Finding]:
    for key in ("INSTANCE", "FILES_FOLDER", "SEARCH_FOLDER"):
        folder = Path(app.config[key])
        while not folder.exists():
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        if free < NEARLY_FULL:
            level: Literal["wrong", "warning"] = "wrong" if free < FULL else "warning"
            said = f"{free / 1e6:.0f} MB are left under {folder}: make room"
            yield Finding("disk", level, said)
    path = db.engine.url.database
    if db.dialect == "sqlite" and path and (kind := _file_system(Path(path))):
        said = (
            f"{path} is on {kind}, where SQLite's locks do not hold: use a local disk, "
            "or PostgreSQL"
        )
        yield Finding("database", "wrong", said)


def _file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """Name the network file system that `path` is on, where the system tells."""
    if not mounts.exists():
        return None
    best, kind = "", ""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        place, name = line.split()[1:3]
        inside = path.resolve().is_relative_to(place)
        if inside and len(place) >= len(best):
            best, kind = place, name
    return kind if kind.startswith(NETWORK) else None


def _tables(app: Flask) -> Iterator[Finding]:
    for one in migrate.status(app):
        if one.current != one.head:
            said = "run rapport db upgrade"
            yield Finding(f"tables of {one.name}", "wrong", said)


def _queue() -> Iterator[Finding]:
    with db.read_only() as session:
        if said := worker_silence():
            yield Finding("worker", "warning", f"{said}: start rapport worker")
        query = sa.select(sa.func.count()).where(Delivery.parked_at.is_not(None))
        if parked := session.scalar(query.select_from(Delivery)):
            said = f"{parked} were given up: see /admin/deliveries, and try them again"
            yield Finding("deliveries", "warning", said)
        for job in session.scalars(sa.select(JobRun).where(JobRun.error.is_not(None))):
            said = f"{job.name} failed when it last ran: see the worker's log"
            yield Finding("jobs", "warning", said)


def worker_silence() -> str | None:
    """Say for how long no worker gave a sign of life, if that is too long."""
    beat = db.session.get(JobRun, "worker")
    if beat is None or beat.last_run is None:
        return "no worker has run yet"
    silent = (now() - beat.last_run).total_seconds()
    if silent < -SILENT:
        return f"the last sign of a worker lies {-silent:.0f} s ahead of the clock"
    return f"no worker for {silent:.0f} s" if silent > SILENT else None


def _clock() -> Iterator[Finding]:
    with db.read_only() as session:
        if db.dialect == "postgresql":
            there = session.scalar(sa.select(sa.func.clock_timestamp()))
            apart = abs((now() - there).total_seconds()) if there else 0
            if apart > CLOCK:
                said = f"this one and the database's are {apart:.0f} s apart: use NTP"
                yield Finding("clock", "warning", said)
        last = session.scalar(sa.select(Event.time).order_by(Event.id.desc()).limit(1))
        if last is not None and last > now() + timedelta(seconds=CLOCK):
            said = f"the last event is of {last:%Y-%m-%d %H:%M} UTC: was it set back?"
            yield Finding("clock", "warning", f"{said} Use NTP")


def _plugin_checks(app: Flask) -> Iterator[Finding]:
    checks: list[Check] = app.extensions["rapport_checks"]
    for check in checks:
        said = ask_check(check)
        if said is not None:
            yield Finding(check.name, "warning" if check.hint else "wrong", said)


def ask_check(check: Check) -> str | None:
    """Ask a plugin's check; one that raises says that it cannot be asked."""
    try:
        with db.contained():
            return check.run()
    except Exception as error:
        plugin = declared_by(current_app, "register_checks", check.name)
        report_failure(plugin, f"register_checks {check.name}", error)
        return "cannot be asked"


def missing_plugins(app: Flask) -> list[str]:
    """Name the plugins that have tables here and are neither installed nor off."""
    known = {one.name for one in migrate.lineages(app)} | {
        *app.config["PLUGINS_DISABLED"]
    }
    with app.app_context(), db.engine.connect() as connection:
        there = sa.inspect(connection).get_table_names()
    names = {one.removesuffix(SUFFIX) for one in there if one.endswith(SUFFIX)}
    return sorted(names - known)


def missing_sentence(plugin: str) -> str:
    """Say what to do about a plugin whose tables are all that is left."""
    return (
        f"{plugin} has tables here and is not installed: its pages are gone and its "
        f"data is kept. Install it again, or name it in PLUGINS_DISABLED"
    )
