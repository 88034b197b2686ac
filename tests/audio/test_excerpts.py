"""Parts of recordings are the samples that are in the file."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emorank.audio.excerpts import excerpts
from emorank.errors import AudioError
from tests.taking.conftest import noise, write

RATE = 11_025


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    samples = noise(RATE * 7 + 123, 2)
    return write(tmp_path_factory.mktemp("excerpts") / "a.wav", samples, RATE), samples


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.floats(-2, 7), st.floats(0.001, 5)), min_size=1, max_size=6),
    st.sampled_from([None, 1, 2]),
)
def test_any_spans_are_slices(
    stereo: tuple[Path, np.ndarray], drawn: list[tuple[float, float]], channel: int | None
) -> None:
    path, samples = stereo
    spans = sorted((start, start + length) for start, length in drawn)
    wanted = samples if channel is None else samples[:, channel - 1 : channel]
    parts = [wanted[max(0, round(start * RATE)) : max(0, round(end * RATE))] for start, end in spans]
    found = excerpts(path, spans, channel)
    for part in parts:
        if not len(part):
            with pytest.raises(AudioError, match="nothing of it lies between"):
                next(found)
            return
        excerpt = next(found)
        assert excerpt.rate == RATE
        np.testing.assert_array_equal(excerpt.samples, part)


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [
        ("wav", "PCM_24", 96_000, 3),
        ("wav", "FLOAT", 44_100, 1),
        ("wav", "ULAW", 8_000, 2),
        ("flac", "PCM_16", 44_100, 2),
        ("flac", "PCM_24", 48_000, 1),
        ("aiff", "PCM_16", 22_050, 2),
    ],
)
def test_every_kind_is_exact(tmp_path: Path, suffix: str, subtype: str, rate: int, channels: int) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(rate * 3, channels, 24 if subtype == "PCM_24" else 16), rate, subtype)
    whole = soundfile.read(path, dtype="float32", always_2d=True)[0]
    one, two = excerpts(path, [(0.5, 1.25), (1.0, 2.9)])
    np.testing.assert_array_equal(one.samples, whole[rate // 2 : round(1.25 * rate)])
    np.testing.assert_array_equal(two.samples, whole[rate : round(2.9 * rate)])
    assert one.rate == rate


@pytest.mark.parametrize("suffix", ["mp3", "ogg"])
def test_what_is_compressed_lies_at_a_players_times(tmp_path: Path, suffix: str) -> None:
    time = np.arange(44_100 * 6) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * 200 * time * (1 + time / 6))
    soundfile.write(tmp_path / f"a.{suffix}", np.stack([tone, -tone], 1), 44_100)
    (part,) = excerpts(tmp_path / f"a.{suffix}", [(3.5, 5.0)])
    assert (part.rate, part.samples.shape) == (44_100, (round(1.5 * 44_100), 2))
    expected = tone[round(3.5 * 44_100) : 5 * 44_100]
    assert np.corrcoef(part.samples[:, 0], expected)[0, 1] > 0.999
    assert np.corrcoef(part.samples[:, 1], expected)[0, 1] < -0.999


def test_what_cannot_be_is_one_sentence(stereo: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, _ = stereo
    assert list(excerpts(path, [])) == []
    with pytest.raises(AudioError, match="it has no channel 3 any more"):
        list(excerpts(path, [(0, 1)], 3))
    with pytest.raises(AudioError, match=r"2\.0 s of it hold more than 40000 samples"):
        list(excerpts(path, [(1, 3)], most=40_000))
    with pytest.raises(AudioError, match="there is no such file"):
        list(excerpts(tmp_path / "none.wav", [(0, 1)]))


def test_a_change_of_rate_within_a_part_is_named(tmp_path: Path) -> None:
    joined = b""
    for rate in (16_000, 48_000):
        one = io.BytesIO()
        soundfile.write(one, noise(rate * 2, 1)[:, 0] / 4, rate, format="OGG", subtype="VORBIS")
        joined += one.getvalue()
    (tmp_path / "joined.ogg").write_bytes(joined)
    found = excerpts(tmp_path / "joined.ogg", [(0.5, 1.5), (2.5, 3.5)])
    assert [(part.rate, len(part.samples)) for part in found] == [(16_000, 16_000), (48_000, 48_000)]
    with pytest.raises(AudioError, match=r"its rate or its channels change between 1\.5 s and 2\.5 s"):
        list(excerpts(tmp_path / "joined.ogg", [(1.5, 2.5)]))
