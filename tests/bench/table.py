"""The figures of one run, and the table that is printed of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.open_pages import OpenPages
from tests.bench.pages import SCROLLING, Measured
from tests.bench.running import Imported
from tests.bench.searching import Compared, Searched

# Budgets beside those of the pages.
P95 = 2.0  # of a page's own median
SCROLLED = 1.2  # of the first further part, for the last
RATE = 1 / 7  # of the floor's answers a second
FIRST_LOAD = 120_000  # bytes
IDLE = 0.01  # of one core, for all open pages together
HEARD, HEARD_LATEST = 0.5, 2.0  # seconds until open pages hear of a note: half, all
FINDABLE, FINDABLE_LATEST = 0.3, 1.0  # seconds after the commit: half, all
CHANGES, SEARCH_MEMORY = 100, 30  # a second, MB
# Of search, in multiples of what FTS5 takes (Whoosh), and in milliseconds.
WHOOSH = {
    "a rare word": 1.5,
    "a common word": 3,
    "a word, of one type and label": 1.5,
    "as one types": 8,
    "three words": 12,
    "a phrase": 12,
    "20 hits with their words marked": 4,
}
POSTGRES, POSTGRES_COMMON = 25, 60
IMPORT_CPU, IMPORT_MEMORY, IMPORT_NOTES = 0.6, 200, 10  # ms a row, MB, floors


@dataclass
class Result:
    """What one database gave; `loaded` in seconds, `memory` in megabytes."""

    dialect: str
    contacts: int = 0
    loaded: float = 0.0
    floor_rate: float = 0.0
    pages: list[Measured] = field(default_factory=list)
    rate: float = 0.0
    first_load: int = 0
    memory: float = 0.0
    imported: Imported | None = None
    open: OpenPages | None = None
    findable: list[float] = field(default_factory=list)
    searched: Searched | None = None

    @property
    def floor(self) -> float:
        """What the floor's answer took through the whole run, in seconds."""
        return statistics.median(t for one in self.pages for t in one.floor.seconds)

    @property
    def kept(self) -> bool:
        """Say whether every budget was kept."""
        return all(one.kept is not False for one in lines(self))


@dataclass(frozen=True)
class Line:
    """One line of the table; `kept` is None where there is no budget."""

    name: str
    value: str
    budget: str = ""
    kept: bool | None = None
    more: str = ""


def lines(result: Result) -> list[Line]:
    """Say of everything what it cost, and beside it what it may."""
    found = _house(result) if result.pages else []
    return found + (_searched(result.searched) if result.searched else [])


def _house(result: Result) -> list[Line]:
    found = [_page(one) for one in result.pages]
    found += _scrolling(result.pages)
    if result.findable:
        found.append(_findable(result.findable))
    share = result.rate / result.floor_rate if result.floor_rate else 0.0
    found.append(
        Line(
            "contact pages a second, 8 clients",
            f"1/{1 / share:.1f}" if share else "-",
            "≥ 1/7",
            share >= RATE,
            f"{result.rate:.0f} of {result.floor_rate:.0f}",
        )
    )
    found.append(
        Line(
            "first load of a contact page",
            f"{result.first_load / 1000:.0f} kB",
            "≤ 120 kB",
            result.first_load <= FIRST_LOAD,
        )
    )
    if result.imported is not None:
        found += _import(result.imported, result.floor)
    if result.open is not None:
        found += _open(result.open)
    found.append(Line("peak of a web process", f"{result.memory:.0f} MB"))
    return found


def _page(one: Measured) -> Line:
    times = one.timing.median / one.floor.median
    spread = one.timing.p95 / one.timing.median
    kept: bool | None = None
    if one.budget is not None:
        kept = times <= one.budget and spread <= P95
        if one.statements is not None:
            kept = kept and one.timing.sql <= one.statements
    cpu = statistics.median(one.timing.cpu)
    more = (
        f"p95 {spread:.1f}x  {one.timing.sql:>2} SQL  {cpu:5.1f} ms CPU"
        f"  {one.timing.sent / 1000:.1f} kB"
    )
    budget = f"≤ {one.budget:g}x" if one.budget else ""
    return Line(one.name, f"{times:.1f}x", budget, kept, more)


def _scrolling(pages: Sequence[Measured]) -> list[Line]:
    """Say whether the thousandth entry costs what the hundredth does."""
    parts = [one for one in pages if one.name.startswith(SCROLLING)]
    if len(parts) < 2:
        return []
    # Each against its own floor, as the speed of a machine drifts.
    first, *_between, last = (one.timing.median / one.floor.median for one in parts)
    times = last / first
    words = "the last part, in next ones"
    return [Line(words, f"{times:.1f}x", f"≤ {SCROLLED}x", times <= SCROLLED)]


def _findable(spent: Sequence[float]) -> Line:
    median, latest = statistics.median(spent), max(spent)
    return Line(
        "a note is found after, median",
        f"{1000 * median:.0f} ms",
        f"≤ {1000 * FINDABLE:g} ms",
        median <= FINDABLE and latest <= FINDABLE_LATEST,
        f"the last one {1000 * latest:.0f} ms",
    )


def _searched(one: Searched) -> list[Line]:
    found = [_query(one.engine, query) for query in one.queries]
    changes = f"{one.changes:.0f}", f"≥ {CHANGES}", one.changes >= CHANGES
    found.append(Line("changed texts a second", *changes, f"in {one.records:,}"))
    if one.memory is not None:
        kept = one.memory <= SEARCH_MEMORY
        memory = f"{one.memory:.0f} MB", f"≤ {SEARCH_MEMORY} MB", kept
        found.append(Line("memory of a process that searches", *memory))
    return found


def _query(engine: str, one: Compared) -> Line:
    median, fts = (1000 * statistics.median(each) for each in (one.ours, one.yardstick))
    p95 = 1000 * statistics.quantiles(one.ours, n=20)[-1]
    if engine == "whoosh":
        most: float = WHOOSH[one.name]
        said = f"{one.times:.1f}x", f"≤ {most:g}x", one.times <= most
    else:
        most = POSTGRES_COMMON if one.name == "a common word" else POSTGRES
        said = f"{median:.1f} ms", f"≤ {most:g} ms", median <= most
    more = f"{median:.1f} ms, p95 {p95:.1f} ms; FTS5 {fts:.1f} ms"
    return Line(one.name, *said, more)


def _import(one: Imported, floor: float) -> list[Line]:
    cpu = 1000 * one.cpu_seconds / one.rows
    notes = statistics.quantiles(one.notes, n=20)[-1] / floor
    return [
        Line(
            "import, CPU a row",
            f"{cpu:.2f} ms",
            f"≤ {IMPORT_CPU} ms",
            cpu <= IMPORT_CPU,
            f"{one.rows} rows in {one.seconds:.0f} s",
        ),
        Line(
            "import, memory",
            f"{one.megabytes:.0f} MB",
            f"≤ {IMPORT_MEMORY} MB",
            one.megabytes <= IMPORT_MEMORY,
        ),
        Line(
            "notes of others meanwhile, p95",
            f"{notes:.1f}x",
            f"≤ {IMPORT_NOTES}x",
            notes <= IMPORT_NOTES,
            f"{len(one.notes)} notes",
        ),
    ]


def _open(one: OpenPages) -> list[Line]:
    latest = max(one.heard)
    return [
        Line(
            f"{one.pages} open pages at rest, of a core",
            f"{100 * one.idle:.1f} %",
            f"≤ {100 * IDLE:g} %",
            one.idle <= IDLE,
        ),
        Line(
            "a note on all of them, median",
            f"{1000 * one.median:.0f} ms",
            f"≤ {1000 * HEARD:g} ms",
            one.median <= HEARD and latest <= HEARD_LATEST,
            f"the last one {1000 * latest:.0f} ms",
        ),
    ]


def as_text(result: Result) -> str:
    """Draw the tables."""
    drawn, searched = "", result.searched
    if result.pages:
        drawn += _drawn(
            f"{result.dialect}, {result.contacts:,} contacts; the floor is "
            f"{1000 * result.floor:.1f} ms and {result.floor_rate:.0f} answers a "
            f"second with 8 clients; loaded in {result.loaded:.0f} s",
            _house(result),
        )
    if searched:
        drawn += _drawn(
            f"search with {searched.engine} among {searched.records:,} texts, "
            f"indexed in {searched.built:.0f} s",
            _searched(searched),
        )
    return drawn


def _drawn(head: str, found: Sequence[Line]) -> str:
    marks = {True: "ok", False: "OVER", None: ""}
    return f"\n{head}\n" + "".join(
        f"{one.name:<36}{one.value:>9}  {one.budget:<9}{marks[one.kept]:<5} {one.more}"
        "\n"
        for one in found
    )


def as_json(result: Result) -> dict[str, Any]:
    """Give the figures to a program."""
    found: dict[str, Any] = {"database": result.dialect}
    if result.pages:
        found["floor_ms"], found["floor_rate"] = 1000 * result.floor, result.floor_rate
    return found | {"lines": [vars(one) for one in lines(result)]}
