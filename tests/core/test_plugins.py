"""Plugins: what each hook is for, and what one that fails may spoil."""

import inspect
import io
import json
import logging
import re
from datetime import timedelta

import marshmallow as ma
import pytest
import sqlalchemy as sa
from click import command, echo
from flask import Blueprint, g
from marshmallow import fields
from sqlalchemy.orm import aliased

from core import hookimpl, hookspecs, settings
from core.contacts.models import Contact
from core.contacts.services import create_contact
from core.db import db
from core.demo.loading import load_demo_company
from core.errors import Forbidden
from core.events import EventType, Subscriber
from core.imports import ImportKind
from core.interactions.entries import show_entries
from core.interactions.files import keep_sent, most_bytes
from core.interactions.models import Interaction
from core.jobs import Job
from core.pages import (
    Action,
    Check,
    Column,
    DayItem,
    EntryFile,
    EntryFiles,
    EntryPart,
    InteractionKind,
    MenuItem,
    NotificationKind,
    PaletteItem,
    Panel,
)
from core.parts import open_records
from core.permissions import Permission, requires
from core.plugin_manager import PluginError
from core.records import RecordType
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import INSTALLED, install_plugin, make_plugin
from core.users.models import Team
from core.users.services import ensure_team
from core.worker import run_due_jobs

ALL = {name for name, one in vars(hookspecs).items() if hasattr(one, "rapport_spec")}

STARTING = sorted({name for name in ALL if name.startswith("register_")} | {"init_app"})
# The page each hook contributes to; `{}` is the id of a contact.
PAGES = {
    "contact_columns": "/contacts",
    "day_items": "/",
    "menu_items": "/contacts",
    "palette_items": "/palette?q=a",
    "palette_results": "/palette?q=a",
    "record_actions": "/contacts/{}",
    "record_panels": "/contacts/{}",
}

READ = Permission("probe:read", "Look at the probe")
WORDS = "probe/words.html"


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


# -- Every hook, used --------------------------------------------------------------

bp = Blueprint("probe", __name__)


@bp.get("/probe")
@requires(READ)
def page():
    return "the probe's page"


class ProbeSettings(ma.Schema):
    depth = fields.Integer(load_default=3)


class RowSchema(ma.Schema):
    name = fields.String(required=True)


def bring(row, context):
    return create_contact({"kind": "person", "name": row["name"]}, actor=context.actor)


@command()
def probe():
    """Probe. Example: rapport probe."""
    echo("probed")


def answers_to_entry(_user):
    answer = aliased(Interaction)
    count = sa.select(sa.cast(sa.func.count(), sa.String))
    return count.where(answer.parent_id == Interaction.id).scalar_subquery()


def everything():
    """Make a plugin that implements every hook there is."""
    done = []

    def init_app(app):
        app.jinja_env.filters["probe"] = str.upper

    def record_panels(record, user):
        if not isinstance(record, Contact):
            return []
        return [Panel("probe.panel", "Probe panel", WORDS, {"words": "In it"}, READ)]

    def record_actions(record, user):
        return [Action("Probe action", "/probe#action", READ)]

    plugin = make_plugin(
        init_app=init_app,
        register_blueprints=lambda: [bp],
        register_permissions=lambda: [READ],
        register_settings=lambda: ProbeSettings,
        register_event_types=lambda: [EventType("probe.done", "Done")],
        register_subscribers=lambda: [
            Subscriber(
                "probe.ear", ("team.created",), lambda event: done.append(event.type)
            )
        ],
        register_jobs=lambda: [
            Job("probe.job", timedelta(hours=1), lambda: done.append("job"))
        ],
        register_records=lambda: [
            RecordType(
                Team,
                "Team",
                "people",
                READ,
                lambda team: team.name,
                lambda team, user: "/probe#team",
            )
        ],
        register_imports=lambda: [
            ImportKind("probes", "Probes", RowSchema, bring, READ)
        ],
        register_checks=lambda: [Check("probe", lambda: "the probe is dirty")],
        register_interaction_kinds=lambda: [
            InteractionKind("probing", "Probing", "search")
        ],
        register_entry_parts=lambda: [
            EntryPart(
                "probe", answers_to_entry, lambda text, user: f"{text} for {user.name}"
            )
        ],
        register_entry_files=lambda: [
            EntryFiles(
                EntryPart(
                    "probe files",
                    answers_to_entry,
                    lambda text, user: [EntryFile(f"Probe {text}", "/probe")],
                ),
                may=lambda user: user.kind == "staff",
                most=lambda: 10,
                keep=lambda entry, files, user: done.append((entry.id, len(files))),
            )
        ],
        register_notifications=lambda: [NotificationKind("probe.news", "Probe news")],
        register_commands=lambda: [probe],
        menu_items=lambda user: [MenuItem("Probe menu", "probe.page", READ)],
        record_panels=record_panels,
        record_actions=record_actions,
        day_items=lambda user: [
            DayItem("probe.day", "Probe day", WORDS, {"words": "Today"}, READ)
        ],
        palette_items=lambda user: [PaletteItem("Probe place", "/probe", READ)],
        palette_results=lambda user, query: [
            {"group": "probe", "title": f"Found {query}", "why": "", "url": "/probe"}
        ],
        open_records=lambda contact, user: [contact] if user.kind == "staff" else [],
        contact_columns=lambda: [
            Column("probe", "Probe column", lambda contact: f"probed {contact.id}")
        ],
        contact_scope=lambda user: Contact.language != "xx",
        refuse_entry_change=lambda entry, user, changes: (
            "It is signed." if entry.body == "Signed." else None
        ),
        load_demo=lambda demo: done.append(sorted(demo.users)),
    )
    return done, beside_templates(plugin)


def beside_templates(plugin):
    """Say where the plugin lies, as a module does; its templates are found there."""
    plugin.__name__, plugin.__file__ = __name__, __file__
    return plugin


@pytest.fixture
def probed(make_app, app_config):
    """An application with the plugin that implements every hook."""
    done, plugin = everything()
    app = make_app((("probe", plugin),), **app_config)
    with app.app_context():
        app.probe, app.done = plugin, done
        yield app


@pytest.fixture
def app(probed):
    return probed


def test_this_module_uses_every_hook(app):
    assert set(vars(app.probe)) - {"__name__", "__file__"} == ALL
    rules = {"contact_scope", "refuse_entry_change", "load_demo", "open_records"}
    assert {*STARTING, *PAGES, *rules} == ALL


# Whatever version the entry has by now.
ANY = {"If-Match": "*"}


def test_a_plugin_keeps_an_entry_as_it_is(app, api):
    anna = make_user("Anna Laine")
    contact = make_contact("Kallion Vesijohto Oy")
    signed = make_interaction(contact, author=anna, body="Signed.")
    other = make_interaction(contact, author=anna, body="Not signed.")
    program = api(anna)
    for entry, status in ((signed, 403), (other, 204)):
        path = f"/api/v1/interactions/{entry.id}"
        changed = program.patch(path, json={"body": "Changed."}, headers=ANY)
        assert changed.status_code == (403 if entry is signed else 200)
        assert program.delete(path, headers=ANY).status_code == status


def test_a_reply_that_a_plugin_keeps_keeps_what_it_answers(app, api):
    anna = make_user("Anna Laine")
    contact = make_contact("Kallion Vesijohto Oy")
    asked = make_interaction(contact, author=anna, body="Will you sign?").id
    program, path = api(anna), "/api/v1/interactions"
    reply = {"body": "Not yet.", "parent": asked}
    first = program.post(path, json=reply).json["id"]
    program.post(path, json={"body": "Signed.", "parent": first})
    refused = program.delete(f"{path}/{asked}", headers=ANY)
    assert (refused.status_code, refused.json["detail"]) == (403, "It is signed.")
    for one in (asked, first):
        assert program.get(f"{path}/{one}").status_code == 200


def test_what_a_plugin_puts_on_pages_is_there(app, as_user):
    contact = make_contact("Kallion Vesijohto Oy")
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    shown = browser.get(f"/contacts/{contact.id}").text
    for words in ("Probe panel", "In it", "/probe#action", "Probe menu"):
        assert words in shown, words
    listed = browser.get("/contacts").text
    assert "Probe column" in listed
    assert f"probed {contact.id}" in listed
    day = browser.get("/").text
    assert "Probe day" in day
    assert "Today" in day
    found = browser.get("/palette?q=probe").json["items"]
    assert {"Found probe", "Probe place"} <= {one["title"] for one in found}
    assert browser.get("/probe").text == "the probe's page"


def test_what_needs_a_permission_is_shown_to_those_who_have_it(app, as_user):
    contact = make_contact()
    browser = as_user(make_user("Anna Laine", roles=("sales",)))
    for address in (f"/contacts/{contact.id}", "/", "/contacts"):
        words = browser.get(address).text
        for hidden in ("Probe menu", "Probe panel", "Probe day", "/probe#"):
            assert hidden not in words
    found = browser.get("/palette?q=probe").json["items"]
    assert "Probe place" not in {one["title"] for one in found}


def test_what_a_plugin_declares_is_used(app, as_user, deliver, client):
    with db.transaction():
        ensure_team("Sales")
    deliver()
    run_due_jobs(app)
    assert app.done == ["team.created", "job"]
    assert settings.get("probe") == {"depth": 3}
    assert client.get("/readyz").json["checks"]["probe"] == "the probe is dirty"
    assert app.jinja_env.from_string("{{ 'x'|probe }}").render() == "X"
    admin = as_user(make_user("Ad Min", roles=("admin",)))
    assert "probe:read" in admin.get("/admin/roles").text
    assert app.extensions["rapport_imports"]["probes"].bring is bring
    assert app.extensions["rapport_kinds"]["probing"].title == "Probing"
    assert "Probe news" in admin.get("/me/notifications").text
    assert app.extensions["rapport_records"]["team"].title == "Team"
    assert app.extensions["rapport_events"].types["probe.done"].title == "Done"
    assert app.extensions["rapport_commands"]["probe"] is probe


def test_a_plugin_has_its_part_in_every_entry_of_a_list(app):
    anna = make_user("Anna Laine")
    entry = make_interaction(make_contact("Kallio Oy"), author=anna)
    with app.test_request_context():
        [shown] = show_entries([entry], anna)
    assert shown.parts["probe"] == "0 for Anna Laine"


def test_a_plugin_keeps_the_files_of_entries(app):
    anna = make_user("Anna Laine")
    firm = make_contact("Kallio Oy")
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = make_interaction(firm, author=anna)
    sent = {"files": [(io.BytesIO(b"x"), "a.txt"), (io.BytesIO(b"y"), "b.txt")]}
    with app.test_request_context(method="POST", data=sent):
        g._login_user = anna
        keep_sent(entry)
        assert app.done == [(entry.id, 2)]
        [shown] = show_entries([entry], anna)
        assert shown.attachments == [EntryFile("Probe 0", "/probe")]
        g._login_user = outi
        with pytest.raises(Forbidden):
            keep_sent(entry)
        assert (most_bytes(anna), most_bytes(outi)) == (10, 0)


def test_a_plugin_names_what_waits_with_a_contact(app):
    contact, anna = make_contact("Kallio Oy"), make_user("Anna Laine")
    with app.test_request_context():
        assert open_records(contact, anna) == [contact]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_plugin_has_its_part_in_the_demo(app):
    load_demo_company(app)
    (users,) = [one for one in app.done if isinstance(one, list)]
    assert {"sales", "support", "customer", "vendor"} <= set(users)


def test_applications_with_different_plugins_live_side_by_side(
    app, make_app, app_config
):
    plain = make_app(**app_config)
    assert app.test_client().get("/probe").status_code == 302
    assert plain.test_client().get("/probe").status_code == 404
    assert "probe:read" not in plain.extensions["rapport_permissions"]


# -- At start-up a plugin that is not sound is refused by name ---------------------


class Evil:
    """A hook implementation that does what the test says."""

    def __init__(self):
        self.do = None

    def plugin(self, hook):
        def answer():
            return self.do() if self.do else []

        return make_plugin(**{hook: answer})


def explode():
    raise RuntimeError("evil laughter")


def write():
    db.session.add(Team(name="Written by a page hook"))
    return []


def break_the_transaction():
    db.session.execute(sa.text("SELECT * FROM nowhere"))


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("hook", STARTING)
def test_start_up_refuses_a_plugin_that_raises_and_names_it(make_app, hook):
    evil = Evil()
    evil.do = explode
    with pytest.raises(PluginError, match=f"'evil'.*{hook}.*evil laughter") as refused:
        make_app((("evil", evil.plugin(hook)),), PLUGINS_DISABLED=INSTALLED)
    assert "PLUGINS_DISABLED = ['evil']" in str(refused.value)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("answer", [None, "a word", [object()], {"name": 1}, [None]])
@pytest.mark.parametrize("hook", [one for one in STARTING if one != "init_app"])
def test_start_up_refuses_answers_that_are_no_declarations(make_app, hook, answer):
    evil = Evil()
    evil.do = lambda: answer
    with pytest.raises(PluginError, match="'evil'"):
        make_app((("evil", evil.plugin(hook)),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("hook", sorted(ALL))
def test_start_up_refuses_a_misspelt_hook(make_app, hook):
    plugin = make_plugin(**{f"{hook}s": lambda: []})
    with pytest.raises(PluginError, match=rf"'careless'.*{hook}s.*docs/hooks\.md"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("hook", sorted(ALL))
def test_start_up_refuses_a_misspelt_argument(make_app, hook):
    plugin = make_plugin(**{hook: lambda contcat: []})
    with pytest.raises(PluginError, match=r"'careless'.*contcat"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_start_up_refuses_a_plugin_that_changes_what_others_answer(make_app):
    def menu_items():
        yield

    plugin = make_plugin()
    plugin.menu_items = hookimpl(menu_items, wrapper=True)
    with pytest.raises(PluginError, match="'greedy' wraps menu_items"):
        make_app((("greedy", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_start_up_refuses_two_plugins_of_one_name(make_app):
    plugins = tuple(("twin", make_plugin(menu_items=lambda: [])) for _ in range(2))
    with pytest.raises(PluginError, match="two plugins 'twin'"):
        make_app(plugins, PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("hook", "one"),
    [
        ("register_subscribers", Subscriber("same", ("*",), print)),
        ("register_jobs", Job("same", timedelta(hours=1), print)),
        ("register_checks", Check("same", lambda: None)),
        ("register_event_types", EventType("same", "Same")),
        ("register_interaction_kinds", InteractionKind("same", "Same", "dot")),
        ("register_commands", probe),
        ("register_permissions", READ),
    ],
)
def test_start_up_refuses_a_name_that_two_declare(make_app, hook, one):
    plugins = tuple(
        (name, make_plugin(**{hook: lambda: [one]})) for name in ("first", "second")
    )
    with pytest.raises(PluginError, match=f"'first' and 'second' both.*{one.name}"):
        make_app(plugins, PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_start_up_refuses_a_blueprint_name_that_is_taken(make_app):
    plugin = make_plugin(
        register_blueprints=lambda: [Blueprint("contacts", __name__)],
    )
    with pytest.raises(PluginError, match=r"'careless'.*'contacts'"):
        make_app((("careless", plugin),), PLUGINS_DISABLED=INSTALLED)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_start_up_refuses_a_plugin_that_cannot_be_imported(
    make_app, tmp_path, monkeypatch
):
    install_plugin(tmp_path / "site", "broken", "import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(PluginError, match=r"'broken'.*nowhere_to_be_found"):
        make_app(PLUGINS_DISABLED=INSTALLED)
    make_app(PLUGINS_DISABLED=[*INSTALLED, "broken"])


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_installed_plugin_is_found_by_its_entry_point(
    make_app, tmp_path, monkeypatch
):
    code = """
from core import hookimpl
from core.pages import Check

@hookimpl
def register_checks():
    return [Check("visitor", lambda: None)]
"""
    install_plugin(tmp_path / "site", "visitor", code)
    monkeypatch.syspath_prepend(tmp_path / "site")
    app = make_app(PLUGINS_DISABLED=INSTALLED)
    assert app.test_client().get("/readyz").json["checks"]["visitor"] == "ok"


# -- On a page a plugin that fails leaves the page standing ------------------------


@pytest.fixture
def evil():
    return Evil()


@pytest.fixture
def spoil(make_app, app_config, evil):
    """Make an application in which one hook can be made to fail."""

    def start(hook, *, production):
        app = make_app(
            (("evil", evil.plugin(hook)), ("good", _good(hook))),
            **app_config,
            TESTING=not production,
        )
        return app

    return start


def _good(hook):
    """Make a plugin that answers the same hook well, after the evil one."""
    whole = everything()[1]
    plugin = make_plugin(
        register_blueprints=whole.register_blueprints,
        register_permissions=whole.register_permissions,
    )
    setattr(plugin, hook, getattr(whole, hook))
    return beside_templates(plugin)


GOOD = {
    "contact_columns": "Probe column",
    "day_items": "Probe day",
    "menu_items": "Probe menu",
    "palette_items": "Probe place",
    "palette_results": "Found probe",
    "record_actions": "Probe action",
    "record_panels": "Probe panel",
}


@pytest.fixture
def visit(sign_in_to):
    """Open the page of a hook as an administrator; give the answer."""

    def open_page(app, hook):
        with app.app_context():
            contact = make_contact("Kallion Vesijohto Oy")
            browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
        address = PAGES[hook].format(contact.id).replace("q=a", "q=probe")
        return browser.get(address)

    return open_page


@pytest.mark.parametrize(
    "deed",
    [explode, break_the_transaction, write, lambda: None, lambda: [object()]],
    ids=["raises", "breaks", "writes", "nothing", "nonsense"],
)
@pytest.mark.parametrize("hook", sorted(PAGES))
def test_a_page_stands_when_a_plugin_fails_on_it(
    spoil, visit, evil, hook, deed, caplog
):
    app = spoil(hook, production=True)
    evil.do = deed
    answer = visit(app, hook)
    assert answer.status_code == 200
    assert f"plugin evil failed in {hook}" in caplog.text
    text = json.dumps(answer.json) if answer.is_json else answer.text
    assert GOOD[hook] in text
    if "contacts" in PAGES[hook]:
        assert "Kallion Vesijohto Oy" in text
    with app.app_context(), db.read_only() as session:
        assert session.scalars(sa.select(Team)).all() == []


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("hook", sorted(PAGES))
def test_while_testing_what_a_plugin_raises_is_seen(spoil, visit, evil, hook):
    app = spoil(hook, production=False)
    evil.do = explode
    with pytest.raises(RuntimeError, match="evil laughter"):
        visit(app, hook)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("hook", "items"),
    [
        ("menu_items", [MenuItem("Lost", "nowhere.at_all", READ)]),
        ("record_panels", [Panel("evil.p", "Lost", "evil/none.html", {}, READ)]),
        ("day_items", [DayItem("evil.d", "Lost", "evil/none.html", {}, READ)]),
        ("contact_columns", [Column("evil", "Lost", lambda contact: 1 // 0)]),
    ],
)
def test_a_page_stands_when_an_item_cannot_be_drawn(spoil, visit, evil, hook, items):
    app = spoil(hook, production=True)
    evil.do = lambda: items
    answer = visit(app, hook)
    assert answer.status_code == 200
    assert GOOD[hook] in answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_panel_that_fails_says_so_in_its_place(spoil, visit, evil):
    app = spoil("record_panels", production=True)
    evil.do = lambda: [Panel("evil.p", "Weather", "evil/none.html", {}, READ)]
    shown = visit(app, "record_panels").text
    assert "Weather" in shown
    assert "not available" in shown.lower()


def test_a_plugin_that_fails_while_a_form_is_saved_spoils_nothing(
    spoil, evil, sign_in_to
):
    app = spoil("menu_items", production=True)
    evil.do = break_the_transaction
    with app.app_context():
        browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
    form = {"name": "For the shop", "scopes": ["contacts:read"], "days": "30"}
    answer = browser.post("/me/tokens", data=form)
    assert answer.status_code == 200
    assert "rap_" in answer.text
    assert "For the shop" in browser.get("/me/tokens").text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_check_that_raises_is_not_ready_and_spoils_no_other(make_app, app_config):
    plugin = make_plugin(
        register_checks=lambda: [
            Check("evil", break_the_transaction),
            Check("good", lambda: None),
        ]
    )
    app = make_app((("evil", plugin),), **app_config)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["evil"] == "cannot be asked"
    assert answer.json["checks"]["good"] == "ok"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_demo_names_a_plugin_that_fails_in_it(make_app, app_config, evil):
    evil.do = explode
    app = make_app((("evil", evil.plugin("load_demo")),), **app_config)
    with pytest.raises(PluginError, match="'evil' failed in load_demo"):
        load_demo_company(app)


# -- Looking at the hooks at work --------------------------------------------------


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_call_of_a_hook_can_be_watched(
    make_app, app_config, monkeypatch, caplog, evil, visit
):
    monkeypatch.setenv("RAPPORT_TRACE_HOOKS", "1")
    caplog.set_level(logging.INFO, "rapport.hooks")
    _done, plugin = everything()
    app = make_app(
        (("probe", plugin), ("evil", evil.plugin("palette_results"))),
        **app_config,
        TESTING=False,
    )
    assert re.search(
        r"probe.register_permissions\(\) [\d.]+ ms -> \[Permission probe:read\]",
        caplog.text,
    )
    evil.do = explode
    assert visit(app, "palette_results").status_code == 200
    assert re.search(
        r"probe.palette_results\(user=user/\d+, query=text of 5\) [\d.]+ ms -> "
        r"\[\{group, title, why, url\}\]",
        caplog.text,
    )
    assert re.search(r"evil.palette_results\(\) .* raised RuntimeError", caplog.text)
    assert "Ad Min" not in caplog.text
    assert all(len(one.getMessage()) <= 301 for one in caplog.records)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_hooks_are_quiet_unless_they_are_watched(make_app, app_config, caplog, visit):
    _done, plugin = everything()
    app = make_app((("probe", plugin),), **app_config)
    visit(app, "menu_items")
    assert "probe.menu_items" not in caplog.text


@pytest.mark.parametrize("hook", sorted(ALL))
def test_every_hook_says_what_it_is_for_with_an_example(hook):
    words = inspect.getdoc(getattr(hookspecs, hook))
    assert len(words.splitlines()) >= 3
    assert "Example: `" in words.replace("\n", " ")
