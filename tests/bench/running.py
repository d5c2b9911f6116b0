"""The processes of the benchmark: databases, servers, a worker, an import."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, perf_counter, sleep
from urllib.error import URLError
from urllib.request import urlopen

from core.testing.server import environment, free_port
from tests.bench.asking import Browser

PROCESSES, THREADS = 2, 16
START_SECONDS = 60


@contextmanager
def served(what: str, instance: Path, database_url: str) -> Iterator["Served"]:
    """Serve `floor` or `rapport` with two processes, as an installation would."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", f"tests.bench.serving:{what}()"),
        *("--workers", str(PROCESSES), "--threads", str(THREADS)),
        *("--worker-class", "gthread", "--keep-alive", "60"),
        *("--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        "--no-control-socket",
    ]
    with _running(command, instance, database_url) as child:
        url = f"http://127.0.0.1:{port}"
        path = "/" if what == "floor" else "/healthz"
        end = monotonic() + START_SECONDS
        while True:
            try:
                with urlopen(url + path, timeout=1):
                    break
            except (URLError, OSError):
                if child.poll() is not None or monotonic() > end:
                    raise RuntimeError(f"{what} did not start") from None
                sleep(0.1)
        yield Served(url, child.pid)


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    pid: int

    def memory(self) -> float:
        """Give the peak of the largest of its processes, in megabytes."""
        found = [0.0]
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(
                    line.split(":", 1) for line in status.read_text().splitlines()
                )
            except OSError:
                continue
            if int(lines["PPid"]) == self.pid and "VmHWM" in lines:
                found.append(int(lines["VmHWM"].split()[0]) / 1024)
        return max(found)


@contextmanager
def working(instance: Path, database_url: str) -> Iterator[None]:
    """Keep a worker running."""
    command = [sys.executable, "-m", "core", "worker"]
    with _running(command, instance, database_url):
        yield


@contextmanager
def _running(
    command: list[str], instance: Path, database_url: str
) -> Iterator["subprocess.Popen[bytes]"]:
    with (instance / "bench.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            env=_environment(instance, database_url),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _environment(instance: Path, database_url: str) -> dict[str, str]:
    # Nobody browses as fast as this does.
    no_limit = {"RAPPORT_RATE_LIMIT": "10000000 per minute"}
    return environment(instance, database_url) | no_limit


@dataclass
class Imported:
    """What an import cost, and how long other people's notes took meanwhile."""

    rows: int
    cpu_seconds: float
    megabytes: float
    seconds: float
    notes: list[float] = field(default_factory=list)


def bring_in(
    instance: Path, database_url: str, file: Path, rows: int, browser: Browser
) -> Imported:
    """Run `rapport import` in a process of its own while somebody else writes."""
    began = perf_counter()
    command = [sys.executable, "-m", "core", "import", "contacts", str(file)]
    notes: list[float] = []
    over = threading.Event()
    writer = threading.Thread(target=_write_notes, args=(browser, notes, over))
    with (instance / "import.log").open("wb") as log:
        child = subprocess.Popen(
            [*command, "--as", "helena@bench.example", "--quiet"],
            env=_environment(instance, database_url),
            stdout=log,
            stderr=log,
        )
    writer.start()
    _pid, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    over.set()
    writer.join()
    if child.returncode:
        raise RuntimeError((instance / "import.log").read_text())
    cpu = used.ru_utime + used.ru_stime
    spent = perf_counter() - began
    return Imported(rows, cpu, used.ru_maxrss / 1024, spent, notes)


def _write_notes(browser: Browser, notes: list[float], over: threading.Event) -> None:
    while not over.wait(0.1):
        form: dict[str, object] = {"contacts": 2 + len(notes), "audience": "staff"}
        began = perf_counter()
        status, _answer, body = browser.post(
            "/interactions", {**form, "body": "Called while the file came in."}
        )
        if status >= 400:
            raise RuntimeError(f"a note was refused with {status}: {body[:300]!r}")
        notes.append(perf_counter() - began)
