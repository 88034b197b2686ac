"""emorank embed: what it refuses, and what opens what it made."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emorank.index.named import NamedIndex
from emorank.model import EmotionRankCLAP
from emorank.scale.embed import Dataset
from emorank.scale.sources import source
from emorank.serve.snapshots import ServedIndex
from tests.cli.conftest import Run, heavy_imports
from tests.scale.conftest import Recordings, bucket, here, s3_server  # noqa: F401

Emorank = Callable[..., Run]


@pytest.mark.parametrize("kind", ["folder", "storage"])
def test_search_serve_and_export_open_a_dataset_by_its_place(
    kind: str,
    emorank: Emorank,
    recordings: Recordings,
    tiny_model: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    place = str(tmp_path / "out") if kind == "folder" else f"{request.getfixturevalue('bucket')}/out"
    model = EmotionRankCLAP.from_pretrained(tiny_model)
    root = recordings(3)
    (root / "t.csv").write_text("path,speaker\nclip000.wav,ann\nclip001.wav,bob\nclip002.wav,ann\n")
    Dataset.at(place, str(tiny_model), None, "").update(source(str(root / "t.csv")), here(model))
    found = emorank("search", "furious", place, "--json", "--where", "speaker = 'ann'").json
    assert sorted(hit["path"] for hit in found) == [str(root / "clip000.wav"), str(root / "clip002.wav")]
    exported = emorank("export", place, "--format", "csv", "--out", tmp_path / "t.csv")
    assert exported.status == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 4
    for refused in (("index", root, "--name", place), ("index", place, "--repair")):
        assert f"emorank embed SOURCE --out {place}" in emorank(*refused).err
    served = ServedIndex(NamedIndex.open(place))
    assert len(served.snapshot.collection) == 3
    assert not served.renew()
    (root / "clip003.wav").write_bytes((root / "clip000.wav").read_bytes())
    Dataset.at(place, None, None, "").update(source(str(root)), here(model))
    assert served.renew()
    assert len(served.snapshot.collection) == 4


def test_a_folder_is_embedded_and_known_the_second_time(
    emorank: Emorank, recordings: Recordings, tiny_model: Path, tmp_path: Path
) -> None:
    root, out = recordings(3), tmp_path / "out"
    run = emorank("embed", root, "--out", out, "--model", tiny_model, "--jobs", "1")
    assert (run.status, run.out) == (0, "")
    hardly, done = run.err.splitlines()
    assert hardly.startswith("2 moments hold hardly any speech: ")  # they are short
    assert done == f"{out}: 3 added, 0 changed, 0 removed, 0 kept."
    assert emorank("embed", root, "--out", out).err.endswith("0 added, 0 changed, 0 removed, 3 kept.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", "--out", "x"), "nowhere: there is no such file or folder."),
        ((".", "--out", "ftp://x/y"), "a folder or s3://BUCKET/PREFIX is needed"),
        ((".", "--out", "x", "--jobs", "0"), "--jobs must be at least 1"),
        ((".", "--out", "x", "--channels", "left"), "left"),
        (("s3:///x", "--out", "x", "--model", "nothing"), "nothing"),
    ],
)
def test_mistakes_are_one_sentence(emorank: Emorank, arguments: tuple[str, ...], sentence: str) -> None:
    run = emorank("embed", *arguments)
    assert run.status == 1
    assert sentence in run.err
    assert run.err.count("\n") == 0


@pytest.mark.parametrize(("package", "asked"), [("ray", ("--ray",)), ("obstore", ())])
def test_without_the_extra_it_is_said(
    emorank: Emorank, package: str, asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, recordings: Recordings
) -> None:
    find = importlib.util.find_spec

    def lacking(name: str, *rest: Any) -> Any:
        return None if name == package else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", lacking)
    monkeypatch.setitem(sys.modules, package, None)
    run = emorank("embed", recordings(1), "--out", "s3://bucket/x", *asked)
    assert "needs the extra scale; run in emorank's own folder: pip install '.[scale]'" in run.err


def test_nothing_heavy_is_imported_for_a_mistake() -> None:
    assert heavy_imports([("embed", "nowhere", "--out", "x"), ("embed", ".", "--out", "ftp://x")]) == []
