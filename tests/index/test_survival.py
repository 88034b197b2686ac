"""Killed, disturbed, and on a full disk, an index ends up as if nothing had been."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.listening import encode
from emorank.model import EmotionRankCLAP
from tests.conftest import voice
from tests.index.conftest import same

KILLS = 20 if "EMORANK_FLOOD" in os.environ else 8
UPDATE = (
    "import sys; from emorank.model import EmotionRankCLAP\n"
    "from emorank.index import Index; from emorank.listening import encode\n"
    "encode._RECORDINGS_AT_ONCE = 3\n"
    "index = Index(sys.argv[1], EmotionRankCLAP.from_pretrained(sys.argv[2]))\n"
    "print('ready', flush=True)\n"
    "seen = {0}\n"
    "def tell(heard):\n"
    "    if heard.done not in seen: seen.add(heard.done); print(heard.done, flush=True)\n"
    "index.update(sys.argv[3], tell)\n"
)


def started(folder: Path, model: Path, root: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", UPDATE, str(folder), str(model), str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_like_an_undisturbed_one(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    rng = random.Random(0)
    root = recordings(90, seconds=0.3)
    index = Index(tmp_path / "index", model)
    survived = 0
    for kill in range(KILLS):
        for path in rng.sample(sorted(root.iterdir()), 8):  # there is always something to do, of every kind
            path.rename(path.with_name(f"{path.stem}m{kill}.wav"))
        for path in rng.sample(sorted(root.iterdir()), 8):
            soundfile.write(path, voice(0.3, 100 + 9 * kill), 16_000)
        process = started(tmp_path / "index", tiny_model, root)
        time.sleep(rng.uniform(0, 1.5))
        survived += process.poll() is not None
        process.kill()
        process.wait()
        index.segments()
        Index(tmp_path / "index", model)
    assert survived < 0.75 * KILLS
    index.update(root)
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(tmp_path / "index", model), fresh)
    assert index.update(root).kept == 90


def test_killed_while_the_index_is_made(tmp_path: Path, model: EmotionRankCLAP) -> None:
    (tmp_path / "index" / "segments.lance" / "_versions").mkdir(parents=True)
    (tmp_path / "index" / "segments.lance" / "data").mkdir()
    assert Index(tmp_path / "index", model).segments().paths == []


@pytest.mark.slow
def test_two_indexers_at_once(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    root = recordings(30)
    processes = [started(tmp_path / "index", tiny_model, root) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    done = [len(process.stdout.read().split()) for process in processes if process.stdout]
    assert sorted(done) == [0, 10]  # one did it all, the other found it done
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(tmp_path / "index", model), fresh)


@pytest.mark.slow
def test_files_that_change_all_the_time_end_like_files_at_rest(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    root = recordings(40)
    process = started(tmp_path / "index", tiny_model, root)
    rng = random.Random(1)
    while process.poll() is None:
        there = sorted(root.glob("*.wav"))
        path = rng.choice(there)
        match rng.randrange(4):
            case 0 if len(there) > 20:
                path.unlink()
            case 1:
                path.rename(root / f"r{rng.randrange(10**6)}.wav")
            case 2:
                path.write_bytes(path.read_bytes()[: rng.randrange(2000)])
            case _:
                soundfile.write(path, voice(rng.uniform(0.2, 0.8), rng.uniform(90, 300)), 16_000)
        time.sleep(0.02)
    assert process.wait() == 0
    index, fresh = Index(tmp_path / "index", model), Index(tmp_path / "fresh", model)
    broken = index.update(root).broken
    assert [str(error) for error in broken] == [str(error) for error in fresh.update(root).broken]
    same(index, fresh)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if not made or made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    small_disk: Path,
    tmp_path: Path,
    model: EmotionRankCLAP,
    recordings: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encode, "_RECORDINGS_AT_ONCE", 10)
    root = recordings(60, seconds=0.3)
    index = Index(small_disk / "index", model)
    index.update(root / "clip000.wav")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 60_000))
    with pytest.raises(EmorankError, match="the index cannot be written") as error:
        index.update(root)
    assert "\n" not in str(error.value)
    reopened = Index(small_disk / "index", model)
    assert str(root / "clip000.wav") in reopened.segments().paths
    filler.unlink()
    reopened.update(root)
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(small_disk / "index", model), fresh)
