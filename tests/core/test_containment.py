"""One hostile plugin that fails wherever it is asked: shown, logged, counted."""

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Subscriber
from core.jobs import Job, JobRun
from core.observing import plugin_health
from core.pages import Action, Check, Column, DayItem, MenuItem, PaletteItem, Panel
from core.permissions import Permission
from core.records import RecordType
from core.testing.factories import make_contact, make_user
from core.testing.plugins import make_plugin
from core.users.models import Team, User
from core.users.services import ensure_team, find_user
from core.users.sessions import create_token
from core.worker import deliver_due, run_due_jobs

READ = Permission("hostile:read", "Be hostile")


def explode(*_args, **_more):
    raise RuntimeError("evil laughter of anna@example.com")


class Words:
    """Lazy words that cannot be said."""

    __str__ = explode


class Cursed:
    """A context that fails while a template draws it."""

    __str__ = __html__ = explode


def hostile():
    context = {"words": Cursed()}
    words = "probe/words.html"
    plugin = make_plugin(
        register_permissions=lambda: [READ],
        register_checks=lambda: [Check("hostile", explode)],
        register_jobs=lambda: [Job("hostile.job", timedelta(hours=1), explode)],
        register_subscribers=lambda: [
            Subscriber("hostile.ear", ("team.created",), explode)
        ],
        register_records=lambda: [
            RecordType(Team, "Team", "people", READ, explode, explode, explode)
        ],
        menu_items=lambda user: [MenuItem(Words(), "contacts.index", READ)],
        record_actions=lambda record, user: [Action(Words(), "/x", READ)],
        record_panels=lambda record, user: [
            Panel("hostile.panel", "Weather", words, context, READ)
        ],
        day_items=lambda user: [DayItem("hostile.day", "Stars", words, context, READ)],
        palette_items=lambda user: [PaletteItem(Words(), "/x", READ)],
        palette_results=explode_results,
        contact_columns=lambda: [Column("hostile", "Mood", explode)],
    )
    # Its templates lie beside this module, as a plugin's do.
    plugin.__name__, plugin.__file__ = __name__, __file__
    return plugin


def explode_results(user, query):
    explode()


@pytest.fixture
def enemy(make_app):
    app = make_app((("hostile", hostile()),), TESTING=False)
    with app.app_context():
        yield app


@pytest.fixture
def admin(enemy, sign_in_to):
    return sign_in_to(enemy, make_user("Ad Min", roles=("admin",)))


def test_every_page_stands_and_says_what_is_missing(enemy, admin, caplog):
    contact = make_contact("Kallion Vesijohto Oy")
    shown = {
        "/": "Stars: not available.",
        f"/contacts/{contact.id}": "Weather: not available.",
        f"/contacts/{contact.id}/panels/hostile.panel": "Weather: not available.",
        "/contacts": "Not available",
        "/palette?q=a": "items",
    }
    for address, words in shown.items():
        answer = admin.get(address)
        assert answer.status_code == 200, address
        assert words in answer.text, address
    assert "hostile: not available." in admin.get(f"/contacts/{contact.id}").text
    told = [one for one in caplog.records if one.levelno >= logging.ERROR]
    hooks = {one.facts["hook"] for one in told if one.facts["plugin"] == "hostile"}
    assert {
        "menu_items",
        "record_actions",
        "palette_items",
        "palette_results",
        "probe/words.html",
        "contact_columns hostile",
    } <= hooks
    health = plugin_health(enemy)["hostile"]
    assert health.failures >= len(hooks)
    assert len(health.errors) == 3
    moment, hook, text = health.errors[0]
    assert moment.tzinfo is not None
    assert hook in hooks
    assert text.startswith("RuntimeError: evil laughter")
    assert health.calls > 0
    assert 0 < health.slowest <= health.milliseconds
    assert health.hooks["day_items"].calls == 1


def test_a_record_type_that_fails_is_named_by_its_reference(enemy, admin, caplog):
    kind = enemy.extensions["rapport_records"]["team"]
    with db.transaction():
        team = ensure_team("Sales")
        number = team.id
    with enemy.test_request_context("/"):
        team = db.session.get_one(Team, number)
        assert kind.label(team) == f"team/{number}: not available."
        assert kind.url(team, None) is None
        assert kind.document(team).title == f"team/{number}: not available."
    assert "label of team" in caplog.text
    # The worker tries again instead: an index must not lose what failed once.
    with pytest.raises(RuntimeError):
        kind.document(SimpleNamespace(ref="team/1"))


def test_the_worker_goes_on_and_names_who_failed(enemy, caplog):
    with db.transaction():
        ensure_team("Sales")
    run_due_jobs(enemy)
    while deliver_due(enemy):
        continue
    facts = [one.facts for one in caplog.records if hasattr(one, "facts")]
    failed = [one for one in facts if one.get("plugin") == "hostile"]
    ear = next(one for one in failed if one["hook"].endswith("hostile.ear"))
    assert (ear["subscriber"], ear["type"], ear["attempts"]) == (
        "hostile.ear",
        "team.created",
        1,
    )
    assert any(one["hook"] == "register_jobs hostile.job" for one in failed)
    with db.read_only() as session:
        assert "evil laughter" in session.get_one(JobRun, "hostile.job").error
        query = sa.select(Delivery).where(Delivery.subscriber == "hostile.ear")
        assert session.scalars(query).one().attempts == 1


def test_readyz_and_doctor_say_that_a_check_cannot_be_asked(enemy, admin):
    answer = admin.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["hostile"] == "cannot be asked"
    assert plugin_health(enemy)["hostile"].hooks["register_checks hostile"].failures


def test_metrics_count_requests_hooks_failures_and_the_queue(enemy, admin):
    admin.get("/contacts")
    admin.get("/nowhere/at/all")
    with db.transaction():
        ensure_team("Sales")
        owner = make_token()
    client = enemy.test_client()
    assert client.get("/metrics").status_code in {302, 401}
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {owner}"})
    assert answer.status_code == 200
    lines = answer.text.splitlines()
    wanted = [
        'rapport_requests_total{method="GET",route="/contacts",status="200"} ',
        'rapport_requests_total{method="-",route="-",status="404"} ',
        'rapport_request_seconds_bucket{le="0.1",method="GET",route="/contacts"} ',
        'rapport_hook_calls_total{hook="contact_columns",plugin="hostile"} 1.0',
        'rapport_plugin_failures_total{hook="menu_items",plugin="hostile"} ',
        "rapport_worker_lag_seconds ",
        "rapport_deliveries_parked 0.0",
        "rapport_events_total ",
    ]
    for start in wanted:
        assert any(one.startswith(start) for one in lines), start
    assert "nowhere" not in answer.text


def make_token():
    email = db.session.scalars(sa.select(User.email)).first()
    _row, secret = create_token(find_user(email), scopes=["*"])
    return secret
