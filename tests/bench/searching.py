"""How fast search is, beside SQLite's FTS5 on the same texts in the same process.

Whoosh is compared by the time of the processor, as both run in this process; what
PostgreSQL takes is waited for, in milliseconds.
"""

import multiprocessing
import sqlite3
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time, sleep

from core.app import CRM
from core.db import make_engine
from plugins.search.analysis import Analyser
from plugins.search.backend import IndexDoc, IndexOp, SearchBackend, SearchRequest
from plugins.search.planning import RELAX_BELOW, find, plan_query
from plugins.search.postgres_backend import PostgresBackend
from plugins.search.snippets import snippets
from plugins.search.whoosh_backend import WhooshBackend
from tests.bench.asking import Browser, text_of
from tests.bench.corpus import LABELS, TYPES, Note, Wanted, notes, wanted

SHOWN = 20
BATCH, BATCHES = 100, 10
# What the smaller and the larger house search in, whose engines these are.
RECORDS = {"sqlite": 20_000, "postgresql": 200_000}
FINDABLE = 20
PATIENCE = 30


@dataclass
class Compared:
    """One kind of query: seconds of each, of ours and of the yardstick."""

    name: str
    ours: list[float] = field(default_factory=list)
    yardstick: list[float] = field(default_factory=list)

    @property
    def times(self) -> float:
        """Say how many times what the yardstick took, by the medians."""
        return statistics.median(self.ours) / statistics.median(self.yardstick)


@dataclass
class Searched:
    """What was measured of one engine; `memory` in megabytes."""

    engine: str
    records: int
    built: float = 0.0
    queries: list[Compared] = field(default_factory=list)
    changes: float = 0.0  # a second
    memory: float | None = None


def measure_search(app: CRM, folder: Path, records: int) -> Searched:
    """Fill an index and the yardstick with the same texts, and ask both the same."""
    on_postgres = app.extensions["rapport_engine"].dialect.name == "postgresql"
    analyser = Analyser(lemma_folder=folder / "words", cache_size=100_000)
    analyser.prepare()
    texts = list(notes(records))
    with _engine(app, folder, analyser) as backend:
        result = Searched(backend.name, records)
        result.built = _fill(backend, analyser, texts)
        clock = perf_counter if on_postgres else process_time
        ours = _Ours(backend, analyser, texts)
        with _Yardstick(folder / "yardstick.db", texts) as yardstick:
            for one in wanted(texts):
                result.queries.append(_compare(one, ours, yardstick, clock))
        result.changes = _change(backend, analyser, texts)
    if not on_postgres:
        queries = [query for one in wanted(texts) for query in one.queries]
        result.memory = _memory(folder, queries)
    return result


@contextmanager
def _engine(app: CRM, folder: Path, analyser: Analyser) -> Iterator[SearchBackend]:
    engine = app.extensions["rapport_engine"]
    if engine.dialect.name != "postgresql":
        yield WhooshBackend(folder / "measured", analysis_version=analyser.version)
        return
    own = make_engine(engine.url.render_as_string(hide_password=False))
    try:
        yield PostgresBackend(own, analysis_version=analyser.version)
    finally:
        own.dispose()


def _document(analyser: Analyser, one: Note) -> IndexDoc:
    return IndexDoc(
        key=one.key,
        type=one.kind,
        visibility=(one.label,),
        contact_id=None,
        updated_at=one.number * 1_000_000,
        rev=1,
        tokens=analyser.document(title=one.title, body=one.body),
    )


def _fill(backend: SearchBackend, analyser: Analyser, texts: Sequence[Note]) -> float:
    began = perf_counter()
    build = backend.begin_build()
    for some in _parts(texts, 500):
        build.add([_document(analyser, one) for one in some])
    build.finish()
    return perf_counter() - began


def _parts(texts: Sequence[Note], size: int) -> Iterator[Sequence[Note]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


Ask = Callable[[str, Wanted], object]


def _compare(
    one: Wanted, ours: Ask, yardstick: Ask, clock: Callable[[], float]
) -> Compared:
    found = Compared(one.name)
    for query in one.queries:
        # Each is asked once before: what it reads from the disk is there then.
        for ask, spent in ((ours, found.ours), (yardstick, found.yardstick)):
            ask(query, one)
            began = clock()
            ask(query, one)
            spent.append(clock() - began)
    return found


class _Ours:
    """The engine, from what is typed to the hits as they are shown."""

    def __init__(
        self, backend: SearchBackend, analyser: Analyser, texts: Sequence[Note]
    ) -> None:
        self.backend, self.analyser = backend, analyser
        self.texts = {one.key: one for one in texts}

    def __call__(self, query: str, one: Wanted) -> object:
        plan = plan_query(query, self.analyser, typing=one.typing)
        request = SearchRequest(
            plan=plan,
            labels=frozenset(LABELS[:1] if one.narrowed else LABELS),
            types=frozenset(TYPES[:1] if one.narrowed else TYPES),
            limit=SHOWN,
        )
        page = find(self.backend, request)
        if not one.shown:
            return page
        bodies = (self.texts[hit.key].body for hit in page.hits)
        return [snippets(body, plan, self.analyser) for body in bodies]


class _Yardstick:
    """SQLite's FTS5, asked as its documentation says."""

    def __init__(self, file: Path, texts: Sequence[Note]) -> None:
        self.connection = sqlite3.connect(file)
        run = self.connection.execute
        run("CREATE VIRTUAL TABLE note USING fts5(title, body, prefix='2 3')")
        run("CREATE TABLE record (id INTEGER PRIMARY KEY, type TEXT, label TEXT)")
        many = self.connection.executemany
        rows = ((one.number, one.title, one.body) for one in texts)
        many("INSERT INTO note(rowid, title, body) VALUES (?, ?, ?)", rows)
        labels = ((one.number, one.kind, one.label) for one in texts)
        many("INSERT INTO record VALUES (?, ?, ?)", labels)
        run("INSERT INTO note(note) VALUES ('optimize')")
        self.connection.commit()

    def __enter__(self) -> "_Yardstick":
        return self

    def __exit__(self, *_error: object) -> None:
        self.connection.close()

    def __call__(self, query: str, one: Wanted) -> object:
        match = query + "*" if one.typing else query
        run = self.connection.execute
        if one.narrowed:
            return run(_NARROWED, (match, TYPES[0], LABELS[0], SHOWN)).fetchall()
        found = run(_SHOWN if one.shown else _FOUND, (match, SHOWN)).fetchall()
        if " " in query and not query.startswith('"') and len(found) < RELAX_BELOW:
            # We are content with some of the words then, and so is the yardstick.
            some = query.replace(" ", " OR ")
            found = run(_FOUND, (some, SHOWN)).fetchall()
        return found


_FOUND = "SELECT rowid FROM note WHERE note MATCH ? ORDER BY rank LIMIT ?"
_SHOWN = """
    SELECT snippet(note, 1, '<', '>', '…', 30) FROM note
    WHERE note MATCH ? ORDER BY rank LIMIT ?
"""
_NARROWED = """
    SELECT note.rowid FROM note JOIN record ON record.id = note.rowid
    WHERE note MATCH ? AND record.type = ? AND record.label = ? ORDER BY rank LIMIT ?
"""


def _change(backend: SearchBackend, analyser: Analyser, texts: Sequence[Note]) -> float:
    """Change records in batches, as the worker does; say how many a second."""
    step = max(1, len(texts) // (BATCH * BATCHES))
    changed = texts[::step][: BATCH * BATCHES]
    began = perf_counter()
    for some in _parts(changed, BATCH):
        backend.apply([IndexOp.upsert(_document(analyser, one)) for one in some])
    return len(changed) / (perf_counter() - began)


def findable(browser: Browser) -> list[float]:
    """Write notes and look for each until it is found; give the seconds in between."""
    spent = []
    for number in range(FINDABLE):
        word = f"brandnew{number}"
        form = {"contacts": 2 + number, "audience": "staff", "body": f"Says {word}."}
        status, _answer, _body = browser.post("/interactions", form)
        began = perf_counter()
        while f"<mark>{word}</mark>" not in _looked_for(browser, word):
            if status >= 400 or perf_counter() - began > PATIENCE:
                raise RuntimeError(f"{word} is not found; it was answered {status}")
            sleep(0.02)
        spent.append(perf_counter() - began)
    return spent


def _looked_for(browser: Browser, word: str) -> str:
    _status, answer, body = browser.get(f"/search?q={word}")
    return text_of(answer, body)


def _memory(folder: Path, queries: Sequence[str]) -> float:
    """Open the index in a process of its own; give the megabytes that it takes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_held, (folder, list(queries)))


def _held(folder: Path, queries: list[str]) -> float:
    analyser = Analyser(lemma_folder=folder / "words")
    plans = [plan_query(query, analyser) for query in queries]
    backend = WhooshBackend(folder / "measured", analysis_version=analyser.version)
    before = _resident()
    for plan in plans:
        find(backend, SearchRequest(plan, frozenset(LABELS), frozenset(TYPES)))
    return _resident() - before


def _resident() -> float:
    """Give what this process holds for itself, in megabytes, without mapped files."""
    status = Path("/proc/self/status").read_text().splitlines()
    lines = dict(line.split(":", 1) for line in status)
    return int(lines["RssAnon"].split()[0]) / 1024
