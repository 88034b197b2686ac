"""What a worker keeps, and what it says of files that are not as it left them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("yaml")

from emorank.errors import EmorankError
from emorank.reproduce import sources
from emorank.reproduce.jobs import Job, develop, examine
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import row_of
from emorank.reproduce.sources import Recorded
from tests.encoders.checkpoints import tiny_distilroberta

pytestmark = pytest.mark.usefixtures("encoded_bank")


@pytest.fixture
def job(recordings: Callable[..., Path], tiny_whisper: str, tmp_path: Path) -> Job:
    paths = sorted(map(str, recordings(48, seconds=0.2).iterdir()))
    table = pl.DataFrame({"path": paths, "split": ["train", "development", "test"] * 16})
    table = table.with_columns(valence=pl.int_range(48) / 8 + 1.0, arousal=7.0 - pl.int_range(48) / 8)
    table.with_columns(emotion=pl.when(pl.col("valence") > 4).then(pl.lit("anger")).otherwise(pl.lit("fear")))
    table.write_parquet(tmp_path / "table.parquet")
    protocol = Protocol(tiny_whisper, f"{tiny_distilroberta(tmp_path / 'text')}/first", epochs=1, batch_size=8)
    config = protocol.config(row_of("emotionrankclap"), 1e-3, 0)
    sources._table.cache_clear()
    sources._prepared.cache_clear()
    return Job(Recorded(tmp_path / "table.parquet", None), tmp_path / "row", config, ("ordinality", "retrieval"))


def test_what_is_there_is_not_measured_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    first = develop(job), examine(job)
    assert first[1].keys() == {"about", "ordinality", "retrieval", "development_losses"}
    with monkeypatch.context() as silent:
        silent.setattr(sources, "embed", None)
        assert (develop(job), examine(job)) == first
    again = dataclasses.replace(job, row=job.row.with_name("again"))
    assert (develop(again), examine(again)) == first


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("development.json", lambda text: text[:-9]),
        ("development.json", lambda text: "[]"),
        ("development.json", lambda text: "\xff"),
        ("test.json", lambda text: text.replace('"clips": 16', '"clips": 17', 1)),
        ("unfinished.pt", lambda text: "{"),
    ],
)
def test_a_damaged_file_of_a_run_that_goes_on_is_one_sentence(
    job: Job, name: str, damage: Callable[[str], str]
) -> None:
    work = develop if name == "development.json" else examine
    path = job.folder / name
    if name == "unfinished.pt":  # a training that was killed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    else:
        work(job)
    path.write_text(damage(path.read_text("latin-1")), "latin-1")
    with pytest.raises(EmorankError, match="damaged") as caught:
        work(job)
    assert str(path) in str(caught.value)
    path.unlink()
    work(job)
