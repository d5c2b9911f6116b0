"""The log: one line for each thing that happened, without personal data.

`RAPPORT_LOG_FORMAT` is `text` (for people) or `json` (for a collector), and
`RAPPORT_LOG_LEVEL` the least important level that is written. Names, addresses, what
was typed and what was searched never reach a line of ours: a request is named by its
rule, a record by its reference, a person by the number of the account, and an error by
its type and place. Only at the level DEBUG are errors' own messages written, which may
repeat what somebody typed.
"""

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

FORMATS = ("text", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What our own lines carry beside the message: log.info("…", extra={"facts": {...}}).
FACTS = "facts"
_NOISY = ("alembic", "whoosh", "sqlalchemy", "flask_limiter", "flask-limiter")


def describe_error(error: BaseException | None) -> list[str]:
    """Name an error's type and the lines it came through, without its message."""
    told: list[str] = []
    while error is not None and len(told) < 60:
        told.append(type(error).__qualname__)
        told += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-12:]
        ]
        error = error.__cause__ or error.__context__
    return told


class _Plain(logging.Formatter):
    """What both formats share."""

    def _said(self, record: logging.LogRecord) -> dict[str, Any]:
        moment = datetime.fromtimestamp(record.created, UTC)
        return {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(getattr(record, FACTS, None) or {}),
        }

    def _error(self, record: logging.LogRecord) -> list[str]:
        if not record.exc_info:
            return []
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            return self.formatException(record.exc_info).splitlines()
        return describe_error(record.exc_info[1])


class JSONLines(_Plain):
    """One JSON object a line; its keys do not change, new ones may come."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        said = self._said(record)
        if error := self._error(record):
            said["error"] = error
        return json.dumps(said, ensure_ascii=False, default=str)


class TextLines(_Plain):
    """One line with its facts behind it; the place of an error on lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        said = self._said(record)
        head = [said.pop(key) for key in ("time", "level", "logger", "message")]
        facts = [f"{key}={value}" for key, value in said.items()]
        # A line feed in what is told would forge a line of its own.
        line = " ".join([*head, *facts]).replace("\n", " ").replace("\r", " ")
        return "\n".join([line, *self._error(record)])


def configure_logs(stream: TextIO | None = None, *, usual: str = "INFO") -> None:
    """Have this process write its log to `stream` (standard error).

    `usual` is the level where RAPPORT_LOG_LEVEL names none: a server tells what it
    does, a command somebody waits for tells only what is wrong. Raises `ValueError`
    for a format or level there is not.
    """
    form = os.environ.get("RAPPORT_LOG_FORMAT", "text").lower()
    level = (os.environ.get("RAPPORT_LOG_LEVEL") or usual).upper()
    if form not in FORMATS:
        raise ValueError(f"RAPPORT_LOG_FORMAT must be one of {', '.join(FORMATS)}")
    if level not in LEVELS:
        raise ValueError(f"RAPPORT_LOG_LEVEL must be one of {', '.join(LEVELS)}")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JSONLines() if form == "json" else TextLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
