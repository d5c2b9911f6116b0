"""The worker: every fact reaches every subscriber, whatever fails meanwhile."""

import logging
import threading
from collections import Counter
from datetime import timedelta
from time import sleep

import pytest
import sqlalchemy as sa

from core.db import db, now
from core.events import Delivery, Event, Subscriber
from core.jobs import Job, JobRun
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED, make_plugin
from core.users.models import Team
from core.users.services import ensure_team
from core.worker import beat, deliver_due, run_due_jobs


class Ear:
    """A subscriber that remembers what it heard, and fails when it is told to."""

    def __init__(self):
        self.heard = Counter()
        self.batches = []
        self.running = set()
        self.overlaps = []
        self.bad = set()
        self.error = RuntimeError("the other side does not answer")
        self.pause = 0.0
        self._lock = threading.Lock()

    def hear(self, event):
        with self._lock:
            if event.id in self.running:
                self.overlaps.append(event.id)
            self.running.add(event.id)
        try:
            ensure_team(f"heard of {event.subject}")
            sleep(self.pause)
            if self.bad & {event.subject, "*"}:
                raise self.error
            self.heard[event.subject] += 1
        finally:
            with self._lock:
                self.running.discard(event.id)

    def hear_many(self, events):
        self.batches.append([event.subject for event in events])
        for event in events:
            if event.subject in self.bad:
                raise self.error
        self.heard.update(event.subject for event in events)


class Work:
    """A job that counts its runs."""

    def __init__(self):
        self.runs = 0
        self.error = None

    def run(self):
        self.runs += 1
        ensure_team(f"run {self.runs}")
        if self.error:
            raise self.error


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def other_ear():
    return Ear()


@pytest.fixture
def batch_ear():
    return Ear()


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def app_plugins(ear, other_ear, batch_ear, work):
    wanted = ("contact.created",)
    plugin = make_plugin(
        register_subscribers=lambda: [
            Subscriber("probe.ear", wanted, ear.hear, patience=3600),
            Subscriber("probe.other", wanted, other_ear.hear_many, batch=1000),
            Subscriber("probe.batch", wanted, batch_ear.hear_many, batch=3),
        ],
        register_jobs=lambda: [Job("probe.work", timedelta(hours=1), work.run)],
    )
    return (("probe", plugin),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


@pytest.fixture
def other_app(make_app, app_plugins, app_config):
    """The same installation in what stands for another process."""
    return make_app(app_plugins, **app_config)


def deliveries(subscriber="probe.ear"):
    query = sa.select(Delivery).where(Delivery.subscriber == subscriber)
    with db.read_only() as session:
        found = list(session.scalars(query))
        session.expunge_all()
    return found


def heard_of():
    with db.read_only() as session:
        return set(session.scalars(sa.select(Team.name)))


def at_once(*calls):
    """Run all calls at the same time, each in a thread; raise what one raises."""
    errors = []
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


# -- Delivering --------------------------------------------------------------------


def test_a_fact_reaches_each_subscriber_once(deliver, ear, other_ear, batch_ear):
    contacts = [make_contact(f"Firm {number}") for number in range(4)]
    deliver()
    expected = Counter({contact.ref: 1 for contact in contacts})
    assert ear.heard == other_ear.heard == batch_ear.heard == expected
    assert [len(batch) for batch in batch_ear.batches] == [3, 1]
    assert deliveries() == []
    assert deliver() == 0


def test_a_failing_subscriber_neither_blocks_nor_undoes_another(
    deliver, ear, other_ear
):
    ear.bad = {"*"}
    contact = make_contact()
    deliver()
    assert ear.heard == Counter()
    assert other_ear.heard == {contact.ref: 1}
    # What it had half done is undone.
    assert f"heard of {contact.ref}" not in heard_of()
    (delivery,) = deliveries()
    assert delivery.attempts == 1
    assert "the other side does not answer" in delivery.error


def test_a_failing_delivery_waits_longer_each_time_and_arrives_in_the_end(
    app, deliver, ear, clock
):
    ear.bad = {"*"}
    contact = make_contact()
    waits = []
    for _ in range(5):
        before = now()
        deliver()
        (delivery,) = deliveries()
        waits.append(round((delivery.due - before).total_seconds()))
        assert deliver_due(app) == 0
        clock.move_to(delivery.due + timedelta(seconds=0.1))
    assert waits == [2, 4, 8, 16, 32]
    ear.bad = set()
    deliver()
    assert ear.heard == {contact.ref: 1}
    assert deliveries() == []


def test_what_fails_too_long_is_parked_and_can_be_tried_again(
    deliver, ear, as_user, clock
):
    ear.bad = {"*"}
    contact = make_contact()
    while not deliveries()[0].parked_at:
        deliver()
        clock.move_to(deliveries()[0].due + timedelta(seconds=0.1))
        assert deliveries()[0].attempts < 30
    (parked,) = deliveries()
    event_age = parked.due - contact.created_at
    assert timedelta(hours=1) < event_age < timedelta(hours=2)
    clock.shift(timedelta(days=1))
    ear.bad = set()
    assert deliver() == 0
    assert ear.heard == Counter()

    browser = as_user(make_user("Ad Min", roles=("admin",)))
    page = browser.get("/admin/deliveries").text
    assert "probe.ear" in page
    assert "the other side does not answer" in page
    form = {"delivery": str(parked.id)}
    assert browser.post("/admin/deliveries/try-again", data=form).status_code == 303
    deliver()
    assert ear.heard == {contact.ref: 1}
    assert deliveries() == []


def test_trying_again_touches_only_what_is_parked(app, deliver, ear, as_user):
    ear.bad = {"*"}
    make_contact()
    deliver()
    (waiting,) = deliveries()
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    form = {"delivery": [str(waiting.id), "999999", "nonsense"]}
    assert browser.post("/admin/deliveries/try-again", data=form).status_code == 303
    assert deliveries()[0].due == waiting.due


def test_one_bad_event_does_not_hold_up_the_batch_it_came_in(deliver, batch_ear):
    contacts = [make_contact(f"Firm {number}") for number in range(3)]
    batch_ear.bad = {contacts[1].ref}
    deliver()
    assert batch_ear.heard == {contacts[0].ref: 1, contacts[2].ref: 1}
    (delivery,) = deliveries("probe.batch")
    with db.read_only() as session:
        assert session.get_one(Event, delivery.event_id).subject == contacts[1].ref


def test_what_nobody_here_can_deliver_waits_for_its_plugin(
    app, make_app, app_config, ear
):
    make_contact()
    without = make_app(**app_config)
    while deliver_due(without):
        continue
    assert not ear.heard
    deliver_due(app)
    assert sum(ear.heard.values()) == 1


def test_what_a_subscriber_changes_is_done_by_nobody(app, deliver):
    make_contact()
    deliver()
    with db.read_only() as session:
        made = session.scalars(sa.select(Event).where(Event.type == "team.created"))
        assert {event.actor_id for event in made} == {None}


# -- Several workers ---------------------------------------------------------------


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.soak)])
def test_two_workers_lose_nothing_and_never_deliver_the_same_at_once(
    app, other_app, ear, other_ear, batch_ear, count
):
    contacts = [make_contact(f"Firm {number}") for number in range(count)]
    ear.pause = 0.002

    def drain(one):
        while deliver_due(one, limit=7):
            continue

    at_once(*(lambda one=one: drain(one) for one in (app, other_app, app)))
    expected = Counter({contact.ref: 1 for contact in contacts})
    assert ear.heard == other_ear.heard == batch_ear.heard == expected
    assert ear.overlaps == []
    assert deliveries() == []


def test_who_takes_longer_than_the_lease_is_not_doubled(app, other_app, ear, clock):
    contact = make_contact()
    ear.pause = 1.0
    first = threading.Thread(target=deliver_due, args=(app,))
    first.start()
    while not ear.running:
        sleep(0.01)
    clock.shift(timedelta(minutes=10))
    deliver_due(other_app)
    first.join()
    deliver_due(other_app)
    assert ear.overlaps == []
    assert ear.heard == {contact.ref: 1}
    assert deliveries() == []


def test_a_worker_that_dies_leaves_its_work_to_another(app, other_app, ear, clock):
    contact = make_contact()
    ear.bad, ear.error = {"*"}, SystemExit("as if it were killed")
    with pytest.raises(SystemExit):
        deliver_due(app)
    ear.bad = set()
    deliver_due(other_app)
    assert ear.heard == Counter()
    clock.shift(timedelta(seconds=61))
    deliver_due(other_app)
    assert ear.heard == {contact.ref: 1}


def test_a_worker_that_is_asked_to_stop_leaves_the_rest_to_another_at_once(
    app, other_app, ear
):
    contacts = [make_contact(f"Firm {number}") for number in range(5)]
    assert deliver_due(app, stop=lambda: sum(ear.heard.values()) == 2) > 0
    assert sum(ear.heard.values()) == 2
    deliver_due(other_app)
    assert ear.heard == {contact.ref: 1 for contact in contacts}


# -- Jobs --------------------------------------------------------------------------


def test_a_job_runs_when_its_time_has_come(app, work, clock):
    run_due_jobs(app)
    run_due_jobs(app)
    assert work.runs == 1
    clock.shift(timedelta(minutes=59))
    run_due_jobs(app)
    assert work.runs == 1
    clock.shift(timedelta(minutes=2))
    run_due_jobs(app)
    assert work.runs == 2
    assert {"run 1", "run 2"} <= heard_of()


def test_a_job_is_run_by_one_of_several_workers(app, other_app, work, clock):
    at_once(*(lambda one=one: run_due_jobs(one) for one in (app, other_app) * 2))
    assert work.runs == 1
    clock.shift(timedelta(hours=2))
    at_once(*(lambda one=one: run_due_jobs(one) for one in (app, other_app) * 2))
    assert work.runs == 2


def test_a_job_that_fails_changes_nothing_says_why_and_runs_again(
    app, work, clock, caplog
):
    work.error = RuntimeError("no disk")
    with caplog.at_level(logging.ERROR):
        run_due_jobs(app)
    assert "failed in register_jobs probe.work" in caplog.text
    assert "run 1" not in heard_of()
    with db.read_only() as session:
        assert "no disk" in session.get_one(JobRun, "probe.work").error
    work.error = None
    clock.shift(timedelta(hours=2))
    run_due_jobs(app)
    with db.read_only() as session:
        assert session.get_one(JobRun, "probe.work").error is None


def test_workers_that_start_together_both_leave_a_sign_of_life(app, other_app, client):
    assert client.get("/readyz").status_code == 503
    at_once(*(lambda one=one: beat(one) for one in (app, other_app) * 2))
    assert client.get("/readyz").json["checks"]["worker"] == "ok"


def test_a_silent_worker_is_noticed(app, client, clock):
    beat(app)
    assert client.get("/readyz").status_code == 200
    clock.shift(timedelta(minutes=3))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["worker"] == "no worker for 180 s"
