"""Points 2, 3, 4, 6 and 9: what the code says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core import hookspecs
from core.db import Model
from core.permissions import door_of
from core.testing.contract.looking import (
    asked,
    folder_of,
    module_of,
    own_models,
    package_of,
    sources,
    templates,
)
from core.testing.contract.points import nothing_wrong, point

pytest_plugins = ["core.testing.fixtures", "core.testing.contract.fixtures"]

PRIVATE = {
    "core.admin",
    "core.app",
    "core.cli",
    "core.command",
    "core.config",
    "core.ddl",
    "core.export_cli",
    "core.exporting",
    "core.live",
    "core.migrate",
    "core.plugin_cli",
    "core.plugin_life",
    "core.plugin_manager",
    "core.revisions",
    "core.serve",
    "core.upkeep",
    "core.worker",
    "core.wsgi",
}
_CAN = re.compile(r"\bcan\(\s*[\"']([a-z_]+:[a-z_]+)[\"']")


@point(2)
def test_the_front_door_holds_hook_implementations_and_nothing_else(plugin):
    module = module_of(plugin)
    known = {name for name in vars(hookspecs) if not name.startswith("_")}
    wrong = []
    path = Path(module.__file__)
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        name = getattr(node, "name", "")
        found = getattr(getattr(module, name, None), "rapport_impl", None)
        if found is None:
            wrong.append(f"plugin.py, line {node.lineno}: no hook implementation")
        elif name not in known and not found["optionalhook"]:
            wrong.append(f"core has no hook {name}")
    nothing_wrong(wrong)


@point(3)
def test_a_plugin_imports_itself_and_the_public_modules_of_core(plugin):
    package = package_of(plugin)
    wrong = []
    for path, tree in sources(plugin):
        for name in _imports(tree):
            private = any(name == one or name.startswith(f"{one}.") for one in PRIVATE)
            other = name.startswith("plugins.") and not f"{name}.".startswith(
                f"{package}."
            )
            if private or other or re.fullmatch(r"core\.\w+\.views(\..*)?", name):
                wrong.append(f"{path.name} imports {name}")
    nothing_wrong(wrong)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


# Hooks whose declarations have a name, and how it begins with the plugin's.
_NAMED = {
    "register_permissions": ":",
    "register_event_types": ".",
    "register_subscribers": ".",
    "register_jobs": ".",
    "register_checks": ".",
    "register_commands": "-",
}


@point(4)
def test_one_name_runs_through_everything(plugin):
    wrong = [
        f"the table {model.__table__} does not begin with {plugin}_"
        for model in own_models(plugin)
        if not str(model.__table__).startswith(f"{plugin}_")
    ]
    wrong += [
        f"the blueprint {one.name} is not {plugin} or {plugin}_api"
        for one in asked(plugin, "register_blueprints")
        if one.name not in {plugin, f"{plugin}_api"}
    ]
    for hook, mark in _NAMED.items():
        wrong += [
            f"{hook}: {one.name} does not begin with {plugin}{mark}"
            for one in asked(plugin, hook)
            if one.name.replace("_", "-" if mark == "-" else "_").partition(mark)[0]
            != plugin.replace("_", "-" if mark == "-" else "_")
        ]
    folder = folder_of(plugin) / "templates"
    for one in folder.iterdir() if folder.is_dir() else ():
        if one.name != plugin:
            wrong.append(f"templates/{one.name} belongs below templates/{plugin}/")
    nothing_wrong(wrong)


@point(6)
def test_foreign_keys_stay_at_home_or_lead_to_core_with_an_ondelete(plugin):
    module_of(plugin)
    homes = {
        mapper.local_table: mapper.class_.__module__
        for mapper in Model.registry.mappers
    }
    package = package_of(plugin)
    wrong = []
    for model in own_models(plugin):
        for key in model.__table__.foreign_keys:
            other = key.column.table
            home = homes.get(other, package if other in homes else "")
            if home.startswith(f"{package}.") or other.name.startswith(f"{plugin}_"):
                continue
            if not home.startswith("core."):
                wrong.append(f"{key.parent} points to {other.name}, not core's")
            elif not key.ondelete and other.name != "audience":
                wrong.append(f"{key.parent} does not say ondelete")
    nothing_wrong(wrong)


@point(9)
def test_the_readme_names_what_the_plugin_declares(make_app, plugin):
    app = make_app()
    path = folder_of(plugin) / "README.md"
    text = path.read_text("utf-8") if path.exists() else ""
    names = [one.name for one in asked(plugin, "register_permissions")]
    names += [one.name for one in asked(plugin, "register_event_types")]
    schema = app.extensions["rapport_settings"].get(plugin)
    names += list(schema().fields) if schema else []
    nothing_wrong(
        f"README.md does not name `{one}`" for one in names if f"`{one}`" not in text
    )


@point(9)
def test_what_a_plugin_uses_is_declared_and_what_it_declares_is_used(make_app, plugin):
    app = make_app()
    permissions = app.extensions["rapport_permissions"]
    types = app.extensions["rapport_events"].types
    wrong = []
    asking = {
        door.permission.name
        for door in map(door_of, app.view_functions.values())
        if door.permission is not None
    }
    words = [path.read_text("utf-8") for path in templates(plugin)]
    for path, tree in sources(plugin):
        if path.name not in {"permissions.py", "plugin.py"}:
            words.append(path.read_text("utf-8"))
        wrong += [
            f"{path.name} announces {name}, which register_event_types lacks"
            for name in _announced(tree)
            if name not in types
        ]
    for name in _CAN.findall("\n".join(words)):
        if name not in permissions:
            wrong.append(f"can({name!r}): no plugin declares it")
    said = "\n".join(words)
    for name, others in _names_of(plugin, "Permission").items():
        if name not in asking and not _said(said, name, *others):
            wrong.append(f"nothing asks for the permission {name}")
    code = "\n".join(_without_declarations(plugin))
    for name, others in _names_of(plugin, "EventType").items():
        if not _said(code, name, *others):
            wrong.append(f"nothing announces {name}")
    nothing_wrong(wrong)


def _said(text: str, *names: str) -> bool:
    return any(re.search(rf"\b{re.escape(one)}\b", text) for one in names)


def _announced(tree: ast.Module) -> Iterator[str]:
    node: Any
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id == "announce" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _declares(node: Any, kind: str) -> str | None:
    """Give the name in `Permission("name", …)` or `EventType("name", …)`."""
    called = getattr(getattr(node, "func", None), "id", "")
    if called == kind:
        first = next(iter(node.args), None)
        if isinstance(first, ast.Constant):
            return str(first.value)
    return None


def _names_of(plugin: str, kind: str) -> dict[str, list[str]]:
    """Give what is declared, with the constants that stand for it."""
    found: dict[str, list[str]] = {}
    for _path, tree in sources(plugin):
        for node in ast.walk(tree):
            if name := _declares(node, kind):
                found.setdefault(name, [])
            if isinstance(node, ast.Assign) and (name := _declares(node.value, kind)):
                names = [one.id for one in node.targets if isinstance(one, ast.Name)]
                found.setdefault(name, []).extend(names)
    return found


class _Undeclared(ast.NodeTransformer):
    """Takes declarations, imports and `ALL = […]` out of a module."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return ast.Constant(None) if _declares(node, "EventType") else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        declaring = any(_declares(one, "EventType") for one in ast.walk(node.value))
        listing = any(getattr(t, "id", "") in {"ALL", "TYPES"} for t in node.targets)
        if declaring or listing:
            return ast.Pass()
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.Pass()


def _without_declarations(plugin: str) -> Iterator[str]:
    """Give the code in which only what uses an event type still names it."""
    for _path, tree in sources(plugin):
        yield ast.unparse(_Undeclared().visit(tree))
