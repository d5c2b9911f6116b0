"""What this process saw of its plugins: how long each hook took, and what failed.

Kept in memory, so the numbers are those of one process, since it started; another
process, such as the worker, has its own.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from flask import Flask

from core.columns import now

# How many of a plugin's last errors are kept, and how much of each.
KEPT, LENGTH = 3, 200


@dataclass
class HookTimes:
    """How often a hook of a plugin was asked, and how long that took."""

    calls: int = 0
    milliseconds: float = 0.0
    slowest: float = 0.0
    failures: int = 0


@dataclass
class Health:
    """How a plugin does in this process; `errors` are (time, hook, text), last first.

    Times are in milliseconds. `hooks` has the same numbers hook by hook.
    """

    calls: int = 0
    milliseconds: float = 0.0
    slowest: float = 0.0
    failures: int = 0
    errors: list[tuple[datetime, str, str]] = field(default_factory=list)
    hooks: dict[str, HookTimes] = field(default_factory=dict)


class Observer:
    """Counts for one application; any thread may tell it something."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._times: dict[tuple[str, str], HookTimes] = {}
        self._errors: dict[str, deque[tuple[datetime, str, str]]] = {}

    @contextmanager
    def timing(self, plugin: str, hook: str) -> Iterator[None]:
        """Measure one call of a plugin's hook."""
        started = perf_counter()
        try:
            yield
        finally:
            took = (perf_counter() - started) * 1000
            with self._lock:
                times = self._times.setdefault((plugin, hook), HookTimes())
                times.calls += 1
                times.milliseconds += took
                times.slowest = max(times.slowest, took)

    def failed(self, plugin: str, hook: str, error: BaseException) -> None:
        """Note that a part of a plugin failed; the text is for administrators."""
        # The message may hold what somebody typed: kept short, in memory, never logged.
        text = f"{type(error).__name__}: {error}"[:LENGTH]
        with self._lock:
            times = self._times.setdefault((plugin, hook), HookTimes())
            times.failures += 1
            kept = self._errors.setdefault(plugin, deque(maxlen=KEPT))
            kept.appendleft((now(), hook, text))

    def health(self) -> dict[str, Health]:
        """Sum up per plugin."""
        found: dict[str, Health] = {}
        with self._lock:
            for (plugin, hook), one in sorted(self._times.items()):
                health = found.setdefault(plugin, Health())
                health.calls += one.calls
                health.milliseconds += one.milliseconds
                health.slowest = max(health.slowest, one.slowest)
                health.failures += one.failures
                health.hooks[hook] = HookTimes(**vars(one))
            for plugin, errors in self._errors.items():
                found[plugin].errors = list(errors)
        return found


def observer(app: Flask) -> Observer:
    """Give the observer of an application."""
    found: Observer | None = app.extensions.get("rapport_observer")
    if found is None:
        found = app.extensions["rapport_observer"] = Observer()
    return found


def plugin_health(app: Flask) -> dict[str, Health]:
    """Tell how every plugin that was asked anything does in this process."""
    return observer(app).health()
