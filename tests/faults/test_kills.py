"""Power cuts: whatever is killed at whatever moment, nothing acknowledged is lost."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Event
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user
from core.testing.server import environment, live_server
from core.users.services import find_user
from core.users.sessions import create_token

ROUNDS = [
    pytest.param(2, id="few"),
    pytest.param(50, id="many", marks=pytest.mark.soak),
]


class Writer:
    """Writes notes over HTTP until it is told to stop; keeps what was acknowledged."""

    def __init__(self, url: str, token: str, contact: int) -> None:
        self.url, self.token, self.contact = url, token, contact
        self.kept: list[str] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            body = f"note {self.url} {number}"
            sent = {"kind": "note", "body": body, "contacts": [self.contact]}
            request = urllib.request.Request(
                f"{self.url}/api/v1/interactions",
                data=json.dumps(sent | {"audience": "staff"}).encode(),
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": "application/json",
                },
            )
            # What was cut off is not acknowledged: it may be there or not.
            with (
                suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(request, timeout=5) as answer,
            ):
                assert answer.status == 201
                self.kept.append(body)


def token_for(user):
    with db.transaction():
        _row, secret = create_token(find_user(user.email), scopes=["*"])
    return secret


def bodies():
    with db.read_only() as session:
        return list(session.scalars(sa.select(Interaction.body)))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_what_the_server_acknowledged_is_there_after_kill_9(
    app, database_url, tmp_path, word_lists, rounds
):
    chance = Random(7)
    contact = make_contact()
    token = token_for(make_user("Anna Laine"))
    kept: list[str] = []
    for _round in range(rounds):
        with live_server(
            tmp_path, database_url, "--no-worker", word_lists=word_lists
        ) as server:
            writer = Writer(server.url, token, contact.id)
            writer.thread.start()
            end = monotonic() + 30
            while not writer.kept and monotonic() < end:
                sleep(0.05)
            sleep(chance.random())
            server.kill()
            writer.stopped.set()
            writer.thread.join()
            kept += writer.kept
    found = bodies()
    assert kept, "nothing was written before the power went"
    assert set(kept) <= set(found)
    assert len(found) == len(set(found)), "something is there twice"
    with db.read_only() as session:
        created = sa.select(sa.func.count()).where(Event.type == "interaction.created")
        assert session.scalar(created) == len(found), "a note without its event"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_every_fact_reaches_the_index_though_workers_are_killed(
    app, api, database_url, tmp_path, word_lists, rounds
):
    chance = Random(11)
    rep = make_user("Anna Laine")
    contact = make_contact()
    program = api(rep)
    env = environment(tmp_path, database_url) | {"RAPPORT_SEARCH_LEMMAS": word_lists}
    command = [sys.executable, "-m", "core", "worker"]
    words = []
    for number in range(rounds):
        worker = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
        for part in range(5):
            words.append(f"xylophone{number}x{part}")
            sent = {"kind": "note", "body": words[-1], "contacts": [contact.id]}
            answer = program.post("/api/v1/interactions", json=sent)
            assert answer.status_code == 201
        sleep(0.8 + chance.random())
        worker.kill()
        worker.wait(10)
    # A dead worker's lease runs out after a minute; nobody waits for that here.
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(leased_until=None, token=None))
    last = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        _wait_until_delivered()
    finally:
        last.terminate()
        last.wait(20)
    for word in words:
        items = program.get("/api/v1/search", query_string={"q": word}).json["items"]
        assert [one["snippet"] for one in items] == [word]


def _wait_until_delivered() -> None:
    end = monotonic() + 90
    while monotonic() < end:
        with db.read_only() as session:
            if not session.scalar(sa.select(sa.func.count()).select_from(Delivery)):
                return
        sleep(0.2)
    raise AssertionError("some deliveries were never made")


def test_the_worker_of_a_killed_server_ends_by_itself(
    app, database_url, tmp_path, word_lists
):
    with live_server(tmp_path, database_url, word_lists=word_lists) as server:
        children = _children_of(server.child.pid)
        assert children
        os.kill(server.child.pid, 9)
        server.child.wait(10)
        end = monotonic() + 20
        while monotonic() < end and any(map(_is_alive, children)):
            sleep(0.2)
        assert not any(map(_is_alive, children))


def _stat(pid: int) -> list[str]:
    """Give the state and the parent of a process, as proc(5) tells them."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return []


def _children_of(pid: int) -> list[int]:
    numbers = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [one for one in numbers if _stat(one)[1:] == [str(pid)]]


def _is_alive(pid: int) -> bool:
    return _stat(pid)[:1] not in ([], ["Z"])
