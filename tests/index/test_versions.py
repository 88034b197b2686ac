"""Indexes of older and newer emoranks, and of several models."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError
from emorank.index import Index, table
from emorank.model import EmotionRankCLAP
from tests.conftest import save_model, voice
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


def fourth_schema(place: Path | str, model: EmotionRankCLAP) -> None:
    """Turn an index into what an emorank wrote that did not know how long somebody speaks."""
    import json

    import pyarrow as pa

    from emorank.index.remote import connected

    database, name = connected(place), table.table_name(model)
    rows = database.open_table(name).to_arrow().drop_columns(["speech", "sums"])
    about = {"schema": 4, "encoder": model.config.audio_encoder, "model": model.fingerprint}
    layout = pa.schema(
        [field for field in table.schema(model) if field.name != "speech"], metadata={b"emorank": json.dumps(about)}
    )
    rows = table.summed(rows, layout).cast(layout)
    database.create_table(name, rows, schema=layout, mode="overwrite")
    if isinstance(place, Path):
        table.ledger_of(place, name).unlink()


def test_an_index_of_the_fourth_schema_is_read_as_it_is_and_brought_up_without_decoding(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    Index(tmp_path / "index", model).update(root)
    expected = Index(tmp_path / "index", model).segments()
    assert expected.speech is not None
    assert not np.isnan(expected.speech).any()
    fourth_schema(tmp_path / "index", model)
    decoded = counted(monkeypatch)
    before = Index(tmp_path / "index", model, readonly=True).segments()
    index = Index(tmp_path / "index", model)
    for segments in (before, index.segments()):
        assert segments.paths == expected.paths
        np.testing.assert_array_equal(segments.loudness, expected.loudness)
        assert segments.speech is not None
        assert np.isnan(segments.speech).all()
    assert decoded == []
    soundfile.write(root / "new.wav", voice(0.7), 16_000)
    assert index.update(root).added == 1
    assert index.segments().speech is not None
    np.testing.assert_array_equal(np.isnan(index.segments().speech), [True, True, True, False])


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
