"""Digests of files: what is remembered is what would be read, and the store is never a reason to fail."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emorank import digest
from emorank.digest import content_digest, digest_of_file, known_digest, known_digests, open_regular

OLD = time.time() - 3600


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were really read."""
    read: list[str] = []

    def counted(file: digest.FileIO) -> str:
        read.append(Path(os.fsdecode(file.name)).name)
        return digest_of_file(file)

    monkeypatch.setattr(digest, "digest_of_file", counted)
    monkeypatch.setattr(digest, "_SETTLED", -(10**12))  # a file of this test is as good as an old one
    monkeypatch.setattr(digest, "_unkept", {})
    return read


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def written(name: str = "a.wav", content: bytes = b"abc") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def test_it_is_blake2b_of_all_bytes(make: Callable[..., Path]) -> None:
    content = bytes(range(256)) * 5000
    assert content_digest(make(content=content)) == hashlib.blake2b(content, digest_size=16).hexdigest()
    with open_regular(make("b.wav", content)) as file:
        file.seek(1000)
        assert digest_of_file(file) == content_digest(make(content=content))


def test_a_file_is_read_once_as_long_as_it_is_the_same(make: Callable[..., Path], reads: list[str]) -> None:
    path = make()
    expected = content_digest(path)
    reads.clear()
    assert [known_digest(path) for _ in range(3)] == [expected] * 3
    assert reads == ["a.wav"]


def rewritten(path: Path) -> None:
    path.write_bytes(b"xyz")


def longer(path: Path) -> None:
    path.write_bytes(b"abcd")


def with_its_old_time(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"xyz")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"xyz")
    os.replace(other, path)


@pytest.mark.parametrize("change", [rewritten, longer, with_its_old_time, replaced])
def test_every_change_is_noticed(make: Callable[..., Path], reads: list[str], change: Callable[[Path], None]) -> None:
    path = make()
    before = known_digest(path)
    time.sleep(0.02)  # more than a tick of the file system's clock
    change(path)
    assert known_digest(path) == content_digest(path) != before


def test_a_file_that_has_just_changed_is_not_trusted_yet(
    make: Callable[..., Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the clock a second change leaves size and times as they are."""
    monkeypatch.setattr(digest, "_SETTLED", 2 * 10**9)
    path = make()
    known_digest(path)
    known_digest(path)
    assert reads == ["a.wav", "a.wav"]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    make: Callable[..., Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make()
    counted = digest.digest_of_file

    def slow(file: digest.FileIO) -> str:
        found = counted(file)
        if len(reads) == 1:
            time.sleep(0.02)
            path.write_bytes(b"xyz")
        return found

    monkeypatch.setattr(digest, "digest_of_file", slow)
    known_digest(path)
    assert known_digest(path) == content_digest(path)


def test_many_files_in_order_with_the_reasons_of_those_that_cannot_be_read(
    make: Callable[..., Path], reads: list[str], tmp_path: Path
) -> None:
    paths = [make(f"{index}.wav", str(index % 7).encode()) for index in range(1200)]
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    asked = [*map(str, paths[:600]), str(tmp_path / "gone.wav"), str(pipe), "a\0b", *map(str, paths[600:])]
    found = list(known_digests(asked))
    assert [path for path, _ in found] == asked
    reasons = {path: result.strerror for path, result in found if isinstance(result, OSError)}
    assert list(reasons) == [str(tmp_path / "gone.wav"), str(pipe), "a\0b"]
    assert reasons[str(pipe)] == "it is not a regular file"
    assert len({result for _, result in found if isinstance(result, str)}) == 7
    reads.clear()
    assert [result for _, result in known_digests(map(str, paths))] == [content_digest(path) for path in paths]
    assert len(reads) == 1200  # content_digest's own
    with pytest.raises(OSError, match="gone"):
        known_digest(tmp_path / "gone.wav")


def test_what_was_read_is_kept_when_the_caller_stops(make: Callable[..., Path], reads: list[str]) -> None:
    paths = [make(f"{index}.wav") for index in range(5)]
    for count, _ in enumerate(known_digests(paths), start=1):
        if count == 3:
            break
    reads.clear()
    list(known_digests(paths))
    assert reads == ["3.wav", "4.wav"]


def test_names_that_are_no_utf8(tmp_path: Path, reads: list[str]) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.wav")
    Path(path).write_bytes(b"abc")
    assert known_digest(path) == known_digest(path) == content_digest(path)
    assert len(reads) == 2


def damaged(store: Path) -> None:
    store.write_bytes(b"this is no database" * 100)


def half(store: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{store}{suffix}").unlink(missing_ok=True)
    content = store.read_bytes()
    store.write_bytes(content[: len(content) // 2] + b"\xff" * 100)


def a_folder(store: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{store}{suffix}").unlink(missing_ok=True)
    store.mkdir()


def of_another_shape(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("DROP TABLE digests")
        connection.execute("CREATE TABLE digests (other TEXT)")
    connection.close()


@pytest.mark.parametrize("damage", [damaged, half, a_folder, of_another_shape])
def test_a_damaged_store_costs_time_alone(
    make: Callable[..., Path], reads: list[str], own_cache: Path, damage: Callable[[Path], None]
) -> None:
    path = make()
    expected = known_digest(path)
    damage(own_cache / digest.STORE_FILE)
    assert [known_digest(path) for _ in range(3)] == [expected] * 3
    assert len(reads) <= 2  # once more, then this process knows it


@pytest.mark.parametrize("damage", [damaged, half])
def test_a_store_that_is_no_database_is_made_anew(
    make: Callable[..., Path], reads: list[str], own_cache: Path, damage: Callable[[Path], None]
) -> None:
    paths = [make(f"{index}.wav") for index in range(400)]
    list(known_digests(paths))
    damage(own_cache / digest.STORE_FILE)
    list(known_digests(paths))
    list(known_digests(paths))
    with sqlite3.connect(own_cache / digest.STORE_FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_cache_that_cannot_be_made_costs_time_alone(
    make: Callable[..., Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make()
    monkeypatch.setenv("EMORANK_CACHE", str(make("file") / "cache"))
    assert known_digest(path) == known_digest(path) == content_digest(path)
    assert reads == ["a.wav", "a.wav"]  # one of them content_digest's


def test_a_locked_store_costs_time_alone(
    make: Callable[..., Path], reads: list[str], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "_PATIENCE", 0.05)
    first, second = make(), make("b.wav", b"b")
    known_digest(first)
    connection = sqlite3.connect(own_cache / digest.STORE_FILE, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    assert known_digest(second) == content_digest(second)
    assert known_digest(first) == content_digest(first)
    connection.close()


def test_processes_and_threads_share_it(make: Callable[..., Path], own_cache: Path) -> None:
    paths = [str(make(f"{index}.wav", os.urandom(100))) for index in range(300)]
    expected = [content_digest(path) for path in paths]
    code = (
        "import sys; from emorank import digest; digest._SETTLED = -10**12;"
        "print([d for _, d in digest.known_digests(sys.argv[1:])] == [digest.content_digest(p) for p in sys.argv[1:]])"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, *paths], stdout=subprocess.PIPE) for _ in range(3)]
    results: list[list[str | OSError]] = []
    threads = [
        threading.Thread(target=lambda: results.append([found for _, found in known_digests(paths)])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4
    assert [process.communicate()[0].strip() for process in running] == [b"True"] * 3


def test_nothing_but_the_standard_library_is_imported() -> None:
    code = "import sys, emorank.digest; print([name for name in ('numpy', 'torch') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
