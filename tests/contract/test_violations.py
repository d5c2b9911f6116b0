"""The contract proves something: a plugin that breaks a point is found out.

Each plugin here is what `rapport plugin new` writes, with faults put in that do not
stand in each other's way. All are installed side by side, and the tests that should
find the faults run once over them, in one process of their own: the tables of such
plugins must not come near those of other tests. That a sound plugin passes is what
tests/core/test_scaffold.py shows.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.scaffold import write_plugin
from core.testing.contract import (
    test_code,
    test_doors,
    test_pages,
    test_start,
    test_tables,
    test_work,
)
from core.testing.contract.points import POINTS
from core.testing.plugins import INSTALLED, describe_distribution

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """What is put into `file` of a plugin, and the words by which `test` names it.

    `before` is what stands there, replaced by `after`; without it `after` is added at
    the end. `@name@` is the plugin's name, as in the scaffold's own files.
    """

    name: str
    plugin: str
    test: object
    file: str
    before: str | None
    after: str
    said: str


FAULTS = [
    Fault(
        "needs another plugin to start",
        "stale",
        test_start.test_a_plugin_starts_alone_with_core,
        "plugin.py",
        None,
        """

@hookimpl
def init_app(app):
    if not app.extensions["rapport_pm"].has_plugin("support"):
        raise RuntimeError("I cannot be without support")
""",
        "I cannot be without support",
    ),
    Fault(
        "has more than hooks in its front door",
        "careless",
        test_code.test_the_front_door_holds_hook_implementations_and_nothing_else,
        "plugin.py",
        None,
        "\n\nLIMIT = 5\n\n\ndef helper():\n    return LIMIT\n",
        "no hook implementation",
    ),
    Fault(
        "imports what is core's own",
        "careless",
        test_code.test_a_plugin_imports_itself_and_the_public_modules_of_core,
        "services.py",
        "import sqlalchemy as sa\n",
        "import sqlalchemy as sa\nfrom core.config import DEFAULTS\n",
        "services.py imports core.config",
    ),
    Fault(
        "imports another plugin",
        "careless",
        test_code.test_a_plugin_imports_itself_and_the_public_modules_of_core,
        "views.py",
        "from typing import Any\n",
        "from typing import Any\nfrom plugins.support.models import Ticket\n",
        "views.py imports plugins.support.models",
    ),
    Fault(
        "takes a permission's name that is not its own",
        "careless",
        test_code.test_one_name_runs_through_everything,
        "permissions.py",
        'WRITE = Permission(\n    "@name@:write"',
        'WRITE = Permission(\n    "wrong:write"',
        "wrong:write does not begin with careless:",
    ),
    Fault(
        "has a column that no migration makes",
        "stale",
        test_tables.test_migrations_lead_to_the_models_and_back_and_leave_core_alone,
        "models.py",
        "    done_at: Mapped",
        "    weight: Mapped[int] = mapped_column(default=0)\n    done_at: Mapped",
        "Column('weight'",
    ),
    Fault(
        "leaves its tables behind",
        "sticky",
        test_tables.test_migrations_lead_to_the_models_and_back_and_leave_core_alone,
        "migrations/0001_first.py",
        'def downgrade() -> None:\n    op.drop_table("@name@_item")',
        'def downgrade() -> None:\n    op.execute("SELECT 1")',
        "sticky_item is left at base",
    ),
    Fault(
        "holds on to rows of core",
        "careless",
        test_code.test_foreign_keys_stay_at_home_or_lead_to_core_with_an_ondelete,
        "models.py",
        'sa.ForeignKey("contact.id", ondelete="CASCADE")',
        'sa.ForeignKey("contact.id")',
        "contact_id does not say ondelete",
    ),
    Fault(
        "points into another plugin",
        "stale",
        test_code.test_foreign_keys_stay_at_home_or_lead_to_core_with_an_ondelete,
        "models.py",
        "    done_at: Mapped",
        "    ticket_id: Mapped[int | None] = mapped_column(\n"
        '        sa.ForeignKey("support_ticket.id", ondelete="SET NULL")\n    )\n'
        "    done_at: Mapped",
        "points to support_ticket",
    ),
    Fault(
        "lets everybody in where it needs to know who comes",
        "careless",
        test_doors.test_every_route_lets_the_right_ones_in_and_the_others_not,
        "views.py",
        '@bp.get("/@name@")\n@requires(READ)',
        '@bp.get("/@name@")\n@public',
        "GET /careless answers a guest with 500",
    ),
    Fault(
        "breaks on what is not there",
        "fragile",
        test_doors.test_every_route_lets_the_right_ones_in_and_the_others_not,
        "views.py",
        '    """Mark one as done."""\n',
        '    """Mark one as done."""\n    raise RuntimeError(str(item_id))\n',
        "POST /fragile/999999/done answers an administrator with 500",
    ),
    Fault(
        "refuses who has the permission",
        "sticky",
        test_doors.test_every_route_lets_the_right_ones_in_and_the_others_not,
        "views.py",
        '    """Mark one as done."""\n',
        '    """Mark one as done."""\n    from core.errors import Forbidden\n\n'
        "    raise Forbidden\n",
        "POST /sticky/999999/done answers an administrator with 403",
    ),
    Fault(
        "asks the database again and again",
        "sticky",
        test_pages.test_every_page_draws_on_the_demo_company,
        "views.py",
        '    return render_template("@name@/index.html", page=page)',
        "    from core.db import db\n    import sqlalchemy as sa\n\n"
        "    for _number in range(20):\n"
        "        db.session.scalars(sa.select(Item).limit(1)).all()\n"
        '    return render_template("@name@/index.html", page=page)',
        "/sticky takes",
    ),
    Fault(
        "has a page of a record that breaks",
        "fragile",
        test_pages.test_the_page_of_each_record_draws,
        "templates/@name@/show.html",
        "{{ item.title }}{% endblock %}",
        "{{ item.title }}{{ 1 // (item.version - 1) }}{% endblock %}",
        "/fragile/1 answers 500 (ZeroDivisionError",
    ),
    Fault(
        "keeps a permission to itself",
        "fragile",
        test_code.test_the_readme_names_what_the_plugin_declares,
        "README.md",
        "`@name@:write`",
        "write",
        "README.md does not name `fragile:write`",
    ),
    Fault(
        "declares an event that never happens",
        "careless",
        test_code.test_what_a_plugin_uses_is_declared_and_what_it_declares_is_used,
        "events.py",
        "ALL = [",
        'ALL = [\n    EventType("@name@.item.lost", _l("Lost")),',
        "nothing announces careless.item.lost",
    ),
    Fault(
        "announces an event it does not declare",
        "careless",
        test_code.test_what_a_plugin_uses_is_declared_and_what_it_declares_is_used,
        "services.py",
        'announce("@name@.item.done"',
        'announce("@name@.item.finished"',
        "announces careless.item.finished",
    ),
    Fault(
        "does the same twice when it hears the same twice",
        "sticky",
        test_work.test_subscribers_may_hear_everything_twice,
        "plugin.py",
        None,
        """

from core.events import Subscriber
from sticky_code import subscribers


@hookimpl
def register_subscribers():
    return [Subscriber("sticky", ("contact.created",), subscribers.note)]
""",
        "sticky, run twice, writes into sticky_item again",
    ),
    Fault(
        "has a setting that takes anything",
        "careless",
        test_start.test_settings_load_from_nothing_and_wrong_ones_are_refused,
        "settings.py",
        "    shown = ",
        "    free = fields.Raw(load_default=None)\n    shown = ",
        "free takes anything",
    ),
    Fault(
        "has records without a title",
        "fragile",
        test_work.test_records_have_a_title_an_address_and_words,
        "search.py",
        "    return item.title\n",
        '    return ""\n',
        "has no title",
    ),
    Fault(
        "has records without an address",
        "sticky",
        test_work.test_records_have_a_title_an_address_and_words,
        "search.py",
        'return url_for("@name@.show", item_id=item.id)',
        'return "nowhere"',
        "has the address 'nowhere'",
    ),
    Fault(
        "has a list without an end",
        "sticky",
        test_doors.test_the_api_is_described_and_its_lists_go_page_by_page,
        "api.py",
        '@bp.arguments(@Name@Arguments, location="query")\n',
        "",
        "/api/v1/sticky has no limit",
    ),
    Fault(
        "answers programs with a page",
        "careless",
        test_doors.test_errors_of_the_api_are_problems,
        "api.py",
        "    item = get_visible(me(), Item, item_id)\n    return _shown(item), 200",
        "    if item_id > 5:\n        from flask import Response\n\n"
        '        return Response("not here", 404)\n'
        "    item = get_visible(me(), Item, item_id)\n    return _shown(item), 200",
        "404 as text/html",
    ),
    Fault(
        "has words that nobody can translate",
        "careless",
        test_pages.test_every_word_of_a_template_is_marked_for_translation,
        "templates/@name@/show.html",
        '<p>{{ _("About") }}',
        "<p>Concerning",
        "show.html says 'Concerning' unmarked",
    ),
    Fault(
        "has a page of its own making",
        "careless",
        test_pages.test_templates_live_in_the_house,
        "templates/@name@/panel.html",
        '<ul class="rows">',
        '<!doctype html><html><ul class="rows">',
        "panel.html is a page of its own",
    ),
]
PLUGINS = sorted({one.plugin for one in FAULTS})
MORE = {
    "sticky": (
        "subscribers.py",
        '''"""Notes each new contact, again and again."""

from core.db import db
from sticky_code.models import Item


def note(event):
    """Add an item, whether it is there or not."""
    number = int(event.subject.rpartition("/")[2])
    db.session.add(Item(title="Call", contact_id=number))
''',
    ),
}


def spoil(folder, name):
    """Write the plugin `name` with its faults."""
    made = write_plugin(name, into=folder, package=f"{name}_code")

    def filled(text):
        return text.replace("@name@", name).replace("@Name@", name.capitalize())

    for fault in FAULTS:
        if fault.plugin != name:
            continue
        path = made / f"{name}_code" / filled(fault.file)
        text, after = path.read_text("utf-8"), filled(fault.after)
        before = filled(fault.before) if fault.before is not None else None
        assert before is None or before in text, f"{fault.name}: {path} has changed"
        text = text + after if before is None else text.replace(before, after, 1)
        if after.endswith("@public"):
            text = text.replace("import me, requires", "import me, public, requires")
        path.write_text(text, "utf-8")
    if name in MORE:
        file, text = MORE[name]
        (made / f"{name}_code" / file).write_text(text, "utf-8")
    describe_distribution(made, f"{name}_code", {name: f"{name}_code.plugin"})
    return made


REPORTER = """
import json, os
notes = {}

def pytest_collection_modifyitems(items):
    wanted = json.loads(os.environ["WANTED"])
    items[:] = [
        one
        for one in items
        if [one.callspec.params.get("plugin"), one.function.__name__] in wanted
    ]

def pytest_runtest_logreport(report):
    if report.failed:
        test, _bracket, rest = report.nodeid.rpartition("::")[2].partition("[")
        key = test + " " + rest.rstrip("]").split("-")[-1]
        notes[key] = notes.get(key, "") + report.longreprtext

def pytest_sessionfinish():
    with open(os.environ["NOTES"], "w") as file:
        json.dump(notes, file)
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory, demo_template):
    """Run the contract once over all spoilt plugins; give what each test said."""
    place = tmp_path_factory.mktemp("spoilt")
    places = [spoil(place, name) for name in PLUGINS]
    (place / "reporter.py").write_text(REPORTER)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "reporter", "-c", os.devnull, f"--rootdir={place}"),
            *("--pyargs", "core.testing.contract", "-k", "not postgresql"),
        ],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(map(str, [place, *places, ROOT])),
            "WANTED": json.dumps([[f.plugin, f.test.__name__] for f in FAULTS]),
            "NOTES": str(place / "notes.json"),
            "RAPPORT_DEMO_TEMPLATE": str(demo_template),
        },
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert (place / "notes.json").exists(), ran.stdout[-2000:] + ran.stderr[-2000:]
    return json.loads((place / "notes.json").read_text())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_the_contract_finds_a_plugin_that(notes, fault):
    found = notes.get(f"{fault.test.__name__} {fault.plugin}")
    assert found is not None, f"point {fault.test.point} let it pass"
    assert fault.said in found


def test_every_point_has_a_plugin_that_breaks_it():
    assert {one.test.point for one in FAULTS} == set(POINTS)
    assert all(one.said.strip() for one in FAULTS)
    assert not set(PLUGINS) & set(INSTALLED)
