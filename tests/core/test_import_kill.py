"""A worker that is killed while it brings a file in: the next one goes on."""

import io
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.importing import drafts, tasks
from core.importing.models import ImportEntry, ImportRun
from core.testing.factories import make_user
from core.testing.server import live_server

ROWS = 800
PATIENCE = 40


@pytest.fixture
def begun(app):
    """A checked file that waits to be brought in."""
    user = make_user("Anna Laine", roles=["sales"])
    text = "Name,Email\n" + "".join(
        f"Firma {n},f{n}@firma.example\n" for n in range(ROWS)
    )
    kind = drafts.import_kinds(app)["contacts"]
    with db.transaction():
        run = drafts.begin_draft(
            io.BytesIO(text.encode()), filename="firms.csv", kind=kind, actor=user
        )
        drafts.choose_columns(run, kind, run.choices, actor=user)
        run_id = run.id
    assert tasks.do_waiting(app) == 1
    with db.transaction() as session:
        drafts.begin_bringing(session.get_one(ImportRun, run_id), actor=user)
    return run_id


def wait_for(run_id, ready):
    end = monotonic() + PATIENCE
    while monotonic() < end:
        with db.read_only() as session:
            run = session.get_one(ImportRun, run_id)
            if ready(run):
                return run
        sleep(0.02)
    raise AssertionError(f"still {run.state} at row {run.resume_row}: {run.found}")


def test_a_killed_worker_leaves_nothing_out_and_nothing_twice(
    begun, database_url, tmp_path, word_lists, monkeypatch
):
    monkeypatch.setenv("RAPPORT_LEASE_SECONDS", "2")
    with live_server(tmp_path, database_url, word_lists=word_lists) as server:
        half = wait_for(begun, lambda run: run.resume_row)
        server.kill()
    assert half.resume_row < ROWS
    with live_server(tmp_path, database_url, word_lists=word_lists):
        done = wait_for(begun, lambda run: run.state != "running" and not run.task)
    assert (done.state, done.created, done.refused) == ("done", ROWS, 0)
    with db.read_only() as session:
        names = session.scalars(sa.select(Contact.name)).all()
        entries = session.scalar(sa.select(sa.func.count()).select_from(ImportEntry))
    assert len(names) == len(set(names)) == entries == ROWS
