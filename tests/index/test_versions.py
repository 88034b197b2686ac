"""Indexes of older and newer emoranks, and of several models."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError
from emorank.index import Index, table
from emorank.model import EmotionRankCLAP
from tests.conftest import save_model
from tests.index.conftest import counted


def first_schema(folder: Path, model: EmotionRankCLAP) -> None:
    """Turn an index into what the first emorank wrote: one table, no digests, the encoder by name alone."""
    import json

    import lancedb
    import pyarrow as pa

    database = lancedb.connect(folder)
    name = table.table_name(model)
    rows = database.open_table(name).to_arrow().drop_columns(["digest", "loudness", "peaks", "sums"])
    about = {"schema": 1, "encoder": model.config.audio_encoder, "model": model.fingerprint}
    schema = pa.schema(list(rows.schema), metadata={b"emorank": json.dumps(about).encode()})
    database.create_table("segments", rows.cast(schema), schema=schema, mode="overwrite")
    database.drop_table(name)
    table.ledger_of(folder, name).unlink()


def test_an_index_of_the_first_schema_is_migrated_without_decoding(
    tmp_path: Path, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "model", "whisper-base/1:mean", seed=0, dim=512))
    root = recordings(3)
    index = Index(tmp_path / "index", model)
    index.update(root)
    expected = index.segments()
    first_schema(tmp_path / "index", model)
    os.utime(root / "clip002.wav")
    decoded = counted(monkeypatch)
    migrated = Index(tmp_path / "index", model)
    assert migrated.segments().paths == expected.paths
    np.testing.assert_allclose(migrated.segments().embeddings, expected.embeddings, atol=1e-5)
    assert np.isnan(migrated.segments().loudness).all()
    known = migrated.recordings()
    assert [known[path].digest is not None for path in expected.paths] == [True, True, False]
    assert decoded == []
    assert migrated.update(root).changed == 1
    assert set(decoded) == {"clip002.wav"}
    assert not (tmp_path / "index" / "segments.lance").exists()


def test_an_old_index_of_weights_that_nobody_noted_is_named_and_left(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    root = recordings(2)
    index = Index(tmp_path / "index", model)
    index.update(root)
    first_schema(tmp_path / "index", model)
    assert Index(tmp_path / "index", model).update(root).added == 2
    assert "did not note the weights" in caplog.text
    assert (tmp_path / "index" / "segments.lance").exists()


def test_models_on_two_encoders_share_a_folder_and_nothing_is_encoded_twice(
    tmp_path: Path, tiny_whisper: str, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    two = [
        EmotionRankCLAP.from_pretrained(save_model(tmp_path / "one", tiny_whisper, seed=0)),
        EmotionRankCLAP.from_pretrained(save_model(tmp_path / "two", tiny_whisper.replace("1+2", "3:mean"), 0, dim=16)),
    ]
    expected = [model.encode_audio(sorted(root.iterdir())) for model in two]
    for model in two:
        assert Index(tmp_path / "index", model).update(root).added == 3
    decoded = counted(monkeypatch)
    for model, embeddings in zip((*two, *two), (*expected, *expected), strict=True):
        index = Index(tmp_path / "index", model)
        assert index.update(root).kept == 3
        np.testing.assert_allclose(index.segments().embeddings, embeddings, atol=2e-3)
    assert decoded == []


@pytest.mark.parametrize("dimensions", [("valence", "arousal"), ("dominance", "arousal", "valence"), ("arousal",)])
def test_a_dimension_that_a_model_lacks_is_null_and_the_others_in_their_columns(
    tmp_path: Path, tiny_whisper: str, recordings: Callable[..., Path], dimensions: tuple[str, ...]
) -> None:
    model = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "m", tiny_whisper, 0, dimensions=dimensions))
    index = Index(tmp_path / "index", model)
    index.update(recordings(2))
    segments = index.segments()
    located = model.locate(segments.embeddings)
    assert segments.dimensions == tuple(name for name in DIMENSIONS if name in dimensions)
    for column, name in enumerate(DIMENSIONS):
        if name in dimensions:
            np.testing.assert_allclose(segments.places[:, column], located[:, dimensions.index(name)], atol=1e-5)
        else:
            assert np.isnan(segments.places[:, column]).all()


def test_an_index_of_a_newer_emorank_is_left_alone(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(table, "SCHEMA_VERSION", 99)
        Index(tmp_path / "index", model).update(recordings(2))
    with pytest.raises(EmorankError, match="made by a newer emorank; upgrade"):
        Index(tmp_path / "index", model)


def test_reading_after_the_model_got_another_encoder_says_so_and_never_that_there_is_nothing(
    tmp_path: Path, recordings: Callable[..., Path]
) -> None:
    """As with a new emorank whose packaged model listens with other layers."""
    home = save_model(tmp_path / "model", "whisper-base/1:mean", seed=0, dim=512)
    root = recordings(3)
    before = Index(tmp_path / "index", EmotionRankCLAP.from_pretrained(home))
    before.update(root)
    model = EmotionRankCLAP.from_pretrained(save_model(home, "whisper-base/2:mean", seed=0, dim=512))
    with pytest.raises(EmorankError, match=r"heard with another encoder than whisper-base/2:mean.*index --name index"):
        Index(tmp_path / "index", model, readonly=True).segments()
    Index(tmp_path / "index", model).update(root)
    after = Index(tmp_path / "index", model, readonly=True).segments()
    assert after.paths == before.segments().paths
