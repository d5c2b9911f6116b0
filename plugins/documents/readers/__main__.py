"""Read the text of one file under limits, and print it as JSON.

`python -m plugins.documents.readers PATH SUFFIX SECONDS`, in a process of its own: a
hostile file may crash or exhaust it, and nothing else. It prints `text`, `paged`,
`reason` (empty when all was read) and `cause` (for the log).
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from plugins.documents.readers.kinds import Kind, kind_of
from plugins.documents.readers.limits import (
    MAX_PAGES,
    MAX_TEXT,
    Unreadable,
    limit_myself,
)

PAGE_END = "\f"
# Control characters, which PostgreSQL or JSON may refuse, and invisible ones that
# would split a word for search: soft hyphens, and PDFium's mark of a broken word.
_DROPPED = dict.fromkeys([*range(9), 11, *range(14, 32), *range(127, 160)])
_DROPPED |= dict.fromkeys([0xAD, 0xFEFF, 0xFFFE, 0xFFFF])


class Answer(TypedDict):
    """What this program prints."""

    text: str
    paged: bool
    reason: str
    cause: str


def read(path: Path, suffix: str, *, deadline: float) -> Answer:
    """Read a file as far as limits, time and its own state allow."""
    pieces: list[str] = []
    reason = cause = ""
    paged = False
    try:
        kind = kind_of(path, suffix)
        paged = kind.paged
        for piece in _within_limits(kind, path, deadline):
            pieces.append(piece)
    except Unreadable as error:
        reason = error.reason
    except MemoryError as error:
        reason, cause = "too-large", repr(error)
    # A damaged file raises whatever its library thought of: say so, and keep the rest.
    except Exception as error:
        reason, cause = "damaged", repr(error)[:300]
    text = tidy("".join(pieces), paged=paged)
    if not text.strip():
        text = ""
        reason = "no-text" if reason in {"", "long"} else reason
    return {"text": text, "paged": paged, "reason": reason, "cause": cause}


def _within_limits(kind: Kind, path: Path, deadline: float) -> Iterator[str]:
    room = MAX_TEXT
    pages = 0
    for piece in kind.read(path):
        yield piece[:room]
        room -= len(piece)
        pages += piece.count(PAGE_END)
        if room <= 0 or pages >= MAX_PAGES:
            raise Unreadable("long")
        if time.monotonic() > deadline:
            raise Unreadable("time")


def tidy(text: str, *, paged: bool) -> str:
    """Drop what cannot be stored or searched, and needless space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    if not paged:
        text = text.replace(PAGE_END, "\n")
    text = text.translate(_DROPPED).encode("utf-8", "replace").decode("utf-8")
    lines: list[str] = []
    for line in text.split("\n"):
        line = line.rstrip(" \t")
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Read the file the arguments name, and print the answer."""
    path, suffix, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    # Stop in time to hand over what was read, before the parent loses patience.
    deadline = time.monotonic() + 0.8 * seconds
    limit_myself(int(seconds) + 1)
    os.nice(5)
    # Libraries in C may print; only the answer goes to our standard output.
    out = os.dup(1)
    os.dup2(2, 1)
    answer = json.dumps(read(path, suffix, deadline=deadline), ensure_ascii=False)
    with os.fdopen(out, "wb") as file:
        file.write(answer.encode())


if __name__ == "__main__":
    main()
