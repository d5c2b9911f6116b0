"""What every plugin promises; run it in your own repository, from any folder:

    pytest --pyargs core.testing.contract -k NAME

Without `-k` every installed plugin is checked.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core import hookspecs, migrate
from core.app import CRM
from core.db import Model, db
from core.permissions import door_of
from core.plugin_manager import SLICES, declared, installed_plugins
from core.records import RecordType
from core.schemas import ApiBlueprint
from core.testing.factories import make_user
from core.users.models import User

pytest_plugins = ["core.testing.fixtures"]

BUDGET = 12
PRIVATE = {
    "core.admin",
    "core.app",
    "core.cli",
    "core.config",
    "core.live",
    "core.migrate",
    "core.plugin_manager",
    "core.serve",
    "core.worker",
    "core.wsgi",
}
ALL = [point.name for point in installed_plugins()]


@pytest.fixture(params=ALL)
def plugin(request: pytest.FixtureRequest) -> str:
    """One installed plugin after the other."""
    return str(request.param)


def module_of(plugin: str) -> Any:
    """Give the front door of a plugin."""
    [point] = [one for one in installed_plugins() if one.name == plugin]
    return point.load()


def folder_of(plugin: str) -> Path:
    """Give the folder of a plugin's code."""
    return Path(module_of(plugin).__file__).parent


def own_routes(app: CRM, plugin: str) -> Iterator[Any]:
    """List the routes of a plugin."""
    names = {plugin, f"{plugin}_api"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in names:
            yield rule


def test_a_plugin_starts_alone_and_core_starts_without_it(make_app, plugin):
    alone = make_app(PLUGINS_DISABLED=[one for one in ALL if one != plugin])
    assert alone.extensions["rapport_pm"].has_plugin(plugin)
    rules = [rule.rule for rule in own_routes(alone, plugin)]
    without = make_app(PLUGINS_DISABLED=[plugin])
    assert without.test_client().get("/sign-in").status_code == 200
    assert not set(rules) & {rule.rule for rule in without.url_map.iter_rules()}


def test_the_front_door_holds_hook_implementations_and_nothing_else(plugin):
    module = module_of(plugin)
    known = {name for name in vars(hookspecs) if not name.startswith("_")}
    own = [
        (name, value)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    ]
    for name, value in own:
        assert hasattr(value, "rapport_impl"), f"{name} is no hook implementation"
        optional = value.rapport_impl["optionalhook"]
        assert name in known or optional, f"core has no hook {name}"


def test_a_plugin_imports_itself_and_the_public_modules_of_core(plugin):
    folder = folder_of(plugin)
    package = module_of(plugin).__name__.rpartition(".")[0]
    for path in folder.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for name in _imports(path):
            where = f"{path.name} imports {name}"
            if name.startswith("plugins."):
                assert name.startswith(package), where
            private = any(name == one or name.startswith(f"{one}.") for one in PRIVATE)
            assert not private, where
            assert not re.fullmatch(r"core\.\w+\.views", name), where


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def test_one_name_runs_through_everything(make_app, plugin):
    app = make_app()
    module = module_of(plugin)
    package = module.__name__.rpartition(".")[0]
    for mapper in Model.registry.mappers:
        if mapper.class_.__module__.startswith(f"{package}."):
            assert str(mapper.local_table).startswith(f"{plugin}_")
    for blueprint in _asked(module, "register_blueprints"):
        assert blueprint.name in {plugin, f"{plugin}_api"}
    for permission in _asked(module, "register_permissions"):
        assert permission.name.startswith(f"{plugin}:")
    for event_type in _asked(module, "register_event_types"):
        assert event_type.name.startswith(f"{plugin}.")
    for subscriber in _asked(module, "register_subscribers"):
        assert subscriber.name.partition(".")[0] == plugin
    for job in _asked(module, "register_jobs"):
        assert job.name.partition(".")[0] == plugin
    templates = folder_of(plugin) / "templates"
    if templates.is_dir():
        assert [one.name for one in templates.iterdir()] == [plugin]
    assert app.extensions["rapport_pm"].has_plugin(plugin)


def _asked(module: Any, hook: str) -> list[Any]:
    function = getattr(module, hook, None)
    return list(function()) if function else []


def test_migrations_lead_to_the_models_and_back_and_leave_core_alone(app, plugin):
    assert migrate.differences(app, plugin) == []
    before = _row_counts("core", plugin)
    migrate.downgrade(app, plugin)
    assert _row_counts("core", plugin) == before
    migrate.upgrade(app, plugin)
    assert migrate.differences(app, plugin) == []


def _row_counts(*skipped: str) -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(
                sa.select(sa.func.count()).select_from(sa.table(name))
            )
            or 0
            for name in sa.inspect(connection).get_table_names()
            if not name.startswith(tuple(f"{one}_" for one in skipped))
        }


def test_foreign_keys_stay_at_home_or_lead_to_core_with_an_ondelete(plugin):
    module_of(plugin)
    for table in Model.metadata.tables.values():
        if not table.name.startswith(f"{plugin}_"):
            continue
        for key in table.foreign_keys:
            other = key.column.table.name
            if other.startswith(f"{plugin}_"):
                continue
            home = key.column.table
            owner = next(
                m.class_.__module__
                for m in Model.registry.mappers
                if m.local_table is home
            )
            assert owner.startswith("core."), f"{table.name} points to {other}"
            assert key.ondelete or other == "audience", f"{key.parent} lacks ondelete"


def test_every_route_asks_who_comes(app, as_user, plugin):
    nobody = as_user(make_user("No Role", roles=()))
    guest = app.test_client()
    admin = as_user(make_user("Ad Min", roles=("admin",)))
    for rule in own_routes(app, plugin):
        door = door_of(app.view_functions[rule.endpoint])
        if not door.signed_in or "GET" not in rule.methods:
            continue
        address = _address(app, rule)
        assert guest.get(address).status_code in {302, 401}, address
        if door.permission is not None:
            assert nobody.get(address).status_code in {403, 404}, address
        assert admin.get(address).status_code < 500, address


def _address(app: CRM, rule: Any) -> str:
    values = {
        name: 999_999 if "Integer" in type(converter).__name__ else "nothing"
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return str(rule.build(values)[1])


def _draw_every_page(app: CRM, browser: Any, plugin: str, count_queries: Any) -> None:
    for rule in own_routes(app, plugin):
        if "GET" not in rule.methods or rule.arguments or rule.rule.startswith("/api/"):
            continue
        with count_queries() as queries:
            answer = browser.get(rule.rule)
        assert answer.status_code in {200, 302, 303, 404, 422}, rule.rule
        assert queries.count <= BUDGET, f"{rule.rule}: {queries.statements}"


def test_every_page_draws_on_an_empty_database(app, as_user, plugin, count_queries):
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    _draw_every_page(app, browser, plugin, count_queries)


def test_every_page_draws_on_the_demo_company(demo_app, plugin, sign_in_demo):
    browser, counting = sign_in_demo("admin")
    _draw_every_page(demo_app, browser, plugin, counting)


def test_the_readme_names_what_the_plugin_declares(make_app, plugin):
    app = make_app()
    module = module_of(plugin)
    text = (folder_of(plugin) / "README.md").read_text("utf-8")
    names = [one.name for one in _asked(module, "register_permissions")]
    names += [one.name for one in _asked(module, "register_event_types")]
    schema = app.extensions["rapport_settings"].get(plugin)
    names += list(schema().fields) if schema else []
    assert [one for one in names if f"`{one}`" not in text] == []


def test_jobs_run_twice_on_an_empty_database(app, plugin):
    for job in _asked(module_of(plugin), "register_jobs"):
        for _ in range(2):
            with db.transaction():
                job.run()


def test_subscribers_may_hear_everything_twice(demo_app, plugin):
    from core.events import Event

    for subscriber in _asked(module_of(plugin), "register_subscribers"):
        for _ in range(2):
            with db.transaction() as session:
                heard = [
                    one
                    for one in session.scalars(sa.select(Event).limit(300))
                    if subscriber.wants(one.type)
                ]
                if subscriber.batch > 1:
                    subscriber.handler(heard)
                else:
                    for one in heard:
                        subscriber.handler(one)


def test_settings_load_from_nothing_and_wrong_ones_are_refused(make_app, plugin):
    app = make_app()
    schema = app.extensions["rapport_settings"].get(plugin)
    if schema is not None:
        assert set(schema().load({})) == set(schema().fields)
        wrong = dict.fromkeys(schema().fields, object())
        assert set(schema().validate(wrong)) == set(schema().fields)


def test_records_have_a_title_an_address_and_a_document(demo_app, plugin):
    with demo_app.test_request_context():
        users = db.session.scalars(sa.select(User)).all()
        for kind in _asked(module_of(plugin), "register_records"):
            _check_records(kind, users)


def _check_records(kind: RecordType, users: Any) -> None:
    for record in db.session.scalars(sa.select(kind.model).limit(20)).unique():
        assert kind.label(record)
        for user in users:
            address = kind.url(record, user)
            assert address is None or address.startswith("/")
        if kind.document is not None:
            document = kind.document(record)
            assert document is None or document.title


def test_the_api_is_described_and_its_lists_go_page_by_page(app, plugin):
    spec = app.test_client().get("/api/v1/openapi.json").json
    for rule in own_routes(app, plugin):
        if not rule.endpoint.startswith(f"{plugin}_api."):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        assert path in spec["paths"], path
        said = spec["paths"][path].get("get")
        if said and not rule.arguments:
            names = {
                one.get("name")
                for one in said.get("parameters", [])
                if isinstance(one, dict)
            }
            assert "limit" in names, f"{path} has no limit"
        refused = app.test_client().get(_address(app, rule))
        if refused.status_code >= 400:
            assert refused.content_type == "application/problem+json"


def test_api_routes_are_declared_as_such(make_app, plugin):
    app = make_app()
    for blueprint in _asked(module_of(plugin), "register_blueprints"):
        in_api = isinstance(blueprint, ApiBlueprint)
        assert in_api == blueprint.name.endswith("_api")
    assert declared(app, "register_blueprints")
    assert SLICES


_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>", re.DOTALL)


def test_every_word_of_a_template_is_marked_for_translation(plugin):
    folder = folder_of(plugin) / "templates"
    for path in folder.rglob("*.html") if folder.is_dir() else []:
        text = re.sub(
            r"\{%-?\s*trans.*?endtrans\s*-?%\}", "", path.read_text(), flags=re.S
        )
        bare = _TAG.sub(" ", _JINJA.sub("", text))
        bare = re.sub(r"&\w+;", " ", bare)
        words = re.findall(r"[A-Za-zÀ-ÿ]{3,}", bare)
        assert not words, f"{path.name}: {words[:5]}"


def test_pages_extend_the_base_of_the_house(plugin):
    folder = folder_of(plugin) / "templates"
    for path in folder.rglob("*.html") if folder.is_dir() else []:
        extended = re.findall(r"\{%-?\s*extends\s+[\"']([^\"']+)", path.read_text())
        for base in extended:
            assert base.startswith(("core/", f"{plugin}/")), path.name
