"""Many open pages on one small server: what they cost at rest, how soon they hear."""

import os
import selectors
import socket
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit

from core.testing.server import live_server
from tests.bench.asking import Browser

PAGES = 200
# Seconds to come to rest, at rest, and the longest that a note may take to be heard of.
SETTLE, REST, PATIENCE = 10.0, 30.0, 10.0
NOTES = 10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class OpenPages:
    """What so many open pages cost and heard: a share of one core, and seconds."""

    pages: int
    idle: float
    heard: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Half of the pages heard of a note within so long, in seconds."""
        return statistics.median(self.heard)


def hold_open(
    instance: Path, database_url: str, email: str, password: str
) -> OpenPages:
    """Serve with `rapport run`, hold pages open, and write notes beside them.

    Raises `RuntimeError` when a page is refused a stream or does not hear of a note.
    """
    with live_server(instance, database_url) as server:
        # Each in a browser of its own: a browser shares one stream between its pages.
        streams = []
        for _page in range(PAGES):
            browser = Browser(server.url)
            browser.sign_in(email, password)
            streams.append(_open(browser))
            browser.close()
        sleep(SETTLE)
        before, began = _spent(server.child), perf_counter()
        sleep(REST)
        idle = (_spent(server.child) - before) / (perf_counter() - began)
        found = OpenPages(PAGES, idle)
        for _turn in range(NOTES):
            _drain(streams)
            found.heard += _hear(browser, streams)
        for one in streams:
            one.close()
        return found


def _open(browser: Browser) -> socket.socket:
    parts = urlsplit(browser.url)
    stream = socket.create_connection((parts.hostname or "", parts.port or 80))
    cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    stream.sendall(
        f"GET /live HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\n"
        "Accept: text/event-stream\r\n\r\n".encode()
    )
    stream.settimeout(PATIENCE)
    got = b""
    while b"event: hello" not in got:
        more = stream.recv(4096)
        got += more
        if not more or b"HTTP/1.1 429" in got:
            raise RuntimeError(f"a page was refused its stream: {got[:200]!r}")
    stream.setblocking(False)
    return stream


def _drain(streams: list[socket.socket]) -> None:
    sleep(2)
    for one in streams:
        try:
            while one.recv(65536):
                continue
        except BlockingIOError:
            continue


def _hear(browser: Browser, streams: list[socket.socket]) -> list[float]:
    """Write a note; give after how many seconds each page heard of it."""
    waiting = selectors.DefaultSelector()
    for one in streams:
        waiting.register(one, selectors.EVENT_READ)
    # It was kept longer than the server keeps one that rests.
    browser.close()
    form = {"contacts": 2, "audience": "staff", "body": "Rang back about the pallets."}
    began = perf_counter()
    status, _answer, body = browser.post("/interactions", form)
    if status >= 400:
        raise RuntimeError(f"a note was refused with {status}: {body[:300]!r}")
    heard: list[float] = []
    while len(heard) < len(streams):
        ready = waiting.select(timeout=PATIENCE)
        if not ready:
            raise RuntimeError(f"only {len(heard)} of {len(streams)} pages heard")
        for key, _events in ready:
            stream = key.fileobj
            if not isinstance(stream, socket.socket):
                continue
            if b"event: change" in stream.recv(65536):
                heard.append(perf_counter() - began)
                waiting.unregister(stream)
    return heard


def _spent(child: "subprocess.Popen[bytes]") -> float:
    """Give the seconds of processor that a server and its children have had."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        rest = text.rpartition(")")[2].split()
        # In proc(5): process group 5th, user and system time 14th and 15th.
        if int(rest[2]) == child.pid:
            total += int(rest[11]) + int(rest[12])
    return total / TICKS
