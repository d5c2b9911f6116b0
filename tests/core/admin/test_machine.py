"""The machine room: overview, plugins, deliveries, jobs, system, the first hour."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.admin.services.first_hour import STEPS
from core.db import db, now
from core.events import Delivery, Event, Subscriber
from core.jobs import Job, JobRun
from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.plugins import make_plugin
from core.users.models import User
from core.worker import beat, run_due_jobs

RAN: list[int] = []


def fail(_event):
    raise OSError("the other side does not answer")


@pytest.fixture
def app_plugins():
    RAN.clear()
    job = Job("probe.tidy", timedelta(days=1), lambda: RAN.append(1))
    ear = Subscriber("probe.ear", ("contact.*",), fail, patience=1)
    probe = make_plugin(register_subscribers=lambda: [ear], register_jobs=lambda: [job])
    return (("probe", probe),)


@pytest.fixture
def boss(app):
    return make_user("Ad Min", roles=("admin",), password=PASSWORD)


@pytest.fixture
def browser(as_user, boss):
    return as_user(boss)


def park(count=2):
    """Have so many deliveries of the probe given up."""
    for number in range(count):
        make_contact(f"Firm {number}")
    with db.transaction() as session:
        found = session.scalars(
            sa.select(Delivery).where(Delivery.subscriber == "probe.ear")
        ).all()
        for one in found:
            one.attempts, one.parked_at = 9, now()
            one.error = "OSError('the other side does not answer')"
        ids = [one.id for one in found]
    return ids


def waiting(parked=None):
    with db.read_only() as session:
        query = sa.select(Delivery).where(Delivery.subscriber == "probe.ear")
        found = session.scalars(query).all()
    return [one for one in found if parked is None or bool(one.parked_at) == parked]


def test_the_overview_says_what_needs_somebody_and_is_quiet_when_all_is_well(
    app, browser
):
    beat(app)
    assert "No mail server is set" in browser.get("/admin").text
    app.config |= {"SMTP_HOST": "mail.example", "MAIL_FROM": "crm@house.example"}
    assert "Nothing waits for you here" in browser.get("/admin").text
    park(2)
    make_user("No Role", roles=())
    page = browser.get("/admin").text
    assert "2 deliveries were given up" in page
    assert "1 account has no role" in page
    with db.transaction() as session:
        session.get_one(JobRun, "worker").last_run = now() - timedelta(hours=1)
    assert "No worker runs" in browser.get("/admin").text


def test_the_overview_says_who_changed_what(browser, boss):
    anna = make_user("Anna Laine")
    browser.post(f"/admin/users/{anna.id}/close")
    page = browser.get("/admin").text
    assert "Account Anna Laine: closed" in page
    assert "<b>Ad Min</b>" in page


def test_all_deliveries_of_a_subscriber_are_tried_again(browser):
    park(3)
    assert "the other side does not answer" in browser.get("/admin/deliveries").text
    path = "/admin/deliveries/try-again"
    assert browser.post(path, data={"all_of": "nobody"}).status_code == 303
    assert len(waiting(parked=True)) == 3
    assert browser.post(path, data={"all_of": "probe.ear"}).status_code == 303
    assert [one.attempts for one in waiting(parked=False)] == [0, 0, 0]


def test_giving_up_asks_for_a_reason_and_keeps_it(browser, boss):
    first, second = park(2)
    path = "/admin/deliveries/give-up"
    refused = browser.post(path, data={"delivery": str(first)})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert len(waiting()) == 2
    form = {"delivery": str(first), "reason": "The receiver is closed for good"}
    assert browser.post(path, data=form).status_code == 303
    assert [one.id for one in waiting()] == [second]
    with db.read_only() as session:
        (told,) = session.scalars(
            sa.select(Event).where(Event.type == "delivery.given_up")
        )
    assert (told.actor_id, told.data["reason"]) == (boss.id, form["reason"])


def test_only_what_is_parked_can_be_given_up(browser):
    make_contact("Firm")
    (one,) = waiting()
    form = {"delivery": [str(one.id), "999999", "x"], "reason": "Why not"}
    assert browser.post("/admin/deliveries/give-up", data=form).status_code == 303
    assert len(waiting()) == 1


def test_a_job_runs_when_it_is_asked_for(app, browser):
    run_due_jobs(app)
    assert len(RAN) == 1
    run_due_jobs(app)
    assert len(RAN) == 1
    assert "probe.tidy" in browser.get("/admin/jobs").text
    assert browser.post("/admin/jobs/probe.tidy/run").status_code == 303
    run_due_jobs(app)
    assert len(RAN) == 2
    assert browser.post("/admin/jobs/nothing/run").status_code == 404


def test_the_page_of_plugins_counts_what_they_keep(browser):
    page = browser.get("/admin/plugins").text
    assert "documents_document" in page
    assert "healthy" in page


def test_the_text_for_support_names_versions_and_nobody(browser):
    make_user("Anna Laine", email="anna@example.com")
    make_contact("Kallion Vesijohto Oy")
    text = browser.get("/admin/system.txt").text
    for wanted in ("Rapport ", "SQLAlchemy ", "tables of core: 0", "worker seen"):
        assert wanted in text
    for personal in ("Anna", "anna@", "Ad Min", "Kallion"):
        assert personal not in text
    assert "worker seen" in browser.get("/admin/system").text


# -- The first hour -------------------------------------------------------------------


def sign_in(client):
    page = client.get("/sign-in").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"password": PASSWORD, "csrf_token": token}
    with db.read_only() as session:
        form["email"] = session.scalars(sa.select(User.email).order_by(User.id)).first()
    return client.post("/sign-in", data=form).headers["Location"]


@pytest.mark.parametrize("begun", [False, True])
def test_an_empty_house_leads_its_first_administrator_into_the_first_hour(
    boss, client, begun
):
    if begun:
        make_contact("Kallion Vesijohto Oy")
    landed = sign_in(client)
    assert landed == ("/" if begun else "/admin/first-hour")
    assert ("The first hour" in client.get("/").text) is not begun


def test_a_step_is_skipped_resumed_and_put_aside(browser, boss):
    assert "1 of 8" in browser.get("/admin/first-hour", follow_redirects=True).text
    done = browser.post("/admin/first-hour/name", data={"name": "Lehto Supply"})
    assert done.headers["Location"] == "/admin/first-hour/logo"
    skipped = browser.post("/admin/first-hour/logo", data={"skip": "1"})
    assert skipped.headers["Location"] == "/admin/first-hour/language"
    day = browser.get("/").text
    assert "2 of 8 steps are behind you" in day
    browser.post("/admin/first-hour", data={})
    assert "steps are behind you" not in browser.get("/").text
    browser.post("/admin/first-hour", data={"again": "1"})
    assert "2 of 8 steps are behind you" in browser.get("/").text


def test_colleagues_come_several_at_once_all_or_none(browser):
    path = "/admin/first-hour/colleagues"
    form = {"role": "sales", "password": PASSWORD}
    wrong = "Anna Laine anna@example.com\nMika Koski\nAgain anna@example.com"
    refused = browser.post(path, data={**form, "people": wrong})
    assert refused.status_code == 422
    assert "Mika Koski” has no e-mail address" in refused.text
    assert "has an account already" in refused.text
    assert "Mika Koski" in refused.text

    def names():
        with db.read_only() as session:
            return sorted(session.scalars(sa.select(User.name)))

    assert names() == ["Ad Min"]
    good = "Anna Laine <anna@example.com>\n\nmika@example.com\n陈伟, wei@example.com"
    assert browser.post(path, data={**form, "people": good}).status_code == 303
    assert names() == ["Ad Min", "Anna Laine", "mika", "陈伟"]


def test_a_wrong_value_stops_a_step_and_skipping_needs_none(browser):
    path = "/admin/first-hour/name"
    assert browser.post(path, data={"name": ""}).status_code == 422
    skipped = browser.post(path, data={"name": "", "skip": "1"})
    assert skipped.status_code == 303
    assert browser.get("/admin/first-hour/dance").status_code == 404
    assert browser.post("/admin/first-hour/dance", data={}).status_code == 404


def test_contacts_that_are_here_are_counted_and_opened_not_asked_for(browser):
    assert "is here" not in browser.get("/admin/first-hour/import").text
    for step in STEPS:
        browser.post(f"/admin/first-hour/{step}", data={"skip": "1"})
    assert "Add the first customer" in browser.get("/admin/first-hour").text
    make_contact("Kallion Vesijohto Oy")
    gone = make_contact("Tapio Rakennus Oy")
    browser.post(f"/contacts/{gone.id}/trash")
    assert "1 contact is here." in browser.get("/admin/first-hour/import").text
    done = browser.get("/admin/first-hour").text
    assert "Add the first customer" not in done
    assert 'href="/contacts">' in done


def test_the_house_speaks_to_its_founder_as_it_was_told_to(browser, boss):
    """What she chose for herself stays as it is, whatever the house gets."""

    def house(language, timezone):
        form = {"language": language, "timezone": timezone}
        path = "/admin/first-hour/language"
        assert browser.post(path, data=form).status_code == 303
        with db.read_only() as session:
            user = session.get_one(User, boss.id)
            return user.language, user.timezone

    assert house("fi", "Europe/Helsinki") == ("fi", "Europe/Helsinki")
    with db.transaction() as session:
        session.get_one(User, boss.id).language = "zh"
    assert house("en", "Asia/Shanghai") == ("zh", "Asia/Shanghai")


def test_the_pages_of_the_first_hour_stay_cheap(browser, count_queries):
    make_contact("Kallion Vesijohto Oy")

    def cost(path):
        browser.get(path)
        with count_queries() as counter:
            assert browser.get(path).status_code == 200
        return counter.count

    for step in STEPS:
        assert cost(f"/admin/first-hour/{step}") <= 12, step
        browser.post(f"/admin/first-hour/{step}", data={"skip": "1"})
    assert cost("/admin/first-hour") <= 12
