"""Indexes whose rows are made up: nothing is listened to."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from emorank.index import Index, table
from emorank.listening import encode
from emorank.model import EmotionRankCLAP
from emorank.search import Collection
from emorank.search.mapped import MappedCollection, follow


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


@pytest.fixture
def index(model: EmotionRankCLAP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path / "cache"))
    return Index(tmp_path / "index", model)


def add(index: Index, recordings: Mapping[str, int], seed: int = 0, reason: str | None = None) -> None:
    """Recordings by path with so many segments each, in one transaction, in the place of what was of these paths."""
    if index.view() is not None:
        index._rows.delete(list(recordings))
    rng = np.random.default_rng(seed)
    paths = [path for path, count in recordings.items() for _ in range(count)]
    places = [place for count in recordings.values() for place in range(count)]
    count = len(paths)
    starts = np.array(places, float) * 3.5
    columns = {
        "path": pa.array(paths),
        "size": pa.array(rng.integers(1, 10**6, count)),
        "changed": pa.array(np.repeat(rng.integers(1, 10**18, len(recordings)), list(recordings.values()))),
        "digest": pa.array([f"{hash(path) % 2**128:032x}" for path in paths]),
        "channel": pa.array([None if place % 3 else 1 + place % 2 for place in places], pa.int16()),
        "start": pa.array(starts),
        "end": pa.array(starts + rng.uniform(1, 3, count)),
        "loudness": pa.array(rng.uniform(-50, -10, count).astype(np.float32)),
        "speech": pa.array([None if place % 5 == 4 else place / 4 for place in places], pa.float32()),
        "damage": pa.array(["the end is missing" if "damaged" in path else None for path in paths], pa.string()),
        "reason": pa.array([reason] * count, pa.string()),
    }
    heard = encode.schema(index.model.audio.encoder_dim)
    columns = {
        name: columns.get(name, pa.nulls(count, heard.field(name).type)) for name in heard.names if name != "feature"
    }
    features = rng.standard_normal((count, index.model.audio.encoder_dim)).astype(np.float16)
    index._rows.add(table.placed(columns, features, index.model))


def mapped(index: Index, **options: object) -> MappedCollection:
    view = index.view()
    assert view is not None
    return MappedCollection(follow.followed(view), **options)  # type: ignore[arg-type]


def in_memory(index: Index, **options: object) -> Collection:
    return Collection(index.segments(), **options)  # type: ignore[arg-type]
