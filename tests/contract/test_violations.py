"""The contract proves something: a plugin that breaks a point is found out.

Each plugin here is what `rapport plugin new` writes, with one thing spoilt. All are
installed side by side, and the contract runs once over them; that a sound one passes
is what tests/core/test_scaffold.py shows.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.scaffold import words_for, write_plugin
from core.testing.contract.points import POINTS
from core.testing.plugins import INSTALLED, describe_distribution

ROOT = Path(__file__).parents[2]

# Name of the plugin: (point, file, what stands there, what stands there instead, what
# the contract says). `None` for what stands there adds to the end of the file.
SPOILT = {
    "lonely": (
        1,
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
    "crowded": (
        2,
        "plugin.py",
        None,
        "\n\nLIMIT = 5\n\n\ndef helper():\n    return LIMIT\n",
        "no hook implementation",
    ),
    "curious": (
        3,
        "services.py",
        "import sqlalchemy as sa\n",
        "import sqlalchemy as sa\nfrom core.config import DEFAULTS\n",
        "services.py imports core.config",
    ),
    "nosy": (
        3,
        "views.py",
        "from typing import Any\n",
        "from typing import Any\nfrom plugins.support.models import Ticket\n",
        "views.py imports plugins.support.models",
    ),
    "misnamed": (
        4,
        "permissions.py",
        'Permission("misnamed:write"',
        'Permission("wrong:write"',
        "wrong:write does not begin with misnamed:",
    ),
    "behind": (
        5,
        "models.py",
        "    done_at: Mapped",
        "    weight: Mapped[int] = mapped_column(default=0)\n    done_at: Mapped",
        "the tables differ",
    ),
    "hoarder": (
        5,
        "migrations/0001_first.py",
        'def downgrade() -> None:\n    op.drop_table("hoarder_item")',
        'def downgrade() -> None:\n    op.execute("SELECT 1")',
        "hoarder_item is left at base",
    ),
    "clinging": (
        6,
        "models.py",
        'sa.ForeignKey("contact.id", ondelete="CASCADE")',
        'sa.ForeignKey("contact.id")',
        "contact_id does not say ondelete",
    ),
    "entangled": (
        6,
        "models.py",
        "    done_at: Mapped",
        "    ticket_id: Mapped[int | None] = mapped_column(\n"
        '        sa.ForeignKey("support_ticket.id", ondelete="SET NULL")\n    )\n'
        "    done_at: Mapped",
        "points to support_ticket",
    ),
    "ajar": (
        7,
        "views.py",
        '@bp.get("/ajar")\n@requires(READ)',
        '@bp.get("/ajar")\n@public',
        "",
    ),
    "welcoming": (
        7,
        "views.py",
        '@bp.post("/welcoming/<int:item_id>/done")\n@requires(WRITE)',
        '@bp.post("/welcoming/<int:item_id>/done")\n@requires(READ, portal=True)',
        "",
    ),
    "fragile": (
        7,
        "views.py",
        '    """Mark one as done."""\n',
        '    """Mark one as done."""\n    raise RuntimeError(str(item_id))\n',
        "999999",
    ),
    "aborting": (
        7,
        "views.py",
        '    """Mark one as done."""\n',
        '    """Mark one as done."""\n    from core.errors import Forbidden\n\n'
        "    raise Forbidden\n",
        "answers an administrator with 403",
    ),
    "talkative": (
        8,
        "views.py",
        '    return render_template("talkative/index.html", page=page)',
        "    from core.db import db\n    import sqlalchemy as sa\n\n"
        "    for _number in range(20):\n"
        "        db.session.scalars(sa.select(Item).limit(1)).all()\n"
        '    return render_template("talkative/index.html", page=page)',
        "/talkative takes",
    ),
    "breaking": (
        8,
        "templates/breaking/show.html",
        "{{ item.title }}{% endblock %}",
        "{{ item.title }}{{ 1 // (item.version - 1) }}{% endblock %}",
        "",
    ),
    "secretive": (9, "README.md", "`secretive:write`", "write", "`secretive:write`"),
    "idle": (
        9,
        "events.py",
        "ALL = [",
        'ALL = [\n    EventType("idle.item.lost", _l("Lost")),\n    ',
        "nothing announces idle.item.lost",
    ),
    "shouting": (
        9,
        "services.py",
        'announce("shouting.item.done"',
        'announce("shouting.item.finished"',
        "announces shouting.item.finished",
    ),
    "echoing": (
        10,
        "plugin.py",
        None,
        """

from core.events import Subscriber
from echoing_code import subscribers


@hookimpl
def register_subscribers():
    return [Subscriber("echoing", ("contact.created",), subscribers.note)]
""",
        "echoing, run twice, writes into echoing_item again",
    ),
    "anything": (
        11,
        "settings.py",
        "    shown = ",
        "    free = fields.Raw(load_default=None)\n    shown = ",
        "free takes anything",
    ),
    "nameless": (
        12,
        "search.py",
        "    return item.title\n",
        '    return ""\n',
        "has no title",
    ),
    "placeless": (
        12,
        "search.py",
        'return url_for("placeless.show", item_id=item.id)',
        'return "placeless"',
        "has the address 'placeless'",
    ),
    "endless": (
        13,
        "api.py",
        '@bp.arguments(EndlessArguments, location="query")\n',
        "",
        "/api/v1/endless has no limit",
    ),
    "mumbling": (
        13,
        "api.py",
        "    item = get_visible(me(), Item, item_id)\n    return _shown(item), 200",
        "    if item_id > 5:\n        from flask import Response\n\n"
        '        return Response("not here", 404)\n'
        "    item = get_visible(me(), Item, item_id)\n    return _shown(item), 200",
        "404 as text/html",
    ),
    "unmarked": (
        14,
        "templates/unmarked/show.html",
        '<p>{{ _("About") }}',
        "<p>Concerning",
        "show.html says 'Concerning' unmarked",
    ),
    "foreign": (
        14,
        "templates/foreign/panel.html",
        '<ul class="rows">',
        '<!doctype html><html><ul class="rows">',
        "panel.html is a page of its own",
    ),
}
MORE = {
    "echoing": (
        "subscribers.py",
        '''"""Notes each new contact, again and again."""

from core.db import db
from echoing_code.models import Item


def note(event):
    """Add an item, whether it is there or not."""
    number = int(event.subject.rpartition("/")[2])
    db.session.add(Item(title="Call", contact_id=number))
''',
    ),
}


def spoil(folder, name):
    """Write the plugin `name` with its one fault."""
    made = write_plugin(name, into=folder, package=f"{name}_code")
    if name in SPOILT:
        _point, file, before, after, _said = SPOILT[name]
        path = made / f"{name}_code" / file
        text = path.read_text("utf-8")
        assert before is None or before in text, f"{name}: {file} has changed"
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
        if getattr(one.function, "point", 0)
        in wanted.get(one.callspec.params.get("plugin"), ())
    ]

def pytest_runtest_logreport(report):
    if report.failed:
        for name in report.nodeid.rpartition("[")[2].rstrip("]").split("-"):
            notes[name] = notes.get(name, "") + report.longreprtext

def pytest_sessionfinish():
    with open(os.environ["NOTES"], "w") as file:
        json.dump(notes, file)
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """Run the contract once over all spoilt plugins; give what it said of each."""
    place = tmp_path_factory.mktemp("spoilt")
    places = [spoil(place, name) for name in SPOILT]
    (place / "reporter.py").write_text(REPORTER)
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "reporter", "-c", os.devnull, f"--rootdir={place}"),
            *("--pyargs", "core.testing.contract", "-k", "not postgresql"),
        ],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(map(str, [place, *places, ROOT])),
            "WANTED": json.dumps({name: [one[0]] for name, one in SPOILT.items()}),
            "NOTES": str(place / "notes.json"),
        },
        cwd=place,
        capture_output=True,
    )
    return json.loads((place / "notes.json").read_text())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(SPOILT))
def test_the_contract_finds(notes, name):
    point, _file, _before, _after, wanted = SPOILT[name]
    assert name in notes, f"point {point} let {name} pass"
    assert wanted in notes[name]


def test_every_point_has_a_plugin_that_breaks_it():
    assert {one[0] for one in SPOILT.values()} == set(POINTS)
    assert not set(SPOILT) & set(INSTALLED)
    assert words_for("a_b", "rapport_a_b")["Name"] == "AB"
