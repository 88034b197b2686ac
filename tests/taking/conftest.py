"""Collections without a model, over recordings that are really there."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.index import Segments
from emorank.search import Collection
from emorank.search.rank import hit
from emorank.taking.moments import Moment, moments_of

Span = tuple[str, float, float, int]  # path, start, end, channel or 0


def collection_of(spans: Sequence[Span]) -> Collection:
    """Segments at some spans, with random embeddings and places."""
    spans = sorted(spans, key=lambda span: (span[0], span[1], span[3]))
    rng = np.random.default_rng(len(spans))
    embeddings = rng.standard_normal((len(spans), 8)).astype(np.float32)
    segments = Segments(
        [span[0] for span in spans],
        np.array([span[1] for span in spans]),
        np.array([span[2] for span in spans]),
        embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
        rng.uniform(1, 7, (len(spans), 3)).astype(np.float32),
        np.full(len(spans), -20, np.float32),
        np.array([span[3] for span in spans]),
        {},
    )
    return Collection(segments)


def moments(collection: Collection, order: Sequence[int] | None = None) -> list[Moment]:
    """Rows of a collection, ranked in the order that is given."""
    return moments_of(collection, [hit(collection, row) for row in order or range(len(collection))])


def noise(count: int, channels: int, bits: int = 16, seed: int = 0) -> np.ndarray:
    """(count, channels) samples that are whole numbers of so many bits, full scale 1."""
    steps = 2 ** (bits - 1)
    return np.random.default_rng(seed).integers(-steps, steps, (count, channels)) / steps


def write(path: Path, samples: np.ndarray, rate: int, subtype: str = "PCM_16") -> Path:
    """A recording with exactly these samples."""
    if subtype in ("PCM_16", "PCM_24"):
        whole = np.rint(samples * 2.0**31).astype(np.int64).clip(-(2**31), 2**31 - 1).astype(np.int32)
        soundfile.write(path, whole, rate, subtype=subtype)
    else:
        soundfile.write(path, samples.astype(np.float32), rate, subtype=subtype)
    return path


@pytest.fixture
def three(tmp_path: Path) -> Callable[[], Collection]:
    """Two good recordings and a broken one, with two moments each."""
    for seed, name in enumerate(("a.wav", "b.wav")):
        write(tmp_path / name, noise(44_100 * 4, 2, seed=seed), 44_100)
    (tmp_path / "broken.wav").write_bytes(b"no audio at all")
    names = [str(tmp_path / name) for name in ("a.wav", "b.wav", "broken.wav")]
    return lambda: collection_of([(name, start, start + 1.0, 0) for name in names for start in (0.5, 2.0)])
