import hashlib
import io
import multiprocessing
import os
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from core.errors import NotFound, TooLarge, Unavailable
from core.files import FileStore, StoredFile, file_store, init_files


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def put(store: FileStore, content: bytes, *, limit: int | None = None) -> StoredFile:
    return store.put(io.BytesIO(content), limit=limit)


def everything(store: FileStore) -> set[Path]:
    """All files in the store's folder but the lock, which is always there."""
    return {
        path for path in store.root.rglob("*") if path.is_file() and path.name != "lock"
    }


def test_what_is_stored_is_found_under_its_hash(store: FileStore) -> None:
    stored = put(store, b"price list")
    assert stored == StoredFile(hashlib.sha256(b"price list").hexdigest(), 10)
    assert store.exists(stored.sha256)
    with store.open(stored.sha256) as file:
        assert file.read() == b"price list"
    name = stored.sha256
    assert store.path(name) == store.root / name[:2] / name[2:4] / name


def test_an_empty_file_is_a_file(store: FileStore) -> None:
    stored = put(store, b"")
    assert stored.size == 0
    assert store.verify(stored.sha256)


def test_a_file_larger_than_memory_chunks_arrives_whole(store: FileStore) -> None:
    content = bytes(range(256)) * 20_000
    stored = put(store, content)
    assert store.path(stored.sha256).read_bytes() == content


def test_the_same_content_is_stored_once(store: FileStore) -> None:
    first = put(store, b"same")
    second = put(store, b"same")
    put(store, b"other")
    assert first == second
    assert len(everything(store)) == 2


def test_the_hashes_are_listed_in_order(store: FileStore) -> None:
    assert list(store.hashes()) == []
    stored = [put(store, f"file {n}".encode()).sha256 for n in range(20)]
    assert list(store.hashes()) == sorted(stored)


def test_a_file_at_the_limit_is_taken_and_a_byte_more_refused(store: FileStore) -> None:
    put(store, b"x" * 1000, limit=1000)
    with pytest.raises(TooLarge) as refusal:
        put(store, b"y" * 1_500_001, limit=1_500_000)
    assert "1.5 MB" in str(refusal.value)
    assert len(everything(store)) == 1


def test_an_upload_that_breaks_off_leaves_nothing(store: FileStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            chunk = super().read(10)
            if not chunk:
                raise ConnectionResetError
            return chunk

    with pytest.raises(ConnectionResetError):
        store.put(Broken(b"x" * 100), limit=None)
    assert everything(store) == set()


def test_what_is_not_there_is_not_found(store: FileStore) -> None:
    missing = "0" * 64
    assert not store.exists(missing)
    assert not store.verify(missing)
    assert not store.remove(missing)
    with pytest.raises(NotFound):
        store.open(missing)
    with pytest.raises(NotFound):
        store.path(missing)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "A" * 64, "", "0" * 63])
def test_nothing_but_a_hash_becomes_a_path(store: FileStore, name: str) -> None:
    (store.root.parent / "secret").write_text("key")
    assert not store.exists(name)
    with pytest.raises(NotFound):
        store.open(name)
    with pytest.raises(NotFound):
        store.remove(name)


def test_damage_is_noticed_and_healed_by_the_same_file(store: FileStore) -> None:
    stored = put(store, b"contract")
    assert store.verify(stored.sha256)
    store.path(stored.sha256).write_bytes(b"contrast")
    assert not store.verify(stored.sha256)
    put(store, b"contract")
    assert store.verify(stored.sha256)


def test_removing_leaves_the_others(store: FileStore) -> None:
    gone, kept = put(store, b"gone").sha256, put(store, b"kept").sha256
    assert store.remove(gone)
    assert list(store.hashes()) == [kept]


def test_content_stored_again_a_moment_ago_is_not_removed(store: FileStore) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    old = put(store, b"upload").sha256
    set_age(store.path(old), timedelta(days=2))
    put(store, b"upload")
    assert not store.remove(old, stored_before=long_ago)
    set_age(store.path(old), timedelta(days=2))
    assert store.remove(old, stored_before=long_ago)


def test_what_a_killed_process_left_can_be_cleared(store: FileStore) -> None:
    put(store, b"whole")
    for name, age in {"old.part": timedelta(days=2), "new.part": timedelta()}.items():
        path = store.root / "incoming" / name
        path.write_bytes(b"half")
        set_age(path, age)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert store.remove_unfinished(started_before=yesterday) == 1
    assert (store.root / "incoming" / "new.part").exists()


def set_age(path: Path, age: timedelta) -> None:
    then = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (then, then))


def put_many(root: Path, first: int) -> None:
    store = FileStore(root)
    for n in range(first, first + 60):
        stored = put(store, f"file {n}".encode() * 1000)
        assert store.verify(stored.sha256)


def test_two_processes_store_at_once(store: FileStore) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=put_many, args=(store.root, first)) for first in (0, 30)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list(store.hashes())) == 90
    assert all(map(store.verify, store.hashes()))
    assert len(everything(store)) == 90


def put_without_room(root: Path) -> None:
    # The kernel refuses to write past this size, as a full disk would.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    store = FileStore(root)
    put(store, b"small")
    with pytest.raises(Unavailable) as refusal:
        put(store, b"x" * 3_000_000)
    assert "no room" in str(refusal.value)
    assert len(everything(store)) == 1
    put(store, b"small too")


def test_a_full_disk_is_said_and_leaves_nothing_half_written(store: FileStore) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=put_without_room, args=(store.root,)
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert len(list(store.hashes())) == 2


def test_an_app_has_its_own_store(tmp_path: Path) -> None:
    app = Flask(__name__)
    app.config["FILES_FOLDER"] = str(tmp_path / "kept")
    init_files(app)
    with app.app_context():
        stored = put(file_store(), b"a")
    assert (tmp_path / "kept" / stored.sha256[:2]).is_dir()
