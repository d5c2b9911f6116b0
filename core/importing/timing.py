"""How long a task of an import still takes."""

from core.db import now
from core.importing.models import ImportRun

# Before this much is done and this many seconds passed, an estimate would be a guess.
_ENOUGH, _SECONDS = 0.03, 1.0


def seconds_left(run: ImportRun) -> int | None:
    """Say how many seconds the task of a run still takes, or None: nobody knows."""
    if not run.task or run.task_since is None:
        return None
    done = run.part - float(run.found.get("from", 0.0))
    took = (now() - run.task_since).total_seconds()
    if done < _ENOUGH or took < _SECONDS:
        return None
    return max(int(took / done * (1 - run.part)), 1)
