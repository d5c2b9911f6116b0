"""Strings that break programs, and how every text field of the API is found and filled.

The long lists are somebody else's, read in place: the folder `naughty-strings` below
the one that RAPPORT_TEST_DATA names, or below `../shared/data`. `NASTIEST` is our own.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

NASTIEST = [
    "'; DROP TABLE contact; --",
    "' OR 1=1 -- ",
    '" onmouseover="alert(1)" x="',
    "<script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "</title><svg/onload=alert(1)>",
    "[link](javascript:alert(1)) ![i](x:y)",
    "<b>bold</b> &amp; &lt;i&gt; &#x3C;",
    "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "%s %d %(name)s %n {0} {name} %",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "\u202eevil\u202c txt.exe \u2066x",
    "مرحبا بالعالم שלום",
    "👩‍👩‍👧‍👦 🏴‍☠️ 🇫🇮 é",
    "zero\u200bwidth\u200d\ufeff joined",
    "nothing\x00after",
    "lone \ud800 half",
    "bell\x07 escape\x1b[31m back\x08 \x7f\x85",
    "one\r\ntwo\nthree\rfour\u2028five\u2029six\x0bseven",
    "田中さんにあげて下さい ﷽ ﷺ",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "\\ \\\\ \\' \\\" \\n \\u0000",
    "null",
    "-1e309",
    "99999999999999999999999",
    "\u00a0\u3000 spaces \u2003\u00a0",
    " ",
    "",
    "x" * 100_000,
    "é" * 1000 + "\n" * 1000,
]


def long_lists() -> list[str]:
    """Read the strings of others; none where their folder is not."""
    named = os.environ.get("RAPPORT_TEST_DATA")
    folder = Path(named or ROOT.parent / "shared" / "data") / "naughty-strings"
    if not (folder / "blns.json").is_file():
        return []
    found: list[str] = json.loads((folder / "blns.json").read_text())
    for file in sorted(folder.glob("payloadsallthethings/*.txt")):
        found += file.read_text(errors="surrogateescape").splitlines()
    return list(dict.fromkeys(found))


def rounds(
    fields: int, *, every: bool, seed: int = 0, among: int = 12
) -> Iterator[list[str]]:
    """Give strings for that many fields, again and again.

    When `every`, each string reaches each field. Otherwise twenty of our own do, and
    the long lists are shared out `among` so many; `seed` has each begin elsewhere.
    """
    for turn in range(len(NASTIEST) if every else 20):
        start = turn + seed * 7
        yield [NASTIEST[(start + at) % len(NASTIEST)] for at in range(fields)]
    others = long_lists()
    for turn in range(0, len(others), 1 if every else among * max(fields, 1)):
        start = turn + (0 if every else seed * fields)
        yield [others[(start + at) % len(others)] for at in range(fields)]


@dataclass(frozen=True)
class Operation:
    """Something that programs send: how, where, and which fields it takes."""

    method: str
    path: str
    multipart: bool
    fields: tuple[tuple[str | int, ...], ...]

    @property
    def name(self) -> str:
        """Name it as a person would: `POST /api/v1/contacts`."""
        return f"{self.method} {self.path}"


@cache
def operations(app: Any) -> tuple[Operation, ...]:
    """Read from the API's own description what can be sent to it."""
    spec = app.extensions["rapport_api"].spec.to_dict()
    found = []
    for path, methods in spec["paths"].items():
        for method in sorted({"post", "patch", "put"} & set(methods)):
            body = methods[method].get("requestBody", {"content": {}})
            fields: list[tuple[str | int, ...]] = []
            for content in body["content"].values():
                fields += _fields(spec, content["schema"], ())
            multipart = any("multipart" in one for one in body["content"])
            once = tuple(dict.fromkeys(fields))
            found.append(Operation(method.upper(), path, multipart, once))
    return tuple(found)


def _fields(
    spec: Any, schema: Any, at: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    """Walk to every field that is not a binary file, of whatever type."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in [*schema.get("allOf", ()), *schema.get("anyOf", ())]:
        yield from _fields(spec, part, at)
    if schema.get("format") == "binary" or schema.get("readOnly"):
        return
    kind = schema.get("type")
    if kind == "object" and "properties" not in schema:
        yield (*at, "anything")
    elif "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from _fields(spec, inner, (*at, name))
    elif kind == "array" or (isinstance(kind, list) and "array" in kind):
        yield from _fields(spec, schema["items"], (*at, 0))
    elif "allOf" not in schema and "anyOf" not in schema:
        yield at


def put(body: Any, at: Sequence[str | int], value: Any) -> None:
    """Set the field `at` of a body, making lists and objects on the way."""
    for here, following in pairwise(at):
        empty: Any = [] if following == 0 else {}
        if isinstance(here, int):
            if not body:
                body.append(empty)
            body = body[0]
        else:
            body = body.setdefault(here, empty)
            if following == 0 and not isinstance(body, list):
                return
    if isinstance(body, list):
        body[:] = [value]
    else:
        body[at[-1]] = value


def look(body: Any, at: Sequence[str | int]) -> list[Any]:
    """Read the field `at` of an answer, of every line of a list."""
    if not at:
        return [body]
    if at[0] == 0:
        lines = body if isinstance(body, list) else []
        return [found for one in lines for found in look(one, at[1:])]
    if isinstance(body, dict) and at[0] in body:
        return look(body[at[0]], at[1:])
    return []


def dotted(at: Sequence[str | int]) -> str:
    """Name a field as errors do."""
    return ".".join(str(one) for one in at)
