"""A real server for tests: `rapport run` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError

START_SECONDS = 30


@dataclass
class LiveServer:
    """A running installation; `url` has no slash at its end."""

    url: str
    instance: Path
    database_url: str
    child: subprocess.Popen[bytes]

    def sign_in(self, page: Any, email: str, password: str) -> None:
        """Sign in as a person does: by the form."""
        page.goto(f"{self.url}/sign-in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", password)
        page.click("main button[type=submit], form button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def kill(self) -> None:
        """End every process of the installation at once, as a power cut does."""
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(10)


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def environment(instance: Path, database_url: str) -> dict[str, str]:
    """Give the environment of a `rapport` process of this installation."""
    return os.environ | {
        "RAPPORT_INSTANCE": str(instance),
        "RAPPORT_DATABASE_URL": database_url,
        "RAPPORT_SECRET_KEY": "test",
        "RAPPORT_RATE_LIMIT": "100000 per minute",
        # As for applications of tests; what a test put there before stays.
        "RAPPORT_MAIL_PORTAL_HOLD_SECONDS": os.environ.get(
            "RAPPORT_MAIL_PORTAL_HOLD_SECONDS", "0"
        ),
    }


@contextmanager
def live_server(
    instance: Path, database_url: str, *options: str, word_lists: str = ""
) -> Iterator[LiveServer]:
    """Run `rapport run` until the block ends; the database must be migrated.

    It ends as by a power cut: what a graceful end would wait for, no test reads.
    """
    port = free_port()
    log = instance / "server.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "core", "run", "--port", str(port), *options],
            env=environment(instance, database_url)
            | {"RAPPORT_SEARCH_LEMMAS": word_lists},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = LiveServer(f"http://127.0.0.1:{port}", instance, database_url, child)
    try:
        _wait_for(server.url, child, log)
        yield server
    finally:
        if child.poll() is None:
            server.kill()


def _wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    end = monotonic() + START_SECONDS
    while monotonic() < end:
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):  # noqa: S310 - our own server
                return
        except (URLError, OSError):
            sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")
