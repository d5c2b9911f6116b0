"""The contract as a report: a pytest plugin that notes, and what reads its notes."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.testing.contract.points import POINTS

VARIABLE, TARGET = "RAPPORT_CONTRACT_PLUGIN", "RAPPORT_CONTRACT_REPORT"


@dataclass
class PointResult:
    """How a plugin does on one of the fourteen points."""

    number: int
    title: str
    ok: bool
    wrong: list[str] = field(default_factory=list)
    advice: str = ""


def check_plugin(name: str) -> list[PointResult]:
    """Run the contract for one installed plugin, in a process of its own.

    Raises `RuntimeError` when the contract itself could not be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "core.testing.contract.report", "-c", os.devnull]
        command += [f"--rootdir={folder}", "--pyargs", "core.testing.contract"]
        # On SQLite, which every machine has; `pytest --pyargs` runs both databases.
        ran = subprocess.run(
            [*command, "-k", "not postgresql"],
            env=_environment() | {VARIABLE: name, TARGET: str(target)},
            capture_output=True,
            text=True,
        )
        if not target.exists():
            raise RuntimeError(f"the contract did not run:\n{ran.stdout}{ran.stderr}")
        notes: dict[str, list[str]] = json.loads(target.read_text("utf-8"))
    if not notes:
        raise RuntimeError(f"the contract found nothing to check:\n{ran.stdout}")
    return [_result(number, notes) for number in POINTS]


def _environment() -> dict[str, str]:
    """Leave out this installation's own settings: the contract makes its own."""
    kept = {"RAPPORT_DEMO_TEMPLATE"}
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RAPPORT_") or name in kept
    }


def _result(number: int, notes: dict[str, list[str]]) -> PointResult:
    title, advice = POINTS[number]
    wrong = notes.get(str(number))
    if wrong is None:
        return PointResult(number, title, False, ["it was not checked"], advice)
    return PointResult(number, title, not wrong, wrong, "" if not wrong else advice)


# -- Inside that process: hooks of pytest ------------------------------------------

_notes: dict[str, list[str]] = {}


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the tests of the plugin that is asked about."""
    name = os.environ.get(VARIABLE)
    if name is not None:
        kept = [one for one in items if one.callspec.params.get("plugin") == name]
        config.hook.pytest_deselected(items=[one for one in items if one not in kept])
        items[:] = kept


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any) -> Any:
    """Note what each test found, by its point."""
    outcome = yield
    report = outcome.get_result()
    notes = _notes.setdefault(str(item.function.point), [])
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = crash.message if crash else str(report.longrepr)
        said = said.removeprefix("AssertionError: ")
        notes += [one for one in said.splitlines()[:8] if one.strip()]


def pytest_sessionfinish() -> None:
    """Write the notes where they were asked for."""
    if TARGET in os.environ:
        Path(os.environ[TARGET]).write_text(json.dumps(_notes), "utf-8")
