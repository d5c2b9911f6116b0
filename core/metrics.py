"""What /metrics tells Prometheus.

The queue is counted in the database and is the same from every process. Requests are
those of the process that answers, or of all where PROMETHEUS_MULTIPROC_DIR is set;
plugins' hooks are always those of the process that answers.
"""

import os
from collections.abc import Iterator

import sqlalchemy as sa
from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import __version__
from core.answering import SHARED, RequestNumbers
from core.db import db, now
from core.events import Delivery, Event
from core.jobs import JobRun
from core.observing import plugin_health


class _Queue(Collector):
    """What waits, counted in the database when it is asked for."""

    def collect(self) -> Iterator[Metric]:
        """Count."""
        session = db.session
        parked, waiting = Delivery.parked_at.is_not(None), Delivery.parked_at.is_(None)
        row = session.execute(
            sa.select(
                sa.func.count().filter(waiting).label("waiting"),
                sa.func.count().filter(parked).label("parked"),
                sa.func.min(Event.time).filter(waiting).label("oldest"),
            )
            .select_from(Delivery)
            .join(Event, Event.id == Delivery.event_id)
        ).one()
        lag = max((now() - row.oldest).total_seconds(), 0) if row.oldest else 0
        yield _gauge("deliveries_waiting", "Deliveries not yet made", row.waiting)
        yield _gauge("deliveries_parked", "Deliveries given up", row.parked)
        yield _gauge("worker_lag_seconds", "Age of the oldest waiting delivery", lag)
        last = session.scalar(sa.select(sa.func.max(Event.id))) or 0
        yield _counter("events", "Events there have been", last)
        beat = session.get(JobRun, "worker")
        if beat is not None and beat.last_run is not None:
            silent = (now() - beat.last_run).total_seconds()
            yield _gauge("worker_silent_seconds", "Since a worker's last sign", silent)
        failing = session.scalar(
            sa.select(sa.func.count(JobRun.error)).where(JobRun.error.is_not(None))
        )
        yield _gauge("jobs_failing", "Jobs whose last run failed", failing or 0)


class _Plugins(Collector):
    """How this process's plugins do."""

    def __init__(self, app: Flask) -> None:
        """Tell of the plugins of `app`."""
        self.app = app

    def collect(self) -> Iterator[Metric]:
        """Sum up."""
        labels = ("plugin", "hook")
        calls = CounterMetricFamily("rapport_hook_calls", "Hook calls", labels=labels)
        seconds = CounterMetricFamily(
            "rapport_hook_seconds", "Time in hooks", labels=labels
        )
        failures = CounterMetricFamily(
            "rapport_plugin_failures", "Failures contained", labels=labels
        )
        for plugin, health in plugin_health(self.app).items():
            for hook, times in health.hooks.items():
                if times.calls:
                    calls.add_metric([plugin, hook], times.calls)
                    seconds.add_metric([plugin, hook], times.milliseconds / 1000)
                if times.failures:
                    failures.add_metric([plugin, hook], times.failures)
        yield from (calls, seconds, failures)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rapport_{name}", words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(f"rapport_{name}", words, value=value)


class _About(Collector):
    def collect(self) -> Iterator[Metric]:
        """Name the version."""
        about = GaugeMetricFamily("rapport_info", "This version", labels=("version",))
        about.add_metric([__version__], 1)
        yield about


def write_metrics(app: Flask) -> bytes:
    """Write all numbers in Prometheus' text format."""
    requests: RequestNumbers = app.extensions["rapport_requests"]
    registry = CollectorRegistry()
    registry.register(_About())
    registry.register(_Queue())
    if SHARED not in os.environ:
        registry.register(_Plugins(app))
    return generate_latest(registry) + generate_latest(requests.whole())
