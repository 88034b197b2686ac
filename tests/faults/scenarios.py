"""What is disturbed: a folder to begin with, a command, and what it has to come to."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import soundfile

from emorank.index import picking
from tests.conftest import save_model, voice
from tests.faults.injector import Injector

Result = dict[str, object]


@dataclass(frozen=True)
class Scenario:
    """A command that is disturbed.

    Args:
        name: of it.
        command: folder -> arguments of emorank.
        result: what it came to, to be compared.
        before: commands and functions that make the folder what it is when the command begins.
        share: of the faults; a slow command gets fewer.
    """

    name: str
    command: Callable[[Path], Sequence[object]]
    result: Callable[[Injector], Result]
    before: tuple[Callable[[Injector], object], ...] = ()
    share: float = 1.0


def begin(folder: Path, model_home: Path, whisper: str) -> None:
    """Recordings, a table and a model."""
    (folder / "recordings").mkdir(parents=True)
    rows = []
    for i, split in enumerate(["train"] * 6 + ["development"] * 4 + ["test"] * 14):
        path = folder / "recordings" / f"clip{i:02d}.wav"
        soundfile.write(path, voice(0.3 + 0.02 * (i % 3), 100 + 13 * i, i), 16_000)
        rows.append((str(path), split, f"s{i % 8}", 1.5 + i % 6, 2 + i % 5, ("anger", "sadness")[i % 2]))
    columns = ("path", "split", "speaker", "valence", "arousal", "emotion")
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "table.csv")
    for i in range(8, 24):
        (folder / "recordings" / f"clip{i:02d}.wav").rename(folder / f"clip{i:02d}.wav")
    table = pl.read_csv(folder / "table.csv").with_columns(
        pl.when(pl.int_range(pl.len()) < 8)
        .then(pl.col("path"))
        .otherwise(pl.col("path").str.replace("recordings/", "", literal=True))
    )
    table.write_csv(folder / "table.csv")
    save_model(model_home, whisper, seed=0)


def scenarios(model: Path, whisper: str, url: str, bank: Callable[[], Path]) -> list[Scenario]:
    """All of them.

    Args:
        model: a folder.
        whisper: an audio encoder's name.
        url: of a server that writes captions.
        bank: gives a feature store that knows the captions of the bank, which take long to encode.
    """

    def encoded(injector: Injector) -> None:
        (injector.folder / "cache" / "features").mkdir(parents=True)
        shutil.copy(bank(), injector.folder / "cache" / "features" / "features.sqlite")

    def make(folder: Path) -> list[object]:
        recordings, table = folder / "recordings", folder / "table.csv"
        return ["index", recordings, "--name", "calls", "--model", model, "--table", table]

    def first(injector: Injector) -> None:
        assert injector.run(make(injector.folder)).status == 0

    def change(injector: Injector) -> None:
        recordings = injector.folder / "recordings"
        (recordings / "clip00.wav").unlink()
        (recordings / "clip01.wav").rename(recordings / "moved.wav")
        shutil.copy(recordings / "clip02.wav", recordings / "copied.wav")
        soundfile.write(recordings / "clip03.wav", voice(0.4, 333, 9), 16_000)
        (injector.folder / "clip09.wav").rename(recordings / "new.wav")
        (recordings / "bad.wav").write_bytes(b"no audio at all")

    def damage(injector: Injector) -> None:
        index = injector.folder / "data" / "indexes" / "calls"
        for pattern, place in (("data/*.lance", 600), ("_versions/*.manifest", 60)):
            file = sorted(index.glob(f"*.lance/{pattern}"))[0]
            content = bytearray(file.read_bytes())
            content[place % len(content)] ^= 16
            file.write_bytes(content)

    training = ["--audio-encoder", whisper, "--embedding-dim", 8, "--epochs", 2, "--captions-per-batch", 16]
    training += ["--dimensions", "valence", "arousal", "--captions", "bank"]
    reproducing = ["--audio-encoder", whisper, "--rows", "plane", "--seeds", 1, "--epochs", 1, "--learning-rates", 1e-3]
    asking = ["--llm", url, "--model", "m", "--captions", 2, "--first-wait", 0.01, "--step", 2]
    return [
        Scenario("index, from nothing", make, index_result),
        Scenario("index, after changes", lambda folder: ["index", "--name", "calls"], index_result, (first, change)),
        Scenario("index --repair", lambda folder: ["index", "calls", "--repair"], index_result, (first, damage)),
        Scenario(
            "export",
            lambda folder: ["export", "calls", "--out", folder / "out.parquet"],
            lambda injector: table_result(injector.folder / "out.parquet"),
            (first,),
        ),
        Scenario(
            "export --cut",
            lambda folder: ["export", "calls", "--query", "calm", "--top", 3, "--cut", folder / "clips"],
            lambda injector: clips_result(injector.folder / "clips"),
            (first,),
        ),
        Scenario(
            "collection",
            lambda folder: ["collection", "calls", "warm", "--query", "calm", "--top", 3, "--note", "a note"],
            collection_result,
            (first,),
        ),
        Scenario(
            "caption",
            lambda folder: ["caption", folder / "table.csv", "--out", folder / "out.csv"],
            lambda injector: table_result(injector.folder / "out.csv"),
        ),
        Scenario(
            "caption --llm",
            lambda folder: ["caption", folder / "table.csv", "--out", folder / "out.csv", *asking],
            lambda injector: captions_result(injector.folder / "out.csv"),
        ),
        Scenario(
            "train",
            lambda folder: ["train", "--data", folder / "table.csv", "--out", folder / "out", *training],
            lambda injector: model_result(injector.folder / "out"),
        ),
        Scenario(
            "reproduce",
            lambda folder: ["reproduce", "--data", folder / "table.csv", "--out", folder / "out", *reproducing],
            lambda injector: {"results": json.loads((injector.folder / "out" / "results.json").read_text())["rows"]},
            (encoded,),
            share=0.25,
        ),
    ]


def clips_result(folder: Path) -> Result:
    """The clips of a folder and how many rows their list has; temporary files of a dead process do no harm."""
    clips = {path.name: path.read_bytes() for path in folder.glob("[!.]*.wav")}
    return {**clips, "rows": len(pl.read_csv(folder / "moments.csv"))}


def collection_result(injector: Injector) -> Result:
    """What a collection holds, without the times."""
    book = picking.read(injector.folder / "data" / "indexes" / "calls")
    moments = [(Path(one.path).name, one.digest, one.start, one.end) for one in book["warm"].moments]
    return {"names": list(book), "note": book["warm"].note, "moments": moments}


def index_result(injector: Injector) -> Result:
    """What an index holds."""
    target = injector.folder.parent / "look.npz"
    looked = injector.run(["look", "calls", target])
    assert looked.status == 0, looked.output
    with np.load(target) as arrays:
        return dict(arrays)


def table_result(path: Path) -> Result:
    """A table."""
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    return {"csv": table.select(pl.exclude(pl.Array)).write_csv(float_precision=3)}


def captions_result(path: Path) -> Result:
    """Which utterances have a caption; whose words differ from run to run."""
    return {"captioned": pl.read_csv(path)["caption"].is_not_null().to_list()}


def model_result(folder: Path) -> Result:
    """A model, byte by byte, and that nothing else is left."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def equal(one: Result, other: Result) -> bool:
    """Whether results are the same; arrays of numbers up to rounding, as other batches of an encoder differ."""
    if one.keys() != other.keys():
        return False
    for name, value in one.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            expected = np.asarray(other[name])
            if value.shape != expected.shape or not np.allclose(value, expected, atol=1e-3, equal_nan=True):
                return False
        elif isinstance(value, np.ndarray):
            if not np.array_equal(value, np.asarray(other[name])):
                return False
        elif value != other[name]:
            return False
    return True
