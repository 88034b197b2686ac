"""Which utterances all rows are trained and tested on, and who is named because they are not among them."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("yaml")

from emorank.errors import EmorankError
from emorank.reproduce.inputs import read_inputs, split_in_three
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import row_of
from tests.encoders.checkpoints import tiny_distilroberta

pytestmark = pytest.mark.usefixtures("encoded_bank")

EMOTIONS = ["happy", "pride", "no agreement", None]
RANKED, CATEGORICAL = [row_of("emotionrankclap")], [row_of("emotionrankclap"), row_of("supconclap_av")]


@pytest.fixture
def protocol(tiny_whisper: str, tmp_path: Path) -> Protocol:
    return Protocol(tiny_whisper, f"{tiny_distilroberta(tmp_path / 'text')}/first")


@pytest.fixture
def table(recordings: Callable[..., Path]) -> pl.DataFrame:
    paths = sorted(map(str, recordings(16, seconds=0.2).iterdir()))
    splits = [split for split in ("train", "development", "test", "test2") for _ in range(4)]
    columns = {"path": paths, "emotion": pl.Series(EMOTIONS * 4, dtype=pl.String), "split": splits}
    return pl.DataFrame(columns).with_columns(
        valence=pl.int_range(pl.len()) / 4 + 1.0, arousal=7.0 - pl.int_range(pl.len()) / 4
    )


def test_a_category_of_ones_own_stays_and_no_agreement_goes(table: pl.DataFrame, protocol: Protocol) -> None:
    inputs = read_inputs(table, protocol, CATEGORICAL)
    assert inputs.table["emotion"].to_list() == ["happiness", "pride"] * 3  # no test2
    assert inputs.left_out == {
        "with emotion other or without agreement": 3,
        "without valence or arousal or emotion": 3,
    }
    assert inputs.renamed == {"happy": "happiness"}


def test_rows_that_need_no_category_take_those_without_and_tables_without(
    table: pl.DataFrame, protocol: Protocol
) -> None:
    inputs = read_inputs(table, protocol, RANKED)
    assert inputs.table["emotion"].to_list() == ["happiness", "pride", None] * 3
    assert len(read_inputs(table.drop("emotion"), protocol, RANKED).table) == 12
    with pytest.raises(EmorankError, match=r"no column emotion; it is needed for supconclap_av"):
        read_inputs(table.drop("emotion"), protocol, CATEGORICAL)


def test_a_broken_recording_is_named_once_and_meets_no_training(
    table: pl.DataFrame, protocol: Protocol, tmp_path: Path
) -> None:
    broken, gone = Path(table["path"][1]), Path(table["path"][9])
    broken.write_text("no sound")
    gone.unlink()
    inputs = read_inputs(table, protocol, RANKED)
    assert [error.path for error in inputs.broken] == [str(broken), str(gone)]
    assert inputs.left_out["whose recording cannot be read"] == 2
    assert not {str(broken), str(gone)} & set(inputs.table["path"])


def test_what_is_missing_is_said_before_anything_is_encoded(table: pl.DataFrame, protocol: Protocol) -> None:
    unknown = Protocol("nowhere/1", "nowhere/first")
    with pytest.raises(EmorankError, match=r"no column valence; it is needed\."):
        read_inputs(table.drop("valence"), unknown, RANKED)
    with pytest.raises(EmorankError, match="no utterance with split 'test'"):
        read_inputs(table.filter(pl.col("split") != "test"), unknown, RANKED)


def test_a_window_is_heard_as_such(table: pl.DataFrame, protocol: Protocol, own_cache: Path) -> None:
    """Other features than of whole recordings, and of none of them twice."""
    from emorank.encoders import audio_encoder
    from emorank.listening.store import features

    strict = Protocol(protocol.audio_encoder, protocol.text_encoder, window=10.0)
    paths = read_inputs(table, strict, RANKED).table["path"].to_list()
    encoder = audio_encoder(protocol.audio_encoder)
    whole, _ = features(paths, encoder)
    window, _ = features(paths, encoder, window=10.0)
    assert (abs(whole - window).max(1) > 1e-4).all()


def test_a_table_without_a_split_has_test_speakers_of_its_own(table: pl.DataFrame, protocol: Protocol) -> None:
    speakers = table.drop("split").with_columns(speaker=pl.int_range(pl.len()).cast(pl.String))
    split = split_in_three(speakers)
    counts = dict(split.value_counts().iter_rows())
    assert counts == {"train": 12, "development": 2, "test": 2}
    assert split_in_three(speakers[::-1])[::-1].equals(split)
    assert read_inputs(speakers, protocol, RANKED).table["split"].n_unique() == 3
    pairs = speakers.with_columns(speaker=pl.int_range(pl.len()).floordiv(4).cast(pl.String))
    assert (
        pairs.with_columns(split_in_three(pairs)).group_by("speaker").agg(pl.col("split").n_unique())["split"].sum()
        == 4
    )
