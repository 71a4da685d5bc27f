"""Where answers are kept: what survives a process, several at once, and a disk that fails."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import warnings
from pathlib import Path

import pytest

from loopwright.errors import ConfigurationError
from loopwright.models import (
    CacheSettings,
    DiskStore,
    LayeredStore,
    LMResponse,
    MemoryStore,
    Store,
    Usage,
    default_store,
)
from loopwright.tools.calls import ToolCall

WHOLE = LMResponse(
    "ünï \ud800 \x00 text",
    (ToolCall("add", {"a": [1, 2.5, None], "b": {"c": True}}, "c1"), ToolCall("x", {}, "c2", malformed="{")),
    "because",
    "tool_calls",
    Usage(5, 2, 1, 0.25),
    "openai/any",
)


def _put_many(store: Store, count: int) -> None:
    for number in range(count):
        store.put(f"key {number}", LMResponse("x" * 5000))


def test_an_answer_comes_back_from_the_disk_as_it_was(tmp_path: Path) -> None:
    DiskStore(tmp_path / "deep" / "answers.sqlite").put("k", WHOLE)

    assert DiskStore(tmp_path / "deep" / "answers.sqlite").get("k") == WHOLE


def test_an_unknown_key_has_no_answer(tmp_path: Path) -> None:
    assert DiskStore(tmp_path / "a.sqlite").get("k") is None
    assert MemoryStore().get("k") is None


def test_the_folder_is_the_users_alone(tmp_path: Path) -> None:
    DiskStore(tmp_path / "private" / "a.sqlite").put("k", WHOLE)

    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700


def test_the_last_put_of_a_key_counts(tmp_path: Path) -> None:
    for store in (MemoryStore(), DiskStore(tmp_path / "a.sqlite")):
        store.put("k", LMResponse("old"))
        store.put("k", LMResponse("new"))
        assert store.get("k") == LMResponse("new")


def test_memory_forgets_what_was_longest_unused() -> None:
    store = MemoryStore(max_entries=2)
    store.put("a", LMResponse("a"))
    store.put("b", LMResponse("b"))
    store.get("a")
    store.put("c", LMResponse("c"))

    assert [store.get(key) is not None for key in "abc"] == [True, False, True]


def test_the_file_stays_below_its_size_and_the_oldest_answers_go(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "a.sqlite", max_bytes=400_000)
    for number in range(1024):
        store.put(f"key {number}", LMResponse("x" * 1000))

    assert store.get("key 0") is None
    assert store.get("key 1023") is not None
    store.close()
    assert (
        tmp_path / "a.sqlite"
    ).stat().st_size < 800_000  # up to 256 answers come between two looks at the size


def test_what_can_not_be_written_as_json_is_kept_in_memory_only(tmp_path: Path) -> None:
    odd = LMResponse("", (ToolCall("add", {"a": object()}),))
    disk = DiskStore(tmp_path / "a.sqlite")
    store = LayeredStore(MemoryStore(), disk)

    store.put("k", odd)

    assert (store.get("k"), disk.get("k")) == (odd, None)


def test_a_layer_is_filled_from_the_one_behind_it(tmp_path: Path) -> None:
    memory, disk = MemoryStore(), DiskStore(tmp_path / "a.sqlite")
    disk.put("k", WHOLE)
    store = LayeredStore(memory, disk)

    assert memory.get("k") is None
    assert store.get("k") == WHOLE
    assert memory.get("k") == WHOLE
    assert store.get("unknown") is None


@pytest.mark.parametrize(
    "row", ["", "nonsense", "[]", "{}", '{"text": 1}', '{"text": "a", "tool_calls": 7}', "[" * 100_000]
)
def test_a_row_that_was_spoilt_counts_as_not_kept(row: str, tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "a.sqlite")
    store.put("k", WHOLE)
    store.close()
    with sqlite3.connect(tmp_path / "a.sqlite") as other:
        other.execute("UPDATE answers SET answer = ?", (row,))
    other.close()

    assert store.get("k") is None


def test_a_file_that_is_no_database_is_warned_of_once_and_done_without(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    store = DiskStore(path)

    with pytest.warns(RuntimeWarning, match="can't be used .*going on without it. Remove the file") as caught:
        _put_many(store, 3)

    assert len(caught) == 1
    assert store.get("k") is None
    assert path.read_bytes().startswith(b"this is no database"), "a file that is not ours must not be touched"


def test_a_database_that_was_damaged_is_warned_of_and_done_without(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = DiskStore(path)
    for number in range(200):
        store.put(f"key {number}", LMResponse("x" * 500))
    store.close()
    pages = bytearray(path.read_bytes())
    pages[4096:] = os.urandom(len(pages) - 4096)
    path.write_bytes(bytes(pages))

    with pytest.warns(RuntimeWarning, match="going on without it"):
        assert store.get("key 7") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.put("key 7", WHOLE)
        assert store.get("key 7") is None


@pytest.mark.parametrize("blocked_by", ["a file in the folder's place", "a folder in the file's place"])
def test_a_place_that_can_not_be_written_is_warned_of_once(blocked_by: str, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "a.sqlite"
    if blocked_by.startswith("a file"):
        path.parent.write_text("in the way")
    else:
        path.mkdir(parents=True)
    store = LayeredStore(MemoryStore(), DiskStore(path))

    with pytest.warns(RuntimeWarning, match="LOOPWRIGHT_CACHE_DIR") as caught:
        _put_many(store, 3)

    assert len(caught) == 1
    assert store.get("key 0") is not None


def test_a_full_disk_is_warned_of_once_and_what_is_there_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    DiskStore(path).put("k", WHOLE)

    class SmallDisk(DiskStore):
        """SQLite itself answers "database or disk is full" beyond this many pages."""

        def _open(self) -> sqlite3.Connection:
            connection = super()._open()
            connection.execute("PRAGMA max_page_count = 4")
            return connection

    store = SmallDisk(path)
    with pytest.warns(RuntimeWarning, match="can't be written .*full") as caught:
        _put_many(store, 20)

    assert len(caught) == 1
    assert store.get("k") == WHOLE


def test_a_writer_that_is_busy_for_too_long_costs_one_answer_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = DiskStore(path)
    store.put("k", WHOLE)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    store.put("lost", WHOLE)
    assert store.get("k") == WHOLE
    other.execute("COMMIT")
    other.close()
    store.put("kept", WHOLE)

    assert (store.get("lost"), store.get("kept")) == (None, WHOLE)


def _write_many(path: Path, writer: int) -> None:
    store = DiskStore(path)
    for number in range(100):
        while store.get(f"{writer}:{number}") is None:  # the others may write for too long on a busy machine
            store.put(f"{writer}:{number}", LMResponse(f"answer {writer}:{number}"))
        store.put("shared", LMResponse("same"))


def test_several_processes_use_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    start = multiprocessing.get_context("spawn").Process
    writers = [start(target=_write_many, args=(path, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    store = DiskStore(path)
    kept = [store.get(f"{writer}:{number}") for writer in range(3) for number in range(100)]
    assert [one.text for one in kept if one] == [f"answer {w}:{n}" for w in range(3) for n in range(100)]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_the_file_for_itself(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "a.sqlite")
    store.put("before", WHOLE)
    reads, writes = os.pipe()

    child = os.fork()
    if child == 0:
        store.put("from the child", WHOLE)
        os.write(writes, b"y" if store.get("before") == WHOLE else b"n")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reads, 1) == b"y"
    assert store.get("from the child") == WHOLE
    os.close(reads)
    os.close(writes)


def test_threads_share_a_disk_store(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "a.sqlite")

    def work(writer: int) -> None:
        for number in range(50):
            store.put(f"{writer}:{number}", LMResponse("x"))
            assert store.get(f"{writer}:{number}") is not None

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert store.get("7:49") is not None


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({}, CacheSettings()),
        ({"LOOPWRIGHT_CACHE": "On"}, CacheSettings()),
        ({"LOOPWRIGHT_CACHE": "memory"}, CacheSettings(disk=False)),
        ({"LOOPWRIGHT_CACHE": "off"}, CacheSettings(memory=False, disk=False)),
        ({"LOOPWRIGHT_CACHE_DIR": "/x/y"}, CacheSettings(folder=Path("/x/y"))),
    ],
    ids=["nothing", "on", "memory", "off", "folder"],
)
def test_the_environment_settles_what_the_cache_is(
    environment: dict[str, str], settings: CacheSettings
) -> None:
    assert CacheSettings.from_environment(environment) == settings


def test_a_setting_of_the_environment_that_means_nothing_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match='LOOPWRIGHT_CACHE is \'maybe\'; it must be "on", "off" or'):
        CacheSettings.from_environment({"LOOPWRIGHT_CACHE": "maybe"})


def test_the_default_store_is_one_and_lies_in_the_folder_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE", "on")
    monkeypatch.setenv("LOOPWRIGHT_CACHE_DIR", str(tmp_path))
    store = default_store()
    assert store is not None
    assert store is default_store()
    assert list(tmp_path.iterdir()) == [], "nothing is opened before the first use"

    store.put("k", WHOLE)

    assert (tmp_path / "answers-1.sqlite").exists()


def test_without_a_folder_it_lies_in_the_users_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    store = CacheSettings(memory=False).open()
    assert store is not None

    store.put("k", WHOLE)

    assert list(tmp_path.rglob("answers-1.sqlite"))


def test_the_cache_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE", "off")

    assert default_store() is None
