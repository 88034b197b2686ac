"""Outlines: what is drawn is what is in the file, whatever way it was come by."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.audio import outline
from emorank.audio.bins import BANDS, FLOOR
from emorank.audio.decoder import Piece
from emorank.audio.opening import open_decoder
from emorank.audio.outline import Growing, of_part, reachable
from emorank.errors import AudioError
from tests.conftest import voice

RATE = 16_000


def grown(wave: np.ndarray, sizes: list[int], rate: int = RATE, channel: int | None = None) -> Growing:
    """The outline of a wave that comes in pieces."""
    growing = Growing(channel)
    at = 0
    for size in sizes:
        growing.add(Piece(rate, len(wave[at : at + size]), wave[at : at + size]))
        at += size
    growing.add(Piece(rate, len(wave[at:]), wave[at:]))
    growing.end()
    return growing


def slow_peaks(wave: np.ndarray, start: float, end: float, bins: int, rate: int = RATE) -> np.ndarray:
    edges = np.round(np.linspace(start, end, bins + 1) * rate).astype(int)
    parts = [wave[a : max(a + 1, b)] for a, b in pairwise(edges)]
    return np.array([(part.min(), part.max()) if part.size else (0, 0) for part in parts])


@pytest.mark.parametrize("bins", [1, 7, 500])
def test_peaks_of_a_part_are_its_lowest_and_highest_samples(tmp_path: Path, bins: int) -> None:
    wave = voice(5.0)
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    for start, end in ((0.0, 5.0), (1.234, 1.3), (4.9, 6.0)):
        found = of_part(tmp_path / "a.wav", start, end, bins)
        np.testing.assert_allclose(found.peaks / 32767, slow_peaks(wave, start, end, bins), atol=2e-5)
        assert found.bands.shape == (bins, BANDS)
        assert len(found.bytes()) == bins * (4 + BANDS)


def test_the_whole_is_the_same_in_pieces_of_any_size() -> None:
    wave = voice(60.3)[:, None]
    one = grown(wave, [])
    for sizes in ([1] * 50, [RATE * 7 + 13] * 8, [399_999, 3, 250_001]):
        other = grown(wave, sizes)
        assert other.seconds == one.seconds == 60.5
        assert other.length == one.length == 60.3
        for part in ((0.0, 60.5, 241), (10.01, 11.3, 100)):
            np.testing.assert_array_equal(other.of(*part).peaks, one.of(*part).peaks)
            assert np.abs(other.of(*part).bands.astype(int) - one.of(*part).bands).max() <= 1


def test_the_whole_and_a_part_agree(tmp_path: Path) -> None:
    wave = voice(30.0)
    soundfile.write(tmp_path / "a.flac", wave, RATE)
    whole = grown(wave[:, None], []).of(4.0, 28.0, 96)
    part = of_part(tmp_path / "a.flac", 4.0, 28.0, 96)
    np.testing.assert_allclose(whole.peaks, part.peaks, atol=3)
    assert np.abs(whole.bands.astype(int) - part.bands).max() <= 2


def test_a_tone_is_in_its_band_as_loud_as_it_is() -> None:
    time = np.arange(2 * RATE) / RATE
    for frequency, level in ((300, 0), (1000, -20), (5000, -40)):
        tone = 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time)
        bands = grown(tone.astype(np.float32)[:, None], []).of(0.5, 1.5, 1).bands[0]
        assert FLOOR + bands.max() / 255 * -FLOOR == pytest.approx(level, abs=4)
        mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 8000 / 700), BANDS + 2)[1:-1]
        assert 700 * (10 ** (mel[bands.argmax()] / 2595) - 1) == pytest.approx(frequency, rel=0.08)


def test_however_long_it_takes_the_same_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "_MOST", 128)  # as if ten seconds were ten hours
    wave = voice(150.0)[:, None]
    growing = grown(wave, [RATE * 30] * 5)
    assert growing.bytes <= 2 * 128 * (BANDS + 8 * 4)
    assert growing.seconds == pytest.approx(150, abs=2)
    found = growing.of(0, 144, 12)
    np.testing.assert_allclose(found.peaks / 32767, slow_peaks(wave[:, 0], 0, 144, 12), atol=2e-5)


def test_what_is_not_there_yet_is_silence() -> None:
    growing = Growing()
    assert growing.of(0, 10, 5).bytes() == bytes(5 * (4 + BANDS))
    growing.add(Piece(RATE, RATE * 10, np.full((RATE * 10, 1), 0.5, np.float32)))
    found = growing.of(0, 20, 20)
    assert growing.seconds == 10
    assert (found.peaks[:10, 1] == 16384).all()
    assert not found.peaks[10:].any()
    assert not found.bands[10:].any()


def test_channels_and_rates_and_gaps(tmp_path: Path) -> None:
    left, right = voice(3.0, 220, 3), 0.2 * voice(3.0, 110, 4)
    soundfile.write(tmp_path / "two.wav", np.stack([left, right], 1), RATE, subtype="FLOAT")
    for channel, wave in ((1, left), (2, right), (None, left)):
        found = of_part(tmp_path / "two.wav", 0, 3, 3, channel)
        np.testing.assert_allclose(found.peaks / 32767, slow_peaks(wave, 0, 3, 3), atol=0.02)
    with pytest.raises(AudioError, match="no channel 3"):
        of_part(tmp_path / "two.wav", 0, 3, 3, 3)
    growing = Growing(1)
    growing.add(Piece(RATE, RATE * 10, np.full((RATE * 10, 2), 0.25, np.float32)))
    growing.add(Piece(RATE, RATE * 10, None))
    growing.add(Piece(8_000, 80_000, np.full((80_000, 1), -0.5, np.float32)))
    growing.end()
    assert growing.length == 30
    assert growing.of(0, 30, 3).peaks.tolist() == [[8192, 8192], [0, 0], [-16384, -16384]]


def test_samples_that_are_no_numbers_draw_silence(tmp_path: Path) -> None:
    wave = np.zeros(RATE, np.float32)
    wave[100:200], wave[300] = np.nan, np.inf
    soundfile.write(tmp_path / "bad.wav", wave, RATE, subtype="FLOAT")
    assert not of_part(tmp_path / "bad.wav", 0, 1, 10).peaks.any()


def test_what_can_be_decoded_from_anywhere(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, voice(1.0), RATE)
        assert reachable(tmp_path / name, 30_000)
    soundfile.write(tmp_path / "a.ogg", voice(1.0), RATE)
    assert reachable(tmp_path / "a.ogg", 100)
    assert not reachable(tmp_path / "a.ogg", 30_000)
    assert open_decoder(str(tmp_path / "a.ogg")).seconds == pytest.approx(1.0)
