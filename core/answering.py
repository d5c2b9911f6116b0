"""Each request, counted and told in one line of the log."""

import logging
import os
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from core.events import actor
from core.logs import FACTS

log = logging.getLogger("rapport.requests")

# Nobody reads a line for every style sheet.
QUIET = {"assets", "core.healthz", "core.readyz"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Set, prometheus-client keeps its numbers in this folder for all processes together.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


class RequestNumbers:
    """How many requests there were by route and status, and how long they took."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.registry = CollectorRegistry()
        self.count = Counter(
            "rapport_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "rapport_request_seconds",
            "Time until the answer was ready",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.statements = Counter(
            "rapport_request_statements",
            "Statements sent to the database for requests",
            ("method", "route"),
            registry=self.registry,
        )

    def whole(self) -> CollectorRegistry:
        """Give this process's numbers, or those of all when they share a folder."""
        if SHARED not in os.environ:
            return self.registry
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return shared


def init_requests(app: Flask) -> None:
    """Count the requests of `app`."""
    app.extensions["rapport_requests"] = RequestNumbers()


def begin_request() -> float:
    """Start the clock of a request."""
    return perf_counter()


def note_request(app: Flask, response: Response, started: float) -> None:
    """Count a request that was answered, and tell it in one line.

    Its rule is told and not its address: that may hold what somebody searched for.
    """
    seconds = perf_counter() - started
    rule = request.url_rule.rule if request.url_rule else "-"
    method = request.method if request.url_rule else "-"
    statements = g.get("rapport_statements", 0)
    numbers: RequestNumbers = app.extensions["rapport_requests"]
    numbers.count.labels(method, rule, response.status_code).inc()
    numbers.seconds.labels(method, rule).observe(seconds)
    numbers.statements.labels(method, rule).inc(statements)
    if request.endpoint in QUIET and response.status_code < 400:
        return
    facts: dict[str, Any] = {
        "method": method,
        "route": rule,
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "statements": statements,
        "user": actor(),
        "request": g.get("request_id"),
    }
    log.info("request", extra={FACTS: facts})
