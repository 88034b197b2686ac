"""Damage of an index is found, named, and put right: what is read is what was written, or it is said that it is not."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from emorank.errors import EmorankError
from emorank.index import guarded, ledger, sums, table
from emorank.index.about import ABOUT_FILE
from emorank.index.failures import DamagedIndex
from emorank.index.mend import mended
from emorank.index.named import NamedIndex
from emorank.index.segments import Segments
from tests.index.conftest import counted


def equal(one: Segments, other: Segments, heard: bool = False) -> bool:
    """Bit by bit, or, where recordings were heard again in another batch, up to rounding."""
    names = ("start", "end", "embeddings", "places", "loudness", "channels", "speech")
    return one.paths == other.paths and all(
        np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=1e-4 * heard, equal_nan=True)
        for name in names
    )


@pytest.fixture
def kept(tmp_path: Path, tiny_model: Path, recordings: Callable[..., Path]) -> NamedIndex:
    """An index that was updated three times, with labels."""
    import polars as pl

    root = recordings(5, seconds=0.3)
    (root / "bad.wav").write_bytes(b"no audio at all")
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    named.update()
    (root / "clip004.wav").unlink()
    shutil.copy(root / "clip001.wav", root / "copy.wav")
    named.update()
    named.keep_labels(pl.DataFrame({"path": [str(root / "clip000.wav")], "speaker": ["ann"]}))
    return named


def files(named: NamedIndex) -> list[Path]:
    return sorted(path for path in named.folder.rglob("*") if path.is_file() and path.stat().st_size)


def flip(file: Path, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def read_or_refused(expected: Segments) -> str | None:
    """What is said of the index; it is read as it was where nothing is said."""
    try:
        seen = NamedIndex.open("calls")
        found, labels = seen.reading.segments(), seen.labels()
    except EmorankError as error:
        return str(error)
    assert equal(found, expected)
    assert labels is not None
    assert labels["speaker"].to_list() == ["ann"]
    return None


def test_an_undamaged_index_is_left_as_it_is(kept: NamedIndex) -> None:
    before = {path: path.read_bytes() for path in files(kept)}
    _, found = mended("calls")
    assert (found.damaged, found.rows) == ((), 0)
    assert {path: path.read_bytes() for path in files(kept) if path.suffix != ledger.SUFFIX} == {
        path: content for path, content in before.items() if path.suffix != ledger.SUFFIX
    }


def test_flipped_bits_are_found_named_and_put_right(kept: NamedIndex, tmp_path: Path) -> None:
    expected, labels = NamedIndex.open("calls").reading.segments(), kept.labels()
    shutil.copytree(kept.folder, tmp_path / "good")
    rng = random.Random(7)
    tried = [file.relative_to(kept.folder) for file in files(kept)]
    for name in [*tried, *rng.choices(tried, k=20)]:
        shutil.rmtree(kept.folder)
        shutil.copytree(tmp_path / "good", kept.folder)
        bit = rng.randrange(8 * (kept.folder / name).stat().st_size)
        flip(kept.folder / name, bit)
        said = read_or_refused(expected)
        assert said is None or said.endswith("; run: emorank index calls --repair."), (name, bit, said)
        named, found = mended("calls")
        assert any(file.endswith(name.name) for file in found.damaged), (name, bit, found)
        named.update()
        assert equal(NamedIndex.open("calls").reading.segments(), expected, heard=True), (name, bit)
        assert NamedIndex.open("calls").labels().equals(labels)
        assert mended("calls")[1].damaged == (), (name, bit)


@pytest.mark.parametrize("kind", ["deleted", "truncated", "emptied"])
def test_lost_files_are_named_and_made_again(kept: NamedIndex, tmp_path: Path, kind: str) -> None:
    expected = kept.reading.segments()
    shutil.copytree(kept.folder, tmp_path / "good")
    for name in [file.relative_to(kept.folder) for file in files(kept) if file.suffix in (".manifest", ".lance")]:
        shutil.rmtree(kept.folder)
        shutil.copytree(tmp_path / "good", kept.folder)
        if kind == "deleted":
            (kept.folder / name).unlink()
        else:
            os.truncate(kept.folder / name, (kept.folder / name).stat().st_size // 2 if kind == "truncated" else 0)
        said = read_or_refused(expected)
        assert said is None or said.endswith("; run: emorank index calls --repair."), (name, said)
        mended("calls")[0].update()
        assert equal(NamedIndex.open("calls").reading.segments(), expected, heard=True), name


def test_all_manifests_lost_loses_nothing(kept: NamedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = kept.reading.segments()
    for file in kept.folder.rglob("*.manifest"):
        file.unlink()
    before = files(kept)
    for attempt in (lambda: NamedIndex.open("calls").reading.segments(), lambda: NamedIndex.open("calls").update()):
        with pytest.raises(DamagedIndex, match="has lost its manifests"):
            attempt()
    assert files(kept) == before
    decoded = counted(monkeypatch)
    named, found = mended("calls")
    named.update()
    assert equal(named.reading.segments(), expected)
    assert decoded == []
    assert any(name.endswith(".manifest") for name in found.damaged)


def test_one_damaged_row_costs_one_recording(
    kept: NamedIndex, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage that the system does not notice: the file's digest is as noted, a row's sum is not."""
    expected = kept.reading.segments()
    name = table.table_name(kept.model)
    rows = lancedb.connect(kept.folder).open_table(name).to_arrow()
    embeddings = rows["embedding"].combine_chunks().flatten().to_numpy().copy()
    embeddings[5] += 2.0**-20
    at = rows.schema.get_field_index("embedding")
    damaged = rows.set_column(at, rows.schema.field(at), pa.FixedSizeListArray.from_arrays(embeddings, 32))
    lancedb.connect(kept.folder).create_table(name, damaged, schema=rows.schema, mode="overwrite")
    with pytest.raises(DamagedIndex, match=r"damaged \(1 rows of segments"):
        NamedIndex.open("calls").reading.segments()
    decoded = counted(monkeypatch)
    named, found = mended("calls")
    assert found.rows == 1
    named.update()
    assert set(decoded) <= {os.path.basename(path) for path in found.recordings}
    assert len(decoded) <= 2
    assert equal(named.reading.segments(), expected, heard=True)


def test_sums_know_every_column_and_null_from_zero() -> None:
    def rows(**changes: object) -> pa.Table:
        columns: dict[str, object] = {name: pa.array([1.5]) for group in sums.GROUPS.values() for name in group}
        columns |= {name: pa.array(["text"]) for name in ("path", "damage", "reason", "digest")}
        columns |= {"channel": pa.array([1], pa.int16()), "size": pa.array([3]), "changed": pa.array([4])}
        columns |= {"peaks": pa.array([b"p" * 96], pa.binary(96)), "loudness": pa.array([0.0], pa.float32())}
        columns |= {"speech": pa.array([0.0], pa.float32())}
        columns |= {"embedding": pa.array([[1.0] * 3], pa.list_(pa.float32(), 3))}
        columns |= {"feature": pa.array([np.ones(5, np.float16)], pa.list_(pa.float16(), 5))}
        return pa.table(columns | changes)

    stated = sums.sums(rows())
    assert all(sums.good(rows(sums=stated), group).all() for group in sums.GROUPS)
    others = {
        "path": ["texu"],
        "reason": pa.array([None], pa.string()),
        "damage": [""],
        "channel": pa.array([None], pa.int16()),
        "loudness": pa.array([None], pa.float32()),
        "speech": pa.array([None], pa.float32()),
        "size": [2],
        "peaks": pa.array([None], pa.binary(96)),
        "embedding": pa.array([[1.0, 1.0, 1.0000001]], pa.list_(pa.float32(), 3)),
        "feature": pa.array([np.array([1, 1, 1, 1, 0.999], np.float16)], pa.list_(pa.float16(), 5)),
    }
    for name, value in others.items():
        damaged = rows(sums=stated, **{name: pa.array(value) if isinstance(value, list) else value})
        wrong = {group for group in sums.GROUPS if not sums.good(damaged, group).all()}
        assert wrong == {group for group, columns in sums.GROUPS.items() if name in columns}, name


def test_sums_of_rows_without_a_later_column_are_those_of_rows_where_it_is_null() -> None:
    rows = pa.table({"path": ["a", "b"], "size": [1, 2], "speech": pa.nulls(2, pa.float32())})
    columns = ("path", "speech")
    expected = sums._of(rows, columns)
    np.testing.assert_array_equal(sums._of(rows.drop_columns("speech"), columns), expected)
    some = rows.set_column(2, "speech", pa.array([None, 0.0], pa.float32()))
    assert (sums._of(some, columns) == expected).tolist() == [True, False]
    with pytest.raises(KeyError, match="path"):
        sums._of(rows.drop_columns("path"), columns)


@pytest.mark.parametrize("before", [None, b"one"])
@pytest.mark.parametrize("done", range(4))
def test_a_kill_between_any_two_writes_of_a_guarded_file_leaves_a_good_one(
    tmp_path: Path, before: bytes | None, done: int
) -> None:
    file, replace, calls = tmp_path / ABOUT_FILE, os.replace, iter(range(9))
    if before is not None:
        guarded.write(file, lambda new: new.write_bytes(before))

    def killed(source: str, target: str) -> None:
        if next(calls) == done:
            raise KeyboardInterrupt
        replace(source, target)

    patch = pytest.MonkeyPatch()
    patch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        guarded.write(file, lambda new: new.write_bytes(b"two"))
    patch.undo()
    guarded.check(file)
    assert (file.read_bytes() if file.exists() else None) in (before, b"two")
    guarded.write(file, lambda new: new.write_bytes(b"two"))
    assert guarded.repair(file, Path.is_file) == []
    file.write_bytes(b"bad")
    with pytest.raises(DamagedIndex):
        guarded.check(file)
    assert guarded.repair(file, Path.is_file) == [ABOUT_FILE]
    assert file.read_bytes() == b"two"


def test_labels_that_are_damaged_twice_are_put_aside_and_said(kept: NamedIndex) -> None:
    for name in ("labels.parquet", ".labels.parquet.copy"):
        flip(kept.folder / name, 100)
    named, found = mended("calls")
    assert found.damaged == ("labels.parquet",)
    assert named.labels() is None
    assert mended("calls")[1].damaged == ()


def test_an_index_that_forgot_its_folders_is_told_them_again_and_hears_nothing(
    kept: NamedIndex, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an emorank without copies left it."""
    for name in (".index.json.copy", ".index.json.sum"):
        (kept.folder / name).unlink()
    (kept.folder / ABOUT_FILE).write_text(f'{{"format": 1, "model": "{tiny_model}", "roots": "/"}}')
    with pytest.raises(DamagedIndex, match=r"index.json: Expected `array`, got `str` - at `\$.roots`"):
        NamedIndex.open("calls")
    with pytest.raises(EmorankError, match=r"no index .calls. .* make it: emorank index DIR --name calls"):
        mended("calls")
    decoded = counted(monkeypatch)
    named = NamedIndex.made("calls", list(kept.roots), str(tiny_model))
    assert named.update()[0].added == 0
    assert decoded == []
