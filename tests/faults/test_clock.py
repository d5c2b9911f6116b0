"""A clock that is moved: nothing is stuck, nothing happens twice."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from core.db import db, now
from core.events import Delivery
from core.jobs import Job, JobRun
from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.plugins import make_plugin
from core.testing.signing_in import SignedIn
from core.worker import deliver_due, run_due_jobs

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RUNS: list[datetime] = []


@pytest.fixture
def app_plugins():
    RUNS.clear()
    job = Job("probe.job", HOUR, lambda: RUNS.append(now()))
    return (("probe", make_plugin(register_jobs=lambda: [job])),)


def deliver_all(app):
    while deliver_due(app):
        continue


def waiting():
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Delivery))


@pytest.mark.parametrize("by", [-HOUR, -DAY, DAY], ids=["hour", "yesterday", "day"])
def test_what_was_written_before_the_clock_moved_is_delivered(app, clock, by):
    # What came with the house may be older, by less than a try is ever put off.
    deliver_all(app)
    make_contact("Before Oy")
    clock.shift(by)
    make_contact("After Oy")
    deliver_all(app)
    assert waiting() == 0


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), HOUR, DAY * 400])
def test_a_lease_of_a_clock_that_was_ahead_is_not_waited_for(app, ahead):
    make_contact()
    with db.transaction() as session:
        held = {"token": "dead", "leased_until": now() + ahead}
        session.execute(sa.update(Delivery).values(held))
    deliver_all(app)
    assert waiting() == 0


def test_a_lease_that_may_be_alive_is_left_alone(app):
    make_contact()
    before = waiting()
    with db.transaction() as session:
        held = {"token": "alive", "leased_until": now() + timedelta(seconds=55)}
        session.execute(sa.update(Delivery).values(held))
    assert deliver_due(app) == 0
    assert waiting() == before


@pytest.mark.parametrize("by", [-HOUR * 2, -DAY])
def test_a_job_is_neither_run_twice_nor_stuck_when_the_clock_goes_back(app, clock, by):
    run_due_jobs(app)
    assert len(RUNS) == 1
    clock.shift(by)
    run_due_jobs(app)
    run_due_jobs(app)
    assert len(RUNS) == 1
    clock.shift(HOUR + timedelta(seconds=1))
    run_due_jobs(app)
    run_due_jobs(app)
    assert len(RUNS) == 2


def test_a_job_runs_once_and_not_once_an_hour_when_a_day_was_skipped(app, clock):
    run_due_jobs(app)
    clock.shift(DAY)
    for _ in range(3):
        run_due_jobs(app)
    assert len(RUNS) == 2
    with db.read_only() as session:
        following = session.get_one(JobRun, "probe.job").next_run
    assert now() < following <= now() + HOUR


@pytest.mark.parametrize("by", [-HOUR, DAY])
def test_who_is_signed_in_stays_so_and_no_longer_than_before(app, clock, by):
    user = make_user(password=PASSWORD)
    browser = SignedIn.around(app.test_client())
    typed = {"email": user.email, "password": PASSWORD}
    assert browser.post("/sign-in", data=typed).status_code == 303
    assert browser.get("/contacts").status_code == 200
    clock.shift(by)
    assert browser.get("/contacts").status_code == 200
    clock.shift(timedelta(days=31))
    assert browser.get("/contacts").status_code == 302
