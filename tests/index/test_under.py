"""An index under another model: as if that had made it, without listening."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.index.under import contents_under
from emorank.model import EmotionRankCLAP
from tests.conftest import save_model
from tests.index.conftest import counted


def test_it_is_what_the_other_model_would_have_made(
    recordings: Callable[..., Path],
    tiny_whisper: str,
    model: EmotionRankCLAP,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = recordings(3)
    soundfile.write(root / "silent.wav", np.zeros(16_000, np.float32), 16_000)  # a row with a reason
    other = EmotionRankCLAP.from_pretrained(
        save_model(tmp_path / "other", tiny_whisper, seed=7, dimensions=("arousal", "valence"))
    )
    Index(tmp_path / "index", model).update(root)
    Index(tmp_path / "twin", other).update(root)
    decoded = counted(monkeypatch)
    segments, recorded = contents_under(Index(tmp_path / "index", model, readonly=True), other)
    twin, entries = Index(tmp_path / "twin", other, readonly=True).contents()
    assert decoded == []
    assert segments.paths == twin.paths
    assert recorded == entries
    np.testing.assert_allclose(segments.embeddings, twin.embeddings, atol=1e-6)
    np.testing.assert_allclose(segments.places, twin.places, atol=1e-5)
    assert segments.dimensions == ("valence", "arousal")


def test_an_empty_index_and_another_encoder(model: EmotionRankCLAP, tmp_path: Path, tiny_whisper: str) -> None:
    (tmp_path / "nothing").mkdir()
    index = Index(tmp_path / "index", model)
    index.update(tmp_path / "nothing")
    segments, recorded = contents_under(index, model)
    assert (segments.paths, recorded) == ([], {})
    layer = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "layer", f"{tiny_whisper[:-2]}", seed=1, dim=32))
    with pytest.raises(EmorankError, match="needs an index of its own"):
        contents_under(index, layer)
