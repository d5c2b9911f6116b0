"""`make bench`: load a large company, measure every budgeted page, print a table.

Times are multiples of the floor, a bare Flask view measured in the same run under the
same server: see `tests/bench/serving.py`.
"""

import argparse
import csv
import json
import random
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

import sqlalchemy as sa

from core import migrate
from core.app import CRM, create_app
from core.contacts.models import Contact
from core.db import db, now
from core.events import Delivery
from core.jobs import JobRun
from core.schemas import encode_cursor
from core.testing.postgres import server
from plugins.search.indexing import rebuild
from tests.bench import company, words
from tests.bench.asking import Ask, Browser, measure, text_of, throughput
from tests.bench.open_pages import PAGES, hold_open
from tests.bench.pages import PAGE, all_measured, scrolled
from tests.bench.running import Imported, Served, bring_in, served, working
from tests.bench.searching import RECORDS, Searched, findable, measure_search
from tests.bench.table import Result, as_json, as_text

CLIENTS, ROUNDS = 8, 7
# The first index takes minutes, in which nothing is delivered.
STUCK_SECONDS = 600
ANNA = "anna@bench.example"


def main() -> int:
    """Measure on both databases; 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="a smaller company, such as 0.05")
    add("--only", choices=("sqlite", "postgresql"))
    add("--seconds", type=float, default=4.0, help="how long a round of clients asks")
    add("--no-open-pages", action="store_true", help="do not hold 200 pages open")
    add("--no-import", action="store_true", help="do not bring in a file")
    add("--indexed", type=int, default=company.INDEXED, help="notes to search in")
    add("--no-search", action="store_true", help="do not compare search with FTS5")
    add("--only-search", action="store_true", help="compare search, and nothing else")
    add("--records", type=int, help="how many texts search is compared on")
    add("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    results = []
    for dialect in ("sqlite", "postgresql"):
        if options.only in {None, dialect}:
            result = Result(dialect)
            if not options.only_search:
                _run(result, options)
            if not options.no_search:
                result.searched = _search(dialect, options)
            results.append(result)
            sys.stdout.write(as_text(result) + "\n")
            sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps([as_json(one) for one in results], indent=1))
    return 0 if all(one.kept for one in results) else 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def _database(dialect: str, folder: Path) -> Iterator[str]:
    if dialect == "sqlite":
        yield f"sqlite:///{folder}/rapport.db"
        return
    with server() as running, running.database() as url:
        yield url


@contextmanager
def _house(dialect: str) -> Iterator[tuple[CRM, Path, str]]:
    """Make an empty house in a folder of its own."""
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="rapport-bench-")
        folder = Path(stack.enter_context(made))
        url = stack.enter_context(_database(dialect, folder))
        app = create_app({"DATABASE_URL": url, "SECRET_KEY": "test"}, instance=folder)
        migrate.upgrade(app)
        yield app, folder, url
        app.extensions["rapport_engine"].dispose()


def _search(dialect: str, options: argparse.Namespace) -> Searched:
    records = options.records or round(RECORDS[dialect] * options.scale)
    _say(f"{dialect}: searching {records} texts")
    with _house(dialect) as (app, folder, _url):
        return measure_search(app, folder, records)


def _run(result: Result, options: argparse.Namespace) -> None:
    dialect, size = result.dialect, company.Size().scaled(options.scale)
    with ExitStack() as stack:
        app, folder, url = stack.enter_context(_house(dialect))
        with app.app_context():
            # An empty index, or the first note would make one of the whole house.
            rebuild()
        began = perf_counter()
        company.load(
            app,
            size,
            lambda part: _say(f"{dialect}: {part} written"),
            indexed=options.indexed,
        )
        with app.app_context(), db.transaction() as session:
            # The index has only some of the notes, on purpose: nobody mends that here.
            tomorrow = now() + timedelta(days=1)
            session.add(JobRun(name="search.reconcile", next_run=tomorrow))
        result.contacts, result.loaded = size.contacts, perf_counter() - began
        _say(f"{dialect}: loaded in {result.loaded:.0f} s")
        cursor = _far(app, size)
        app.extensions["rapport_engine"].dispose()
        with working(folder, url):
            _wait_for_index(app)
        if not options.no_open_pages:
            _say(f"holding {PAGES} pages open")
            result.open = hold_open(folder, url, ANNA, company.PASSWORD)
        stack.enter_context(working(folder, url))
        # Both are served the whole time: a machine is not as fast in each minute.
        floor = stack.enter_context(served("floor", folder, url))
        with served("rapport", folder, url) as running:
            _measure_pages(app, result, floor, running, size, cursor, options)
            if not options.no_import:
                result.imported = _import(folder, url, running, size)
            result.memory = running.memory()
        _check_nothing_failed(folder)


def _check_nothing_failed(folder: Path) -> None:
    """Raise `RuntimeError` if a part of a page failed: without it a page is faster."""
    log = (folder / "bench.log").read_text()
    if "Traceback" in log:
        raise RuntimeError(f"something failed while it was measured: {log[-2000:]}")


def _far(app: CRM, size: company.Size) -> str:
    """Give the cursor behind which the list's 1,000th page stands, or the last one."""
    offset = min(999 * PAGE, size.contacts - 2 * PAGE)
    names = sa.select(Contact.sort_name, Contact.id).order_by(
        Contact.sort_name, Contact.id
    )
    with app.app_context(), db.read_only() as session:
        return encode_cursor(list(session.execute(names.offset(offset)).first() or ()))


def _wait_for_index(app: CRM) -> None:
    began = monotonic()
    _let_the_worker_rest(app)
    app.extensions["rapport_engine"].dispose()
    _say(f"indexed in {monotonic() - began:.0f} s")


def _let_the_worker_rest(app: CRM) -> None:
    """Let it deliver what is queued: it would share the processors with a page.

    Raises `RuntimeError` when it delivers nothing any more: it has died.
    """
    before, since = -1, monotonic()
    while True:
        with app.app_context(), db.read_only() as session:
            left = session.scalar(sa.select(sa.func.count()).select_from(Delivery))
        if not left:
            return
        if left != before:
            before, since = left, monotonic()
        elif monotonic() - since > STUCK_SECONDS:
            raise RuntimeError(f"the worker is stuck, with {left} things to deliver")
        sleep(0.5)


def _signed_in(url: str) -> Browser:
    browser = Browser(url)
    browser.sign_in(ANNA, company.PASSWORD)
    return browser


def _measure_pages(
    app: CRM,
    result: Result,
    floor: Served,
    running: Served,
    size: company.Size,
    cursor: str,
    options: Any,
) -> None:
    browser, beside = _signed_in(running.url), Browser(floor.url)
    scroll = scrolled(browser)
    for one in all_measured(
        size.contacts, cursor, scroll, searching=options.indexed > 0
    ):
        _let_the_worker_rest(app)
        one.floor, one.timing = measure(
            (beside, _ask_floor), (browser, one.ask), times=one.times
        )
        result.pages.append(one)
    if options.indexed:
        _let_the_worker_rest(app)
        result.findable = findable(browser)
    result.first_load = _first_load(browser)
    contact = next(one for one in result.pages if one.name == "contact page")
    _let_the_worker_rest(app)
    _ask_together(result, contact.ask, running, floor, options.seconds)


def _ask_together(
    result: Result, ask: Ask, running: Served, floor: Served, seconds: float
) -> None:
    """Let eight clients ask as fast as they can, for pages and for the floor in turn.

    A kept connection stays with one of the two processes, and which one is luck: each
    round connects anew, all at once, and the middle one counts.
    """
    beside = [Browser(floor.url) for _ in range(CLIENTS)]
    # To sign in takes time, and who connects one after the other meets one process.
    many = [_signed_in(running.url) for _ in range(CLIENTS)]
    rates: list[float] = []
    floor_rates: list[float] = []
    for _round in range(ROUNDS):
        for one in (*beside, *many):
            one.close()
        floor_rates.append(throughput(beside, _ask_floor, seconds=seconds))
        rates.append(throughput(many, ask, seconds=seconds))
    result.floor_rate = statistics.median(floor_rates)
    result.rate = statistics.median(rates)


def _ask_floor(browser: Browser) -> Any:
    return browser.get("/")


def _first_load(browser: Browser) -> int:
    """Give the bytes a browser fetches to show a contact page for the first time."""
    _status, answer, body = browser.get("/contacts/2")
    total, page = len(body), text_of(answer, body)
    for path in set(re.findall(r'(?:href|src)="(/assets/[^"#]+)["#]', page)):
        total += len(browser.get(path)[2])
    return total


def _import(folder: Path, url: str, running: Served, size: company.Size) -> Imported:
    file = folder / "people.csv"
    _write_people(file, size.people, size.organisations)
    _say(f"bringing in {size.people} contacts")
    return bring_in(folder, url, file, size.people, _signed_in(running.url))


def _write_people(file: Path, people: int, organisations: int) -> None:
    rng = random.Random(7)
    heads = "given_name,family_name,email,phone,organisation,street,city,country,role"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(heads.split(","))
        for n in range(people):
            writer.writerow(
                (
                    rng.choice(words.GIVEN),
                    rng.choice(words.FAMILY),
                    f"new{n}@import{n % 997}.example",
                    f"040 {n % 900 + 100} {n % 9_000 + 1_000}",
                    f"Imported {n % max(1, organisations)} Oy",
                    f"Satamakatu {n % 90}",
                    "Helsinki",
                    "Finland",
                    "customer",
                )
            )


if __name__ == "__main__":
    sys.exit(main())
