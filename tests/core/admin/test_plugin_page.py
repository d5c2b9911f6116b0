"""Plugins by an administrator's hand: off and on, out and back, and how they are."""

import json

import pytest
import sqlalchemy as sa

from core import hookimpl
from core.config import switched_off
from core.db import db
from core.events import Event
from core.plugin_life import archives_of
from core.testing.factories import make_contact, make_user
from plugins.support.models import Ticket
from plugins.support.services import open_ticket


@pytest.fixture
def boss(app):
    return make_user("Ad Min", roles=("admin",))


@pytest.fixture
def browser(as_user, boss):
    return as_user(boss)


@pytest.fixture
def ticket(boss):
    contact = make_contact("Kallion Vesijohto Oy")
    with db.transaction() as session:
        made = open_ticket(
            session.merge(contact),
            author=session.merge(boss),
            subject="Loud pump",
            body="Since Monday.",
        )
        return made.id


def facts(kind):
    with db.read_only() as session:
        query = sa.select(Event).where(Event.type == kind).order_by(Event.id)
        return [(one.actor_id, one.data) for one in session.scalars(query)]


def test_turned_off_it_stays_off_from_the_next_start_on_and_keeps_its_data(
    app, browser, boss, make_app, tmp_path, ticket
):
    assert browser.post("/admin/plugins/support/off").status_code == 303
    page = browser.get("/admin/plugins").text
    assert "support is off from the next start on; its data stay." in page
    assert "stop rapport run and every rapport worker" in page
    assert not make_app().extensions["rapport_pm"].has_plugin("support")
    assert browser.post("/admin/plugins/support/on").status_code == 303
    assert switched_off(tmp_path) == []
    assert "stop rapport run" not in browser.get("/admin/plugins").text
    assert make_app().extensions["rapport_pm"].has_plugin("support")
    with db.read_only() as session:
        assert session.get(Ticket, ticket).subject == "Loud pump"
    told = [{"plugin": "support", "on": one} for one in (False, True)]
    assert facts("plugin.switched") == [(boss.id, one) for one in told]


def test_what_the_configuration_switches_off_a_page_does_not_switch_on(
    app, browser, tmp_path, monkeypatch, make_app, sign_in_to, boss
):
    monkeypatch.setenv("RAPPORT_PLUGINS_DISABLED", json.dumps(["support"]))
    without = make_app(PLUGINS_DISABLED=["support"])
    refused = sign_in_to(without, boss).post("/admin/plugins/support/on")
    assert refused.status_code == 422
    assert "PLUGINS_DISABLED in the configuration" in refused.text


def test_the_plan_is_all_that_goes_and_what_runs_is_not_removed(
    app, browser, tmp_path, ticket
):
    page = browser.get("/admin/plugins/support/remove").text
    for words in (
        "Removing support takes away",
        "GET /support",
        "support_ticket: 1 row",
        "support:read (",
        "Menu lines",
        "Nothing else happens.",
        "support is running, and every page asks it.",
    ):
        assert words in page, words
    form = {"name": "support"}
    refused = browser.post("/admin/plugins/support/remove", data=form)
    assert refused.status_code == 422
    assert "Turn it off and restart first." in refused.text
    untouched(tmp_path, ticket)


def untouched(folder, ticket):
    assert archives_of(folder, "support") == []
    with db.read_only() as session:
        assert session.get(Ticket, ticket)


@pytest.fixture
def restarted(app, browser, boss, ticket, make_app, sign_in_to):
    """Turn support off and start anew; give the administrator's browser."""
    browser.post("/admin/plugins/support/off")
    return sign_in_to(make_app(), boss)


@pytest.mark.parametrize("typed", ["", "Support", "documents"])
def test_its_name_must_be_typed(restarted, ticket, tmp_path, typed):
    assert "Type support" in restarted.get("/admin/plugins/support/remove").text
    path = "/admin/plugins/support/remove"
    refused = restarted.post(path, data={"name": typed})
    assert refused.status_code == 422
    assert "Type support to remove it. Nothing was removed." in refused.text
    untouched(tmp_path, ticket)


def test_removed_and_put_back_it_has_its_rows_again(
    restarted, boss, tmp_path, ticket, make_app
):
    plan = restarted.get("/admin/plugins/support/remove").text
    assert "support_ticket: 1 row" in plan
    form = {"name": "support"}
    assert restarted.post("/admin/plugins/support/remove", data=form).status_code == 303
    assert not sa.inspect(db.engine).has_table("support_ticket")
    [archive] = archives_of(tmp_path, "support")
    assert facts("plugin.removed") == [
        (boss.id, {"plugin": "support", "archive": archive.name})
    ]
    page = restarted.get("/admin/plugins").text
    assert 'action="/admin/plugins/support/put-back"' in page
    assert 'href="/admin/plugins/support/remove"' not in page
    assert restarted.get("/contacts").status_code == 200
    assert restarted.post("/admin/plugins/support/put-back").status_code == 303
    page = restarted.get("/admin/plugins").text
    assert "support is back, with" in page
    assert "waits for a restart" in page
    with db.read_only() as session:
        assert session.get(Ticket, ticket).subject == "Loud pump"
    assert [one for one, _data in facts("plugin.put_back")] == [boss.id]
    assert make_app().extensions["rapport_pm"].has_plugin("support")


def test_without_an_archive_there_is_nothing_to_put_back(browser):
    refused = browser.post("/admin/plugins/support/put-back")
    assert refused.status_code == 422
    assert "There is no archive of support here." in refused.text


def test_it_is_for_those_who_look_after_the_system_and_for_plugins_there_are(
    app, browser, as_user, tmp_path
):
    anna = as_user(make_user("Anna Laine"))
    for act in ("off", "on", "remove", "put-back"):
        answer = anna.post(f"/admin/plugins/support/{act}", data={"name": "support"})
        assert answer.status_code == 403
        there = browser.post(f"/admin/plugins/nothing/{act}", data={"name": "nothing"})
        assert there.status_code == 404
    assert browser.get("/admin/plugins/nothing/remove").status_code == 404
    assert anna.get("/admin/plugins/support/remove").status_code == 403
    assert switched_off(tmp_path) == []


def broken(user):
    raise KeyError("a spring is missing")


def test_a_plugin_that_fails_is_shown_with_its_times_and_errors(
    make_app, sign_in_to, monkeypatch
):
    monkeypatch.setattr("plugins.support.plugin.menu_items", hookimpl(broken))
    app = make_app(TESTING=False)
    with app.app_context():
        browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
    assert browser.get("/contacts").status_code == 200
    page = browser.get("/admin/plugins").text
    card = page.split('id="plugin-support"')[1].split("</section>")[0]
    assert "failing" in card
    assert "a spring is missing" in card
    assert "calls," in card
