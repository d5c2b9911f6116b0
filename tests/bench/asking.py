"""Ask a server as a browser does, over kept connections, and note how long it takes."""

import gzip
import re
import socket
import statistics
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

# Answers before the counting begins: caches fill, statements are compiled.
WARM_UP = 20


@dataclass
class Timing:
    """What one page cost: seconds for each answer, and what the server said of them."""

    seconds: list[float] = field(default_factory=list)
    sql: int = 0
    cpu: list[float] = field(default_factory=list)
    sent: int = 0

    @property
    def median(self) -> float:
        """Half of the answers took at most this long, in seconds."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """Of twenty answers nineteen took at most this long, in seconds."""
        return statistics.quantiles(self.seconds, n=20)[-1]


class Browser:
    """One connection that is kept, with the cookies of its user."""

    def __init__(self, url: str) -> None:
        """Connect to the server at `url` when first asked."""
        parts = urlsplit(url)
        self.url = url
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in by the form, and keep the token that forms need."""
        self.token = self._token("/sign-in")
        form = {"email": email, "password": password, "csrf_token": self.token}
        status, _headers, _body = self.post("/sign-in", form)
        if status != 303:
            raise RuntimeError(f"signing in as {email} gave {status}")
        self.token = self._token("/me")

    def _token(self, path: str) -> str:
        _status, answer, body = self.get(path)
        found = re.search(r'name="csrf_token" value="([^"]+)"', text_of(answer, body))
        return found[1] if found else self.token

    def get(
        self, path: str, *, in_place: bool = False
    ) -> tuple[int, HTTPResponse, bytes]:
        """Ask for a page, or as its script does for a part of it `in_place`."""
        return self._ask("GET", path, None, {"HX-Request": "true"} if in_place else {})

    def post(
        self, path: str, form: Mapping[str, object]
    ) -> tuple[int, HTTPResponse, bytes]:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = {"csrf_token": self.token, **form}
        return self._ask("POST", path, urlencode(sent, doseq=True), kind)

    def _sent(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> HTTPResponse:
        if self._connection.sock is None:
            self._connection.connect()
            # Else a small request waits 40 ms for the end of the one before it.
            sock: Any = self._connection.sock
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, HTTPResponse, bytes]:
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        headers = headers | {"Cookie": cookies, "Accept-Encoding": "gzip"}
        try:
            answer = self._sent(method, path, body, headers)
        except RemoteDisconnected:
            # A server hangs up on who was silent for long, and has heard nothing.
            self._connection.close()
            answer = self._sent(method, path, body, headers)
        content = answer.read()
        for header in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer, content


def text_of(answer: HTTPResponse, body: bytes) -> str:
    """Unpack what was sent."""
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return body.decode()


# The status, the answer with its headers, and its body.
Answer = tuple[int, HTTPResponse, bytes]
Ask = Callable[[Browser], Answer]


def measure(*asked: tuple[Browser, Ask], times: int) -> list[Timing]:
    """Ask in turn, so that all see the same machine, which is not always as fast.

    Raises `RuntimeError` when an answer is a refusal.
    """
    timings = [Timing() for _one in asked]
    for at in range(-WARM_UP, times):
        for timing, (browser, ask) in zip(timings, asked, strict=True):
            began = perf_counter()
            status, answer, body = ask(browser)
            spent = perf_counter() - began
            if status >= 400:
                raise RuntimeError(f"the answer was {status}: {body[:300]!r}")
            if at >= 0:
                timing.seconds.append(spent)
                timing.cpu.append(float(answer.headers["X-Bench-Cpu"]))
                timing.sql = max(timing.sql, int(answer.headers["X-Bench-Sql"]))
                timing.sent = len(body)
    return timings


def throughput(browsers: Sequence[Browser], ask: Ask, *, seconds: float) -> float:
    """Let all browsers ask at once as fast as they can; give answers a second."""
    counts = [0] * len(browsers)
    end = perf_counter() + seconds

    def keep_asking(at: int) -> None:
        while perf_counter() < end:
            status, _answer, body = ask(browsers[at])
            if status >= 400:
                raise RuntimeError(f"the answer was {status}: {body[:300]!r}")
            counts[at] += 1

    began = perf_counter()
    threads = [
        threading.Thread(target=keep_asking, args=(at,)) for at in range(len(browsers))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(counts) / (perf_counter() - began)
