"""A zip of clips is made piece by piece."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import soundfile

from emorank.search import Collection
from emorank.taking.archive import archive
from emorank.taking.moments import selection
from tests.taking.conftest import collection_of, moments, noise, write


def test_a_zip_of_five_hundred_clips_is_never_held(tmp_path: Path) -> None:
    for i in range(5):
        write(tmp_path / f"{i}.wav", noise(16_000 * 20, 2, seed=i), 16_000)
    collection = collection_of(
        [(str(tmp_path / f"{i}.wav"), j / 10, 10 + j / 10, 0) for i in range(5) for j in range(100)]
    )
    some = moments(collection)
    pieces = archive(some, lambda clips: selection(collection, some, clips))
    next(pieces)  # what is imported is no part of it
    tracemalloc.start()
    size = sum(map(len, pieces))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 300e6
    assert peak < 30e6


def test_an_archive_opens_and_what_is_broken_is_named(three: Callable[[], Collection], tmp_path: Path) -> None:
    collection = three()
    some = moments(collection, [4, 0, 3])
    data = b"".join(archive(some, lambda clips: selection(collection, some, clips), "flac", 0.1, ["datasets", "csv"]))
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == [
            *("0002-a-00m00.5s.flac", "0003-b-00m02.0s.flac"),
            *("moments.csv", "moments.jsonl", "metadata.csv", "skipped.txt"),
        ]
        assert packed.read("skipped.txt").decode() == (
            f"1\t{tmp_path / 'broken.wav'}\tit is not audio, or damaged beyond decoding.\n"
        )
        assert soundfile.info(io.BytesIO(packed.read("0002-a-00m00.5s.flac"))).frames == round(1.2 * 44_100)
        assert len(packed.read("metadata.csv").splitlines()) == 3


def test_who_stops_early_leaves_nothing_open(three: Callable[[], Collection]) -> None:
    collection = three()
    some = moments(collection)
    pieces = archive(some, lambda clips: selection(collection, some, clips))
    next(pieces)
    pieces.close()
    assert next(pieces, None) is None
