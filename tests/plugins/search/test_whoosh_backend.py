"""The Whoosh engine: what it finds, who sees it, and what it survives."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from plugins.search.backend import (
    COUNT_CAP,
    DocumentRefused,
    IndexBroken,
    IndexMissing,
    IndexOp,
    WriterBusy,
)
from plugins.search.whoosh_backend import WhooshBackend
from plugins.search.whoosh_folder import IndexFolder


def keys(page):
    return [hit.key for hit in page.hits]


def dice(seed):
    # Not for secrets: the same numbers in every run.
    return random.Random(seed)


def store(backend, *docs):
    backend.apply([IndexOp.upsert(doc) for doc in docs])


@pytest.fixture
def reopen(backend, analyser):
    """Return another engine over the same folder, as another process has one."""
    return lambda: WhooshBackend(backend.root, analysis_version=analyser.version)


def current_folder(backend):
    return IndexFolder(backend.root).current()


# Finding and ranking


def test_a_hit_carries_what_was_indexed(backend, make_doc, search):
    store(backend, make_doc("note/1", "Hello", contact_id=7, updated_at=99, rev=3))
    (hit,) = search(backend, "hello").hits
    assert (hit.key, hit.type, hit.contact_id, hit.updated_at, hit.rev) == (
        "note/1",
        "note",
        7,
        99,
        3,
    )


def test_an_update_replaces_what_was_there(backend, make_doc, search):
    store(backend, make_doc("note/1", "Old", rev=1))
    store(backend, make_doc("note/1", "New", rev=2))
    assert keys(search(backend, "old")) == []
    assert [hit.rev for hit in search(backend, "new").hits] == [2]
    assert backend.stats().documents == 1


def test_the_last_change_of_a_batch_wins(backend, make_doc, search):
    backend.apply(
        [
            IndexOp.upsert(make_doc("note/1", "first")),
            IndexOp.upsert(make_doc("note/1", "second")),
            IndexOp.upsert(make_doc("note/2", "first")),
            IndexOp.delete("note/2"),
        ]
    )
    assert keys(search(backend, "first")) == []
    assert keys(search(backend, "second")) == ["note/1"]


def test_changes_may_be_repeated(backend, make_doc):
    changes = [IndexOp.upsert(make_doc("note/1", "x")), IndexOp.delete("note/2")]
    backend.apply(changes)
    backend.apply(changes)
    assert list(backend.revisions()) == [("note/1", 1)]


def test_what_is_deleted_is_gone_in_an_engine_that_was_open(
    backend, make_doc, search, reopen
):
    other = reopen()
    store(backend, make_doc("note/1", "secret"), make_doc("note/2", "secret"))
    assert search(other, "secret").total == 2
    for change in (IndexOp.delete("note/1"), IndexOp.upsert(make_doc("note/2", "x"))):
        backend.apply([change])
    assert search(other, "secret").total == 0
    assert keys(search(other, "x")) == ["note/2"]


def test_the_identifier_comes_before_the_title_and_the_title_before_the_body(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/body", "Note", "about AB-1234 and more"),
        make_doc("note/title", "About AB-1234", "nothing"),
        make_doc("note/ident", "Pump", "nothing", identifiers=["AB-1234"]),
    )
    assert keys(search(backend, "AB-1234"))[-1] == "note/body"
    store(backend, make_doc("note/title2", "Pumps", "nothing"))
    found = keys(search(backend, "pump"))
    assert found == ["note/ident", "note/title2"]


def test_a_word_in_the_title_counts_more_than_in_the_body(backend, make_doc, search):
    store(
        backend,
        make_doc("note/1", "Meeting", "about the contract with them"),
        make_doc("note/2", "Contract", "about the meeting with them"),
    )
    assert keys(search(backend, "contract")) == ["note/2", "note/1"]


def test_equal_hits_come_newest_first(backend, make_doc, search):
    store(
        backend,
        *(make_doc(f"note/{n}", "same", updated_at=n * 10**6) for n in (2, 3, 1)),
    )
    assert keys(search(backend, "same")) == ["note/3", "note/2", "note/1"]


@pytest.mark.parametrize("query", ["word", "word other", '"word"', ""])
def test_hits_are_sorted_by_date_alone_where_that_is_asked_for(
    backend, make_doc, search, query
):
    store(
        backend,
        make_doc("note/1", "", "word " + "filler " * 50, updated_at=2 * 10**6),
        make_doc("note/2", "word word", updated_at=1 * 10**6),
        make_doc("note/3", "word", updated_at=3 * 10**6),
    )
    # A segment of its own.
    store(backend, make_doc("note/4", "", "a word", updated_at=2 * 10**6 + 1))
    newest = ["note/3", "note/4", "note/1", "note/2"]
    asked = {"without_words": not query}
    assert keys(search(backend, query, order="newest", **asked)) == newest
    assert keys(search(backend, query, order="oldest", **asked)) == newest[::-1]
    page = search(backend, query, order="oldest", limit=2, offset=1, **asked)
    assert keys(page) == newest[::-1][1:3]


def test_sorted_by_date_records_with_some_of_the_words_do_not_push_in(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/1", "alpha beta", updated_at=1),
        make_doc("note/2", "alpha", updated_at=2),
    )
    page = search(backend, "alpha beta", order="newest")
    assert (keys(page), page.is_relaxed) == (["note/1"], False)
    page = search(backend, "alpha gamma", order="newest")
    assert (keys(page), page.is_relaxed) == (["note/2", "note/1"], True)


@pytest.mark.parametrize("query", ["word", "word other", '"word"', ""])
def test_all_hits_are_counted_by_type_and_by_team_and_no_hidden_ones(
    backend, make_doc, search, query
):
    given = {"kind": "ticket", "facets": ["team:3", "tag:pump"]}
    store(
        backend,
        *(make_doc(f"note/{n}", "word", facets=["team:3", "team:4"]) for n in range(3)),
        make_doc("note/8", "word", labels=["boss"], facets=["team:5"]),
    )
    store(backend, *(make_doc(f"ticket/{n}", "word", **given) for n in range(2)))
    asked = {"counting": True, "without_words": not query, "limit": 1}
    page = search(backend, query, **asked)
    expected = {"type:note": 3, "type:ticket": 2, "team:3": 5, "team:4": 3}
    assert page.counts == expected
    page = search(backend, query, types=frozenset({"ticket"}), **asked)
    assert page.counts == {"type:ticket": 2, "team:3": 2}
    assert search(backend, query, labels=frozenset({"boss"}), **asked).counts == {
        "type:note": 1,
        "team:5": 1,
    }
    assert search(backend, query, without_words=not query).counts == {}


def test_records_with_all_the_words_come_before_those_with_some(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/1", "alpha"),
        make_doc("note/2", "", "alpha " + "filler " * 200 + "beta"),
    )
    page = search(backend, "alpha beta")
    assert keys(page) == ["note/2", "note/1"]
    assert page.is_relaxed
    assert search(backend, "alpha beta", strict=True).total == 1


def test_pages_follow_one_another_without_gap_or_repetition(backend, make_doc, search):
    store(backend, *(make_doc(f"note/{n}", "word", "x " * n) for n in range(25)))
    pages = [search(backend, "word", limit=10, offset=start) for start in (0, 10, 20)]
    assert [len(page.hits) for page in pages] == [10, 10, 5]
    assert len({key for page in pages for key in keys(page)}) == 25
    assert keys(search(backend, "word", limit=10, offset=100)) == []
    assert search(backend, "word", limit=0).total == 25


def test_totals_stop_at_the_cap_and_say_so(backend, make_doc, search):
    build = backend.begin_build()
    build.add(make_doc(f"note/{n}", "word") for n in range(COUNT_CAP + 5))
    build.finish()
    page = search(backend, "word")
    assert (page.total, page.total_is_exact) == (COUNT_CAP, False)
    page = search(backend, "word", only_contacts=frozenset({1}))
    assert (page.total, page.total_is_exact) == (0, True)


def test_a_search_without_words_finds_nothing(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    assert search(backend, "").total == 0
    assert search(backend, "-other").total == 0


def test_when_the_time_is_over_the_answer_says_so(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    page = search(backend, "word", deadline=1e-9)
    assert page.is_partial
    assert not page.total_is_exact
    assert search(backend, "word", deadline=5.0).total == 1


# Who sees what


@pytest.fixture
def shared(backend, make_doc):
    """Return an engine with records of several readers, contacts and types."""
    store(
        backend,
        make_doc("note/1", "word", labels=["staff"], contact_id=1),
        make_doc("note/2", "word", labels=["team:3", "user:7"], contact_id=2),
        make_doc("note/3", "word", labels=["portal", "staff"], contact_id=3),
        make_doc("ticket/4", "word", labels=["staff"], kind="ticket"),
        make_doc("note/5", "word", labels=[], contact_id=1),
    )
    return backend


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ({"labels": {"staff"}}, {"note/1", "note/3", "ticket/4"}),
        ({"labels": {"team:3"}}, {"note/2"}),
        ({"labels": {"user:7", "staff"}}, {"note/1", "note/2", "note/3", "ticket/4"}),
        ({"labels": {"portal"}, "contact_ids": {3}}, {"note/3"}),
        ({"labels": {"portal"}, "contact_ids": {1}}, set()),
        ({"labels": set()}, set()),
        ({"labels": {"nobody"}}, set()),
        ({"types": {"note"}}, {"note/1", "note/3"}),
        ({"types": set()}, set()),
        ({"contact_ids": set()}, {"ticket/4"}),
        ({"contact_ids": {1}}, {"note/1", "ticket/4"}),
        ({"contact_ids": {1, 3, *range(100, 400)}}, {"note/1", "note/3", "ticket/4"}),
        ({"only_contacts": {1}}, {"note/1"}),
        ({"only_contacts": {1}, "contact_ids": {3}}, set()),
        ({"only_contacts": {3}, "contact_ids": {3}}, {"note/3"}),
        ({"no_contacts": {1}}, {"note/3", "ticket/4"}),
    ],
)
@pytest.mark.parametrize("query", ["word", "word other", '"word"', "wor"])
def test_only_what_the_reader_may_see_is_found_and_counted(
    shared, search, query, asked, seen
):
    asked = {name: frozenset(value) for name, value in asked.items()}
    page = search(shared, query, typing=query == "wor", **asked)
    assert set(keys(page)) == seen
    assert page.total == len(seen)


def test_a_change_of_label_is_in_force_with_the_commit(shared, make_doc, search):
    store(shared, make_doc("note/1", "word", labels=["team:3"], contact_id=1))
    assert "note/1" not in keys(search(shared, "word"))
    assert "note/1" in keys(search(shared, "word", labels=frozenset({"team:3"})))


def test_hidden_records_do_not_decide_whether_a_search_is_relaxed(
    backend, make_doc, search
):
    store(backend, *(make_doc(f"n/{n}", "a1 b2", labels=["boss"]) for n in range(30)))
    store(backend, make_doc("note/1", "a1"))
    assert keys(search(backend, "a1 b2")) == ["note/1"]


# Writing, building and switching


def test_a_build_replaces_the_index_and_keeps_the_last_one(
    backend, make_doc, search, reopen
):
    other = reopen()
    store(backend, make_doc("note/1", "old"))
    assert search(other, "old").total == 1
    before = current_folder(backend)
    build = backend.begin_build()
    build.add([make_doc("note/2", "new")])
    assert search(other, "old").total == 1
    stats = build.finish()
    assert (stats.documents, stats.counts) == (1, {"note": 1})
    assert keys(search(other, "new")) == ["note/2"]
    assert search(other, "old").total == 0
    backend.begin_build().finish()
    folders = [path for path in backend.root.iterdir() if path.is_dir()]
    assert len(folders) == 2
    assert before not in folders


def test_changes_made_during_a_build_are_in_the_new_index(backend, make_doc, search):
    store(backend, make_doc("note/1", "gone"), make_doc("note/2", "stale"))
    build = backend.begin_build()
    build.add([make_doc("note/1", "gone")])
    backend.apply(
        [
            IndexOp.delete("note/1"),
            IndexOp.upsert(make_doc("note/2", "fresh", contact_id=5)),
            IndexOp.upsert(make_doc("note/3", "added")),
        ]
    )
    build.add([make_doc("note/2", "stale"), make_doc("note/2", "stale again")])
    build.finish()
    assert search(backend, "gone").total == 0
    assert search(backend, "stale").total == 0
    assert [hit.contact_id for hit in search(backend, "fresh").hits] == [5]
    assert keys(search(backend, "added")) == ["note/3"]


def test_an_aborted_build_leaves_the_index_as_it_was(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    build = backend.begin_build()
    build.add([make_doc("note/2", "word")])
    build.abort()
    assert keys(search(backend, "word")) == ["note/1"]
    assert len([path for path in backend.root.iterdir() if path.is_dir()]) == 1
    backend.begin_build().abort()


def test_only_one_build_runs_at_a_time(backend, reopen):
    build = backend.begin_build()
    with pytest.raises(WriterBusy):
        reopen().begin_build()
    build.abort()
    reopen().begin_build().abort()


def test_the_index_says_why_it_has_to_be_built(tmp_path, analyser, backend):
    assert backend.needs_build() is None
    fresh = WhooshBackend(tmp_path / "new", analysis_version=analyser.version)
    assert fresh.needs_build() == "missing"
    assert WhooshBackend(backend.root, analysis_version="2").needs_build() == "analysis"
    folder = current_folder(backend)
    older = folder.with_name("0-" + folder.name.partition("-")[2])
    folder.rename(older)
    IndexFolder(backend.root).switch(older)
    assert backend.needs_build() == "schema"


def test_a_record_that_cannot_be_indexed_is_named_and_nothing_is_changed(
    backend, make_doc, search
):
    with pytest.raises(DocumentRefused) as refused:
        store(backend, make_doc("note/1", "word"), make_doc("note/\ud800", "word"))
    assert refused.value.key == "note/\ud800"
    assert search(backend, "word").total == 0
    store(backend, make_doc("note/1", "word"))
    assert search(backend, "word").total == 1


def test_an_optimised_index_has_one_segment_and_the_same_hits(
    backend, make_doc, search
):
    for n in range(6):
        store(backend, make_doc(f"note/{n}", "word", f"body{n}"))
    backend.apply([IndexOp.delete("note/0")])
    backend.optimise()
    stats = backend.stats()
    assert (stats.segments, stats.documents) == (1, 5)
    assert search(backend, "word").total == 5
    assert search(backend, "body3").total == 1
    assert backend.verify(quick=False) == []


def test_many_commits_keep_the_segments_few(backend, make_doc, search):
    for n in range(40):
        store(backend, make_doc(f"note/{n % 30}", "word", f"body{n}"))
    assert backend.stats().segments <= 12
    assert search(backend, "word").total == 30
    assert sorted(key for key, _ in backend.revisions()) == sorted(
        f"note/{n}" for n in range(30)
    )


def test_two_writers_at_once_both_succeed(backend, make_doc, search, reopen):
    def write(number):
        engine = reopen()
        for n in range(5):
            store(engine, make_doc(f"note/{number}-{n}", "word"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    assert search(backend, "word").total == 15


def test_a_writer_that_waits_in_vain_says_so(backend, make_doc):
    hasty = WhooshBackend(backend.root, analysis_version="1", patience=0.2)
    with IndexFolder(backend.root).writing(), pytest.raises(WriterBusy):
        store(hasty, make_doc("note/1", "word"))


def test_threads_search_one_engine_while_another_writes(
    backend, make_doc, search, reopen
):
    words = [f"w{n}" for n in range(40)]
    body = dice(1)
    build = backend.begin_build()
    build.add(
        make_doc(f"note/{n}", "", " ".join(body.sample(words, 12))) for n in range(400)
    )
    build.finish()
    queries = [*words, *(f'"{a} {b}"' for a, b in pairwise(words))]
    expected = {query: search(backend, query).total for query in queries}
    writer, done = reopen(), threading.Event()

    def write():
        for n in range(15):
            store(writer, make_doc(f"other/{n}", "unrelated"))
        done.set()

    def read(seed):
        mine, wrong = dice(seed), []
        while not done.is_set():
            query = mine.choice(queries)
            if search(backend, query).total != expected[query]:
                wrong.append(query)
        return wrong

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read, seed) for seed in range(4)]
        pool.submit(write).result()
        assert [reader.result() for reader in readers] == [[], [], [], []]


def test_files_of_replaced_commits_are_closed(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    search(backend, "word")
    before = len(os.listdir("/proc/self/fd"))
    for n in range(30):
        store(backend, make_doc("note/1", "word", f"body{n}"))
        search(backend, "word")
    assert len(os.listdir("/proc/self/fd")) <= before + backend.stats().segments


# Damage


def test_without_an_index_the_caller_is_told(tmp_path, analyser, search):
    engine = WhooshBackend(tmp_path / "none", analysis_version=analyser.version)
    with pytest.raises(IndexMissing):
        search(engine, "word")
    with pytest.raises(IndexMissing):
        engine.apply([IndexOp.delete("note/1")])
    assert not (tmp_path / "none" / "CURRENT").exists()


@pytest.fixture
def filled(backend, make_doc):
    """Return an engine with enough records for its files to have something inside."""
    build = backend.begin_build()
    build.add(make_doc(f"note/{n}", f"word n{n}", "body " * n) for n in range(200))
    build.finish()
    return backend


def the_file(backend, suffix):
    return next(current_folder(backend).glob(f"*{suffix}"))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".seg", ".toc"])
@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_truncated_file_is_a_broken_index(
    filled, reopen, search, suffix, share, with_manifest
):
    file = the_file(filled, suffix)
    os.truncate(file, int(file.stat().st_size * share))
    if not with_manifest:
        (file.parent / "MANIFEST.json").unlink()
    with pytest.raises(IndexBroken):
        search(reopen(), "word body")
    assert filled.needs_build() == "broken"


@pytest.mark.parametrize("suffix", [".seg", ".toc"])
def test_a_missing_or_foreign_file_is_a_broken_index(filled, reopen, search, suffix):
    file = the_file(filled, suffix)
    file.write_bytes(os.urandom(file.stat().st_size))
    with pytest.raises(IndexBroken):
        search(reopen(), "word")
    file.unlink()
    with pytest.raises(IndexBroken):
        search(reopen(), "word")
    assert filled.verify() != []


def test_zeroes_inside_a_file_are_found_by_the_full_check(filled):
    file = the_file(filled, ".seg")
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(bytes(64))
    assert filled.verify() == []
    assert [problem.file for problem in filled.verify(quick=False)] == [file.name]


def test_a_sound_index_that_is_written_meanwhile_is_not_called_damaged(
    filled, make_doc, reopen
):
    writer, done = reopen(), threading.Event()

    def write():
        try:
            for n in range(25):
                store(writer, make_doc(f"other/{n}", "unrelated"))
            build = writer.begin_build()
            build.add(make_doc(f"note/{n}", "word") for n in range(30))
            build.finish()
        finally:
            done.set()

    checked = 0
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not done.is_set():
            assert filled.verify(quick=False) == []
            assert filled.verify() == []
            checked += 1
        writing.result()
    assert checked > 25


def test_a_pointer_that_leads_elsewhere_is_no_index(filled, search, reopen):
    for name in ("", "nowhere", "../elsewhere", "\ud7ff".encode().decode("latin-1")):
        (filled.root / "CURRENT").write_text(name, encoding="utf-8")
        with pytest.raises(IndexMissing):
            search(reopen(), "word")


def test_a_broken_index_is_rebuilt_beside_the_ruins(filled, make_doc, search, reopen):
    os.truncate(the_file(filled, ".seg"), 100)
    engine = reopen()
    build = engine.begin_build()
    build.add([make_doc("note/1", "word")])
    build.finish()
    assert engine.needs_build() is None
    assert keys(search(engine, "word")) == ["note/1"]
    assert keys(search(filled, "word")) == ["note/1"]


WRITER = """
import sys
from pathlib import Path
from plugins.search.analysis import DocumentTokens
from plugins.search.backend import IndexDoc, IndexOp
from plugins.search.whoosh_backend import WhooshBackend
root, version, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
engine = WhooshBackend(root, analysis_version=version)
for batch in range(first, first + 10_000):
    words = DocumentTokens(surf=("word", f"b{batch}"))
    engine.apply([
        IndexOp.upsert(IndexDoc(key, "note", ("staff",), None, 0, 1, words))
        for key in (f"n/{batch}-{n}" for n in range(20))
    ])
    print(batch, flush=True)
"""


@pytest.mark.parametrize("round_number", range(5))
def test_a_killed_writer_leaves_whole_batches_and_a_readable_index(
    backend, analyser, make_doc, search, reopen, round_number
):
    pause = dice(round_number).uniform(0.0, 0.25)
    command = [sys.executable, "-c", WRITER, str(backend.root), analyser.version, "0"]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(3):
        writer.stdout.readline()
    time.sleep(pause)
    os.kill(writer.pid, signal.SIGKILL)
    told = [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    engine = reopen()
    finished = max([2, *told]) + 1
    assert engine.stats().documents in {finished * 20, (finished + 1) * 20}
    assert engine.verify(quick=False) == []
    store(engine, make_doc("note/1", "after"))
    assert keys(search(engine, "after")) == ["note/1"]
    assert search(engine, "b0").total == 20
    names = [path.name for path in current_folder(engine).iterdir()]
    assert sum(name.endswith(".toc") for name in names) == 1
    assert not [name for name in names if ".toc." in name]


def test_a_killed_builder_is_cleared_away(backend, make_doc, search, reopen):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from plugins.search.whoosh_backend import WhooshBackend\n"
        "engine = WhooshBackend(Path(sys.argv[1]), analysis_version='x')\n"
        "build = engine.begin_build()\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(backend.root)]
    builder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert builder.stdout is not None
    builder.stdout.readline()
    store(backend, make_doc("note/1", "during"))
    assert len(list(backend.root.glob("*/JOURNAL"))) == 1
    builder.kill()
    builder.wait()
    builder.stdout.close()
    store(backend, make_doc("note/2", "after"))
    assert len([path for path in backend.root.iterdir() if path.is_dir()]) == 1
    assert search(reopen(), "after").total == 1


@pytest.mark.parametrize("room", [0, 500, 2000, 6000])
def test_a_full_disk_leaves_the_index_as_it_was(backend, make_doc, search, room):
    store(backend, make_doc("note/1", "before"))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            store(backend, make_doc("note/1", "after", "many words " * 500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert keys(search(backend, "before")) == ["note/1"]
    store(backend, make_doc("note/1", "after"))
    assert keys(search(backend, "after")) == ["note/1"]
    assert backend.verify(quick=False) == []
