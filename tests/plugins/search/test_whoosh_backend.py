"""The Whoosh engine: its files, and what it survives."""

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
def engine_name():
    return "whoosh"


def current_folder(backend):
    return IndexFolder(backend.root).current()


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


def test_an_aborted_build_leaves_the_index_as_it_was(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    build = backend.begin_build()
    build.add([make_doc("note/2", "word")])
    build.abort()
    assert keys(search(backend, "word")) == ["note/1"]
    assert len([path for path in backend.root.iterdir() if path.is_dir()]) == 1
    backend.begin_build().abort()


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
