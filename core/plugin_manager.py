"""Find the installed plugins, register them, and call their hooks.

The manager belongs to one application: two applications with different plugins live
in one process.
"""

import logging
import operator
import os
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy
from flask import Flask, current_app

from core import hookspecs
from core.pages import Failure

GROUP = "rapport.plugins"
SLICES = ("core.users", "core.contacts", "core.interactions", "core.admin")

log = logging.getLogger("rapport.plugins")


class PluginError(RuntimeError):
    """A plugin cannot be loaded; the message names it and says what to do."""


def installed_plugins() -> list[EntryPoint]:
    """List the entry points of all installed plugins, by name."""
    return sorted(entry_points(group=GROUP), key=operator.attrgetter("name"))


def create_plugin_manager(
    disabled: Iterable[str] = (), extra: Iterable[tuple[str, Any]] = ()
) -> pluggy.PluginManager:
    """Register core's own slices, then every installed plugin not in `disabled`.

    `extra` are (name, module) pairs that tests add. Raises `PluginError` for a plugin
    that cannot be imported or implements a hook that does not exist.
    """
    pm = pluggy.PluginManager("rapport")
    pm.add_hookspecs(hookspecs)
    for name in SLICES:
        module = __import__(f"{name}.plugin", fromlist=["plugin"])
        _register(pm, name, module)
    for point in installed_plugins():
        if point.name not in set(disabled):
            _register(pm, point.name, _load(point))
    for name, module in extra:
        _register(pm, name, module)
    return pm


def _load(point: EntryPoint) -> ModuleType:
    try:
        module: ModuleType = point.load()
    except Exception as error:
        raise PluginError(
            f"plugin {point.name!r} cannot be imported ({error!r}): mend or remove it, "
            f"or switch it off with PLUGINS_DISABLED = ['{point.name}']"
        ) from error
    return module


def _register(pm: pluggy.PluginManager, name: str, module: object) -> None:
    try:
        pm.register(module, name=name)
        pm.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            f"plugin {name!r} implements a hook that core does not have: {error}. "
            "Compare the name and arguments with docs/hooks.md."
        ) from error


def plugin_names(app: Flask) -> list[str]:
    """Name the plugins that are on, without core's own slices."""
    pm: pluggy.PluginManager = app.extensions["rapport_pm"]
    return sorted(name for name, _ in pm.list_name_plugin() if name not in SLICES)


def answers(app: Flask, hook: str, /, **arguments: Any) -> Iterator[tuple[str, Any]]:
    """Ask `hook` of every plugin in order; what one raises names it and goes on up."""
    for name, answer in _asked(app, hook, arguments):
        try:
            yield name, answer()
        except Exception as error:
            raise PluginError(
                f"plugin {name!r} failed in {hook}: {error!r}. Mend it, or switch it "
                f"off with PLUGINS_DISABLED = ['{name}']."
            ) from error


def declared(app: Flask, hook: str) -> list[Any]:
    """Collect the lists that a `register_*` hook returns, in plugin order."""
    found: list[Any] = []
    for name, answer in answers(app, hook):
        if not isinstance(answer, list | tuple):
            raise PluginError(f"plugin {name!r}: {hook} must return a list")
        found.extend(answer)
    return found


def contributions(hook: str, /, **arguments: Any) -> list[Any]:
    """Collect what plugins put on a page; a failing one becomes a `Failure` line.

    In tests and debug what it raises goes on up; in production it is logged, and
    the page stands.
    """
    app = current_app
    found: list[Any] = []
    for name, answer in _asked(app, hook, arguments):
        try:
            found.extend(answer() or [])
        except Exception:
            if app.testing or app.debug:
                raise
            log.exception("plugin %s failed in %s", name, hook)
            found.append(Failure(name, name))
    return found


def _asked(
    app: Flask, hook: str, arguments: dict[str, Any]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    pm: pluggy.PluginManager = app.extensions["rapport_pm"]
    caller = getattr(pm.hook, hook)
    # pluggy calls the plugin registered last first and stops at the first exception;
    # asking one plugin at a time keeps the order and lets us name who failed.
    for implementation in caller.get_hookimpls():
        taken = {key: arguments[key] for key in implementation.argnames}
        yield implementation.plugin_name, _call(implementation, taken)


def _call(implementation: pluggy.HookImpl, taken: dict[str, Any]) -> Callable[[], Any]:
    def call() -> object:
        result = implementation.function(**taken)
        if os.environ.get("RAPPORT_TRACE_HOOKS") == "1":
            hook = implementation.function.__name__
            log.warning("%s.%s -> %r", implementation.plugin_name, hook, result)
        return result

    return call
