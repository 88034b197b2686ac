"""A model, and how two indexes are compared."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emorank import audio
from emorank.index import Index
from emorank.model import EmotionRankCLAP


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


def same(left: Index, right: Index) -> None:
    one, other = left.segments(), right.segments()
    assert [os.path.basename(p) for p in one.paths] == [os.path.basename(p) for p in other.paths]
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.end, other.end)
    np.testing.assert_allclose(one.embeddings, other.embeddings, atol=1e-4)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recordings that are decoded from now on."""
    decoded: list[str] = []
    blocks = audio.Reading.blocks

    def counting(reading: audio.Reading, *arguments: Any) -> Iterator[np.ndarray]:
        decoded.append(os.path.basename(reading.path))
        return blocks(reading, *arguments)

    monkeypatch.setattr(audio.Reading, "blocks", counting)
    return decoded
