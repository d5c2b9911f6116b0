"""Workers killed inside a delivery: each fact arrives, and its effect once."""

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Event, Subscriber
from core.settings import Setting
from core.testing.factories import make_contact
from core.testing.plugins import INSTALLED, install_plugin, make_plugin
from core.testing.server import environment
from core.users.models import Team

# Begins by saying so in a file, then does two things that belong together.
PLUGIN = """
import os
import time
from pathlib import Path

from core import hookimpl
from core.db import db
from core.events import Subscriber
from core.settings import Setting
from core.users.services import ensure_team


def hear(event):
    with Path(os.environ["PROBE_LOG"]).open("a") as log:
        log.write(f"{event.id}\\n")
    ensure_team(f"probe {event.id}")
    time.sleep(0.03)
    db.session.add(Setting(key=f"probe.{event.id}", value=os.getpid()))


@hookimpl
def register_subscribers():
    return [Subscriber("probe", ("contact.created",), hear)]
"""

ROUNDS = [
    pytest.param(3, id="few"),
    pytest.param(40, id="many", marks=pytest.mark.soak),
]


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


@pytest.fixture
def app_plugins():
    """Stand in for the plugin that only the workers have: deliveries are written."""
    ear = Subscriber("probe", ("contact.created",), print)
    return (("probe", make_plugin(register_subscribers=lambda: [ear])),)


class Workers:
    """Real `rapport worker` processes that have the plugin installed."""

    def __init__(self, folder: Path, database_url: str) -> None:
        install_plugin(folder / "site", "probe", PLUGIN)
        self.log = folder / "heard"
        self.log.touch()
        self.env = environment(folder, database_url) | {
            "PROBE_LOG": str(self.log),
            "PYTHONPATH": str(folder / "site"),
            "RAPPORT_LEASE_SECONDS": "1",
            "RAPPORT_PLUGINS_DISABLED": ",".join(INSTALLED),
        }

    def heard(self) -> list[int]:
        return [int(one) for one in self.log.read_text().split()]

    @contextmanager
    def running(self, count):
        command = [sys.executable, "-m", "core", "worker"]
        children = [
            subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL)
            for _ in range(count)
        ]
        try:
            yield children
        finally:
            for child in children:
                child.kill()
                child.wait(10)


def wait_until(true, seconds=60.0):
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not happen"
        sleep(0.01)


def waiting():
    query = sa.select(sa.func.count(Delivery.id)).where(Delivery.subscriber == "probe")
    with db.read_only() as session:
        return session.scalar(query)


def effects():
    """Give the ids of the events whose two effects are there."""
    # One statement, since the last transaction of a dead worker may end just now.
    query = sa.union_all(
        sa.select(Setting.key).where(Setting.key.startswith("probe.")),
        sa.select(Team.name).where(Team.name.startswith("probe ")),
    )
    with db.read_only() as session:
        found = session.scalars(query).all()
    first = Counter(int(one[6:]) for one in found if one[5] == ".")
    second = Counter(int(one[6:]) for one in found if one[5] == " ")
    assert first == second, "half of a delivery is there"
    return first


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_worker_killed_inside_a_delivery_loses_and_doubles_nothing(
    app, tmp_path, database_url, rounds
):
    chance = Random(3)
    workers = Workers(tmp_path, database_url)
    cut_off = 0
    for number in range(rounds):
        for part in range(12):
            make_contact(f"Firm {number}.{part}")
        already = len(workers.heard())
        with workers.running(2) as children:
            wait_until(lambda already=already: len(workers.heard()) >= already + 3)
            sleep(chance.random() * 0.06)
            for child in children:
                os.kill(child.pid, signal.SIGKILL)
        done = effects()
        cut_off += len(set(workers.heard()) - set(done))
    assert cut_off, "no worker died inside a delivery"
    with workers.running(2):
        wait_until(lambda: waiting() == 0)
    with db.read_only() as session:
        query = sa.select(Event.id).where(Event.type == "contact.created")
        events = list(session.scalars(query))
    assert len(events) == rounds * 12
    assert effects() == Counter(events)
    assert set(workers.heard()) == set(events)


def test_a_worker_that_is_asked_to_stop_ends_its_delivery_first(
    app, tmp_path, database_url
):
    for part in range(40):
        make_contact(f"Firm {part}")
    workers = Workers(tmp_path, database_url)
    with workers.running(1) as (child,):
        wait_until(lambda: len(workers.heard()) >= 3)
        child.terminate()
        assert child.wait(20) == 0
    assert set(effects()) == set(workers.heard())
    assert waiting() == 40 - len(workers.heard()) > 0
    with db.read_only() as session:
        held = sa.select(Delivery.id).where(Delivery.leased_until.is_not(None))
        assert session.scalars(held).all() == []
