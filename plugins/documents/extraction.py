"""The text of uploaded files, for search and reading on screen.

Files come from strangers, and the libraries that read them are large: so a file is
read by `plugins.documents.readers` in a process of its own, which has limits, no
secrets in its environment, and may crash.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

logger = logging.getLogger(__name__)

State = Literal["done", "empty", "unsupported", "failed", "encrypted"]


def _(sentence: str) -> str:
    """Mark a sentence for translation; the page that shows it translates it."""
    return sentence


REASONS: dict[str, tuple[State, str]] = {
    "": ("done", ""),
    "no-words": (
        "empty",
        _("This scan has no text, so search finds its title only."),
    ),
    "no-text": (
        "empty",
        _("This file has no text, so search finds its title only."),
    ),
    "unsupported": (
        "unsupported",
        _("Text of this kind of file cannot be read; search finds its title only."),
    ),
    "password": (
        "encrypted",
        _("This file is encrypted, so search finds its title only."),
    ),
    "mismatch": (
        "failed",
        _("This file is not what its name says. Look at it, then send it again."),
    ),
    "damaged": (
        "failed",
        _("This file is damaged or incomplete. Look at it, then send it again."),
    ),
    "unsafe": (
        "failed",
        _("This file is built in a way that can do harm, so its text was not read."),
    ),
    "too-large": (
        "failed",
        _("This file is too large to read, so search finds its title only."),
    ),
    "time": (
        "failed",
        _("Reading this file took too long, so search finds its title only."),
    ),
}
# What is said instead when the file gave some of its text before it stopped.
PARTLY = {
    "long": _("This file is very long; search finds what is in its first part."),
    "damaged": _("Part of this file is damaged; search finds the rest."),
    "time": _("Reading this file took long; search finds what is in its first part."),
}
# Libraries in C and Rust abort when memory is refused; the kernel kills for it.
_DEATHS: dict[int, str] = {
    signal.SIGABRT: "too-large",
    signal.SIGKILL: "too-large",
    signal.SIGXCPU: "time",
}


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read of a file, and a sentence when that is not simply all of it.

    `pages` are the pages of a PDF, the slides or the sheets, and empty for formats
    without them. `detail` is English; show it through `_()`.
    """

    state: State
    text: str = ""
    pages: tuple[str, ...] = ()
    detail: str = ""


def extract_text(path: Path, *, filename: str, timeout: float = 60) -> Extraction:
    """Read the text of a file within `timeout` seconds, in a process of its own.

    The first bytes say what kind of file it is; where they say nothing, the end of
    `filename` does. Whatever the file is, the answer is an `Extraction`.
    """
    suffix = PurePath(filename).suffix.lower()
    module = "plugins.documents.readers"
    command = [sys.executable, "-P", "-B", "-m", module, str(path.absolute()), suffix]
    try:
        child = subprocess.run(  # noqa: S603 - our own program, no shell.
            [*command, str(timeout)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _refused("time")
    if child.returncode != 0:
        # What it said last may be words of the document: not for a log.
        logger.warning("Reading %s ended with %s", path, child.returncode)
        return _refused(_DEATHS.get(-child.returncode, "damaged"))
    return _understood(json.loads(child.stdout), path)


def _understood(answer: dict[str, Any], path: Path) -> Extraction:
    reason, text = answer["reason"], answer["text"]
    if answer["cause"]:
        cause = str(answer["cause"]).partition(":")[0].partition("(")[0]
        logger.info("Reading %s stopped: %s", path, cause)
    if not text or reason not in {"", *PARTLY}:
        return _refused(reason)
    pages = tuple(page.strip("\n") for page in text.split("\f"))
    if not pages[-1]:
        # Each page ends with the mark, so nothing comes after the last one.
        pages = pages[:-1]
    paged = answer["paged"]
    return Extraction(
        "done",
        text="\n\n".join(page for page in pages if page) if paged else text.strip("\n"),
        pages=pages if paged else (),
        detail=PARTLY.get(reason, ""),
    )


def _refused(reason: str) -> Extraction:
    state, detail = REASONS[reason]
    return Extraction(state, detail=detail)


def _environment() -> dict[str, str]:
    """Let the child find our code, and nothing of ours that is secret."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
    }
