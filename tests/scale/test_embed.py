"""A dataset is an index: it holds what the laptop's does, follows its source by content, and is opened by its place."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.index.named import NamedIndex
from emorank.model import EmotionRankCLAP
from emorank.scale.embed import Dataset
from emorank.scale.sources import source
from emorank.scale.units import Done, Unit
from tests.conftest import save_model, voice
from tests.scale.conftest import Recordings, counting, equal, here


@pytest.fixture(params=["folder", "storage"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a dataset may lie: a folder, or a prefix of object storage."""
    return str(tmp_path / "out") if request.param == "folder" else f"{request.getfixturevalue('bucket')}/all of it"


@pytest.fixture
def folder(recordings: Recordings) -> Path:
    """Recordings with odd names, one of which is none, and one twice."""
    root = recordings(4)
    (root / "broken.wav").write_bytes(b"this is no sound")
    (root / "it's <b>ü #1%20.wav").write_bytes((root / "clip000.wav").read_bytes())
    return root


def at(place: str, model: Path | None) -> Dataset:
    return Dataset.at(place, str(model) if model else None, None, "emorank-base")


def opened(place: str, model: EmotionRankCLAP) -> Index:
    return Index(place, model, readonly="s3://" not in place, aside=True)


def test_a_dataset_is_what_the_laptop_makes(
    place: str, folder: Path, tiny_model: Path, model: EmotionRankCLAP, tmp_path: Path
) -> None:
    done = at(place, tiny_model).update(source(str(folder)), here(model))
    assert (done.added, done.skipped) == (5, 1)
    laptop = Index(tmp_path / "laptop", model)
    laptop.update(folder)
    equal(opened(place, model), laptop)


def test_broken_recordings_lie_aside(place: str, folder: Path, tiny_model: Path, model: EmotionRankCLAP) -> None:
    import lancedb

    from emorank.objects import options

    done = at(place, tiny_model).update(source(str(folder)), here(model))
    tables = lancedb.connect(place, storage_options=options())
    moments, broken = sorted(tables.list_tables().tables, reverse=True)
    assert tables.open_table(moments).count_rows("reason IS NOT NULL") == 0
    rows = tables.open_table(broken).to_arrow().to_pylist()
    assert [(row["path"], row["reason"]) for row in rows] == [(e.path, e.reason) for e in done.broken]
    width = tables.open_table(moments).schema.field("embedding").type
    assert width.list_size == model.embedding_dim  # of fixed size, which indexes of vectors need


def test_a_second_run_hears_what_is_missing_by_content(
    place: str, folder: Path, tiny_model: Path, model: EmotionRankCLAP
) -> None:
    heard: list[str] = []
    engine = counting(here(model), heard)
    at(place, tiny_model).update(source(str(folder)), engine)
    heard.clear()
    assert at(place, None).update(source(str(folder)), engine).kept == 5
    os.utime(folder / "clip001.wav")
    (folder / "clip002.wav").rename(folder / "moved.wav")
    soundfile.write(folder / "clip003.wav", voice(0.7, 300), 16_000)
    (folder / "clip000.wav").unlink()
    (folder / "broken.wav").write_bytes((folder / "clip003.wav").read_bytes())
    done = at(place, None).update(source(str(folder)), engine)
    assert sorted(map(os.path.basename, heard)) == ["broken.wav", "clip003.wav"]
    assert (done.moved, done.removed, done.skipped) == (2, 2, 0)
    names = sorted(map(os.path.basename, opened(place, model).recordings()))
    assert names == ["broken.wav", "clip001.wav", "clip003.wav", "it's <b>ü #1%20.wav", "moved.wav"]


def test_what_is_done_is_there_when_a_run_ends_early(
    place: str, recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(6)
    monkeypatch.setattr("emorank.scale.units._MOST", 2)
    monkeypatch.setattr("emorank.scale.heard._ROWS_AT_ONCE", 1)

    def interrupted(units: Iterable[Unit]) -> Iterator[Done]:
        yield from list(here(model)(units))[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at(place, tiny_model).update(source(str(root)), interrupted)
    assert len(NamedIndex.open(place).reading.segments().paths) == 4
    heard: list[str] = []
    at(place, None).update(source(str(root)), counting(here(model), heard))
    assert len(heard) == 2
    assert len(set(NamedIndex.open(place).reading.segments().paths)) == 6


def test_a_table_names_recordings_and_labels_them(
    place: str, recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP
) -> None:
    root = recordings(3)
    paths = ["clip000.wav", "clip002.wav", "gone.wav"]
    pl.DataFrame({"path": paths, "speaker": ["ann", "bob", "cy"]}).write_csv(root / "table.csv")
    done = at(place, tiny_model).update(source(str(root / "table.csv")), here(model))
    assert [error.reason for error in done.broken] == ["there is no such file."]
    pl.DataFrame({"path": paths[:1], "speaker": ["dee"]}).write_csv(root / "table.csv")
    done = at(place, None).update(source(str(root / "table.csv")), here(model))
    assert done.removed == 0  # what a table does not name may be named by another
    labels = NamedIndex.open(place).labels()
    assert labels is not None
    assert labels.sort("path")["speaker"].to_list() == ["dee", "bob", "cy"]


def test_an_empty_source_loses_nothing(place: str, recordings: Recordings, tiny_model: Path, tmp_path: Path) -> None:
    root = recordings(2)
    model = EmotionRankCLAP.from_pretrained(tiny_model)
    at(place, tiny_model).update(source(str(root)), here(model))
    for file in root.iterdir():
        file.unlink()
    assert at(place, None).update(source(str(root)), here(model)).missing == 2
    assert at(place, None).update(source(str(root)), here(model), prune=True).removed == 2


def test_another_model_is_refused(place: str, recordings: Recordings, tiny_model: Path, tiny_whisper: str) -> None:
    at(place, tiny_model).update(source(str(recordings(1))), here(EmotionRankCLAP.from_pretrained(tiny_model)))
    other = save_model(tiny_model.parent / "other-model", tiny_whisper, seed=1, dimensions=("arousal", "valence"))
    with pytest.raises(EmorankError, match="another place"):
        at(place, other)
    with pytest.raises(EmorankError, match="--channels auto"):
        Dataset.at(place, None, "mix", "emorank-base")
