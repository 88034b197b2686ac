"""A served index: in this process for requests, as a process of its own for browsers and for floods."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.index.named import NamedIndex
from emorank.serve.app import create_app
from emorank.serve.snapshots import ServedIndex
from tests.conftest import voice

SAMPLES = Path(__file__).parents[2] / "samples"


@dataclass(frozen=True)
class Served:
    """An index behind a client."""

    root: Path
    named: NamedIndex
    index: ServedIndex
    client: TestClient


def indexed(root: Path, model: Path | None, name: str = "calls") -> NamedIndex:
    table = root.parent / "speakers.csv"
    clips = sorted(root.rglob("*.*"))
    table.write_text(
        "\n".join(["path,speaker", *(f'"{clip}",{"ann" if i % 2 else "ben"}' for i, clip in enumerate(clips))])
    )
    named = NamedIndex.made(name, [str(root)], None if model is None else str(model))
    named.update()
    from emorank.corpora import read_table

    named.keep_labels(read_table(table))
    return named


def eight(root: Path) -> None:
    """Eight recordings, one of them long, one in a format that browsers do not play."""
    for i in range(6):
        soundfile.write(root / f"clip{i:03d}.wav", voice(0.6 + 0.1 * (i % 3), 110 + 15 * i, i), 16_000)
    shutil.copy(SAMPLES / "story-ben.ogg", root / "long.ogg")
    soundfile.write(root / "old.aiff", voice(1.2, 180), 16_000)


@contextmanager
def serving(home: Path, model: Path, fill: Callable[[Path], None] = eight) -> Iterator[Served]:
    """An index of what `fill` writes into a folder, behind a client."""
    root = home / "recordings"
    root.mkdir()
    fill(root)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EMORANK_DATA", str(home / "data"))
        named = indexed(root, model)
    index = ServedIndex(named)
    with TestClient(create_app(index), base_url="http://127.0.0.1:8321") as client:
        yield Served(root, named, index, client)


@pytest.fixture(scope="package")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An index that tests only read."""
    with serving(tmp_path_factory.mktemp("served"), tiny_model) as one:
        yield one


@pytest.fixture
def changing(tiny_model: Path, tmp_path: Path) -> Iterator[Served]:
    """An index of a test's own."""
    with serving(tmp_path, tiny_model) as one:
        yield one


@contextmanager
def server(name: str, *options: str) -> Iterator[str]:
    """emorank serve as a process; gives its address."""
    command = [sys.executable, "-m", "emorank", "serve", name, "--no-browser", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"at (http://\S+)", line)
            if found:
                yield found[1]
                break
        else:
            raise AssertionError("the server did not start")
    finally:
        process.terminate()
        process.wait(timeout=20)
