"""`RAPPORT_TRACE_HOOKS=1`: one line of the log for every call of a plugin's hook.

People's data stays out of it: records are named by their reference, texts by their
length, and what a hook returned by its type and name.
"""

import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from core.db import Record

log = logging.getLogger("rapport.hooks")

# How many of a list are told, and how long a line may become.
MOST, LENGTH = 5, 300


def traced(
    plugin: str, hook: str, given: Mapping[str, Any], call: Callable[[], Any]
) -> Any:
    """Call a hook, and tell what it was given, how long it took and what it gave."""
    words = ", ".join(f"{name}={shortly(value)}" for name, value in given.items())
    started = perf_counter()
    outcome = "->"
    try:
        result = call()
        outcome = f"-> {shortly(result)}"
    except BaseException as error:
        outcome = f"raised {type(error).__name__}"
        raise
    else:
        return result
    finally:
        took = (perf_counter() - started) * 1000
        line = f"{plugin}.{hook}({words}) {took:.1f} ms {outcome}"
        log.info(line if len(line) <= LENGTH else f"{line[:LENGTH]}…")


def shortly(value: object) -> str:
    """Name a value in a few signs that tell nothing of its content."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return f"text of {len(value)}"
    if isinstance(value, Record):
        return value.ref
    if isinstance(value, list | tuple):
        told = [shortly(one) for one in value[:MOST]]
        rest = [f"… {len(value)} in all"] if len(value) > MOST else []
        return f"[{', '.join(told + rest)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(str(one) for one in list(value)[:MOST])}}}"
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    name = getattr(value, "name", None) or getattr(value, "endpoint", None)
    return f"{kind} {name}" if isinstance(name, str) and kind != name else kind
