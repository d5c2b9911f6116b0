"""Rows in an order in which each comes after those that it refers to.

A reply may stand above what it answers. The file is looked through once for its keys,
so the order is the same whenever the file is read, and a run that was cut off goes on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from core.i18n import _
from core.importing.mapping import FieldMapping
from core.importing.reading import TableRow


@dataclass
class _Held:
    """A row that waits for others, and how many keys it still waits for."""

    row: TableRow
    key: str | None
    missing: int


def in_order(
    read: Callable[[], Iterable[TableRow]], mapping: FieldMapping, after: Iterable[str]
) -> Iterator[TableRow]:
    """Give the rows that `read` reads; `after` are fields with keys of other rows.

    Rows that refer to each other in a circle come last, with that as their problem.
    """
    fields = [one for one in after if one in mapping.fields]
    if not fields:
        yield from read()
        return
    ahead = {key for row in read() if (key := mapping.names_in(row.cells, ())[0])}
    waiting: dict[str, list[_Held]] = {}
    held: dict[int, _Held] = {}
    for row in read():
        key, named = mapping.names_in(row.cells, fields)
        missing = {one for one in named if one in ahead}
        if not missing or row.problem:
            yield from _with_those_that_wait(_Held(row, key, 0), waiting, ahead, held)
            continue
        one = held[row.line] = _Held(row, key, len(missing))
        for name in missing:
            waiting.setdefault(name, []).append(one)
    said = _("What this row refers to refers back to it.")
    for one in held.values():
        yield replace(one.row, problem=str(said))


def _with_those_that_wait(
    first: _Held,
    waiting: dict[str, list[_Held]],
    ahead: set[str],
    held: dict[int, _Held],
) -> Iterator[TableRow]:
    """Give a row, and those that waited for it alone."""
    free = deque([first])
    while free:
        one = free.popleft()
        held.pop(one.row.line, None)
        yield one.row
        if one.key is None:
            continue
        ahead.discard(one.key)
        for other in waiting.pop(one.key, ()):
            other.missing -= 1
            if not other.missing:
                free.append(other)
