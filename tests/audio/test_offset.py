"""A constant offset is taken away; what has none is not touched; the same whatever is read of it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank import audio
from emorank.audio.decoder import Piece
from emorank.audio.offset import without_offset
from tests.audio.encode import rms
from tests.conftest import voice

RATE = 16_000


def write(path: Path, wave: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, wave, rate, format="WAV", subtype="FLOAT")
    return path


@pytest.mark.parametrize("offset", [0.3, -0.3, 0.01])
@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.0, 47.0])
def test_an_offset_is_taken_away(tmp_path: Path, offset: float, seconds: float) -> None:
    wave = voice(seconds)
    clean = audio.load(write(tmp_path / "a.wav", wave))
    leveled = audio.load(write(tmp_path / "b.wav", wave + offset))
    assert rms(leveled - clean) < 0.02 * rms(clean)
    assert abs(leveled.mean() - clean.mean()) < 0.02 * rms(clean)


@pytest.mark.parametrize("seconds", [0.2, 2.0, 31.0])
@pytest.mark.parametrize("level", [1.0, 0.001])
def test_without_one_nothing_is_touched(tmp_path: Path, seconds: float, level: float) -> None:
    wave = level * voice(seconds)
    np.testing.assert_array_equal(audio.load(write(tmp_path / "a.wav", wave)), wave)


def test_one_that_changes(tmp_path: Path) -> None:
    wave = voice(60.0)
    moving = wave + np.linspace(-0.2, 0.2, len(wave), dtype=np.float32)
    leveled = audio.load(write(tmp_path / "a.wav", moving))
    assert rms(leveled[10 * RATE : -10 * RATE] - wave[10 * RATE : -10 * RATE]) < 0.03 * rms(wave)


def test_silence_before_and_after_stays_silent(tmp_path: Path) -> None:
    pieces = [Piece(RATE, 5 * RATE, None), Piece(RATE, 12 * RATE, voice(12.0) + 0.3), Piece(RATE, 40 * RATE, None)]
    out = list(without_offset(iter(pieces)))
    assert sum(piece.count for piece in out) == 57 * RATE
    sound = np.concatenate([piece.samples for piece in out if piece.samples is not None])
    np.testing.assert_allclose(sound, voice(12.0), atol=5e-3)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("offset", [0.0, 0.3])
@pytest.mark.parametrize("span", [(0.0, 4.0), (9.5, 10.5), (19.9, 31.2), (25.0, None), (39.9, 40.1)])
def test_a_span_is_the_same_as_in_the_whole(
    tmp_path: Path, rate: int, offset: float, span: tuple[float, float | None]
) -> None:
    wave = voice(41.0, rate=rate) + np.float32(offset)
    for path in (write(tmp_path / "a.wav", wave, rate), tmp_path / "a.flac"):
        soundfile.write(path, wave, rate) if path.suffix == ".flac" else None
        whole = audio.load(path)
        start, end = (round(at * 16_000) if at is not None else None for at in span)
        np.testing.assert_allclose(audio.load(path, *span), whole[start:end], atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3 * RATE), st.booleans()), min_size=1, max_size=60),
    st.floats(-0.5, 0.5),
)
def test_whatever_the_pieces_are(sizes: list[tuple[int, bool]], offset: float) -> None:
    total = sum(size for size, _ in sizes)
    wave = voice(total / RATE + 0.1)[:total] + np.float32(offset)
    pieces, whole, at = [], [], 0
    for size, sound in sizes:
        pieces.append(Piece(RATE, size, wave[at : at + size] if sound else None))
        at += size
    for piece in pieces:  # the same with pieces twice as many
        half = piece.count // 2
        for begin, end in ((0, half), (half, piece.count)):
            if end > begin:
                samples = None if piece.samples is None else piece.samples[begin:end]
                whole.append(Piece(RATE, end - begin, samples))

    def joined(pieces: list[Piece]) -> np.ndarray:
        out = without_offset(iter(pieces))
        return np.concatenate([np.zeros(p.count) if p.samples is None else p.samples for p in out])

    np.testing.assert_allclose(joined(pieces), joined(whole), atol=1e-5)
