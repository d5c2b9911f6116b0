"""Find the installed plugins, register them, and call their hooks.

The manager belongs to one application: two applications with different plugins live
in one process.
"""

import logging
import operator
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy
from flask import Flask, current_app, g
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core import hookspecs
from core._version import __version__
from core.db import Record, db
from core.errors import WrongConfiguration
from core.logs import FACTS
from core.observing import observer
from core.pages import (
    Action,
    Column,
    DayItem,
    Failure,
    MenuItem,
    PaletteItem,
    Panel,
)
from core.tracing import traced

GROUP = "rapport.plugins"
DISTRIBUTION = "rapport-crm"
SLICES = (
    "core.users",
    "core.contacts",
    "core.contacts.merging",
    "core.interactions",
    "core.mail",
    "core.notifications",
    "core.presence",
    "core.undo",
    "core.importing",
    "core.admin",
)

# What each page hook returns a list of.
ITEMS: dict[str, type] = {
    "menu_items": MenuItem,
    "record_panels": Panel,
    "record_actions": Action,
    "day_items": DayItem,
    "palette_items": PaletteItem,
    "palette_results": dict,
    "contact_columns": Column,
    "open_records": Record,
}

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
            _refuse_other_versions(point)
            _register(pm, point.name, _load(point))
    for name, module in extra:
        _register(pm, name, module)
    return pm


def _refuse_other_versions(point: EntryPoint) -> None:
    """Refuse a plugin whose distribution asks for another Rapport than this."""
    for line in (point.dist.requires if point.dist else None) or []:
        wanted = Requirement(line)
        if canonicalize_name(wanted.name) == DISTRIBUTION and not (
            wanted.specifier.contains(__version__, prereleases=True)
        ):
            raise PluginError(
                f"plugin {point.name!r} needs Rapport {wanted.specifier}, and this is "
                f"{__version__}: install a version of it that fits, or switch it off "
                f"with PLUGINS_DISABLED = ['{point.name}']"
            )


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
        said = " ".join(str(error).split()).rstrip(".")
        raise PluginError(
            f"plugin {name!r} implements a hook that core does not have: {said}. "
            "Compare the name and arguments with docs/hooks.md."
        ) from error
    except ValueError as error:
        raise PluginError(
            f"there are two plugins {name!r}: remove or rename one of them"
        ) from error
    for caller in pm.get_hookcallers(module) or []:
        for one in caller.get_hookimpls():
            if one.plugin is module and (one.hookwrapper or one.wrapper):
                raise PluginError(
                    f"plugin {name!r} wraps {caller.name}: hooks add to what others "
                    "answer and do not change it"
                )


def plugin_names(app: Flask) -> list[str]:
    """Name the plugins that are on, without core's own slices."""
    pm: pluggy.PluginManager = app.extensions["rapport_pm"]
    return sorted(name for name, _ in pm.list_name_plugin() if name not in SLICES)


def answers(app: Flask, hook: str, /, **arguments: Any) -> Iterator[tuple[str, Any]]:
    """Ask `hook` of every plugin in order; what one raises names it and goes on up."""
    for name, answer in _asked(app, hook, arguments):
        try:
            yield name, answer()
        except WrongConfiguration:
            raise
        except Exception as error:
            raise PluginError(
                f"plugin {name!r} failed in {hook}: {error!r}. Mend it, or switch it "
                f"off with PLUGINS_DISABLED = ['{name}']."
            ) from error


def declared(app: Flask, hook: str, kind: type = object) -> list[tuple[str, Any]]:
    """Collect what a `register_*` hook returns: each `kind` with its plugin's name."""
    found: list[tuple[str, Any]] = []
    for name, answer in answers(app, hook):
        try:
            found.extend((name, one) for one in _checked(answer, kind))
        except TypeError as error:
            raise PluginError(f"plugin {name!r}: {hook} {error}") from error
    return found


def named(app: Flask, hook: str, kind: type) -> dict[str, Any]:
    """Collect declarations by their name; raises `PluginError` when two share it."""
    found: dict[str, tuple[str, Any]] = {}
    for plugin, one in declared(app, hook, kind):
        if one.name in found:
            first, _other = found[one.name]
            raise PluginError(
                f"plugins {first!r} and {plugin!r} both declare {one.name!r} in "
                f"{hook}: one must rename its own"
            )
        found[one.name] = plugin, one
    owners = app.extensions.setdefault("rapport_owners", {})
    owners.update({(hook, name): plugin for name, (plugin, _one) in found.items()})
    return {name: one for name, (_plugin, one) in found.items()}


def _checked(answer: object, kind: type) -> list[Any]:
    if not isinstance(answer, list | tuple):
        raise TypeError(f"must return a list, not {answer!r}")
    for one in answer:
        if not isinstance(one, kind):
            raise TypeError(f"returned {one!r}, which is no {kind.__name__}")
    return list(answer)


def contributions(hook: str, /, **arguments: Any) -> list[Any]:
    """Collect what plugins put on a page; a failing one becomes a `Failure` line.

    In tests and debug what it raises goes on up; in production it is logged, and
    the page stands.
    """
    found: list[Any] = []
    for name, answer in _asked(current_app, hook, arguments):
        with contained(name, hook) as failure:
            items = _checked(answer(), ITEMS[hook])
            for one in items:
                # Lazy words are asked for here, where one that fails is contained.
                str(getattr(one, "title", ""))
                _makers()[id(one)] = name, one
            found.extend(items)
        found.extend(failure)
    return found


@contextmanager
def contained(plugin: str, hook: str, *, alone: bool = True) -> Iterator[list[Failure]]:
    """Keep what a plugin raises in the block from its page; then gives a `Failure`.

    It is logged and counted, and what it did to the transaction is undone unless it is
    not `alone` in it. In tests and debug it goes on up.
    """
    failure: list[Failure] = []
    try:
        with db.contained() if alone else nullcontext():
            yield failure
    except Exception as error:
        if current_app.testing or current_app.debug:
            raise
        report_failure(plugin, hook, error)
        failure.append(Failure(plugin, plugin))


def report_failure(plugin: str, hook: str, error: BaseException, **facts: Any) -> None:
    """Log and count that a part of a plugin failed; `facts` hold no personal data."""
    told = {"plugin": plugin, "hook": hook, **facts}
    log.error(
        "plugin %s failed in %s", plugin, hook, exc_info=error, extra={FACTS: told}
    )
    observer(current_app).failed(plugin, hook, error)


def _makers() -> dict[int, tuple[str, object]]:
    # By identity, since items hold dictionaries; the item is kept, so that no other
    # can have its identity while this request lasts.
    found: dict[int, tuple[str, object]] = g.setdefault("rapport_makers", {})
    return found


def plugin_of(item: object) -> str:
    """Name the plugin that contributed `item` to this page."""
    return _makers().get(id(item), ("core", item))[0]


def declared_by(app: Flask, hook: str, name: str) -> str:
    """Name the plugin that declared `name` in a `register_*` hook."""
    owners: dict[tuple[str, str], str] = app.extensions["rapport_owners"]
    return owners.get((hook, name), "core")


def _asked(
    app: Flask, hook: str, arguments: dict[str, Any]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    pm: pluggy.PluginManager = app.extensions["rapport_pm"]
    caller = getattr(pm.hook, hook)
    # pluggy calls the plugin registered last first and stops at the first exception;
    # asking one plugin at a time keeps the order and lets us name who failed.
    for implementation in caller.get_hookimpls():
        taken = {key: arguments[key] for key in implementation.argnames}
        yield implementation.plugin_name, _call(app, hook, implementation, taken)


def _call(
    app: Flask, hook: str, implementation: pluggy.HookImpl, taken: dict[str, Any]
) -> Callable[[], Any]:
    plugin = implementation.plugin_name

    def call() -> object:
        with observer(app).timing(plugin, hook):
            return implementation.function(**taken)

    if os.environ.get("RAPPORT_TRACE_HOOKS") == "1":
        return lambda: traced(plugin, hook, taken, call)
    return call
