"""Times are those of a player: pauses of the timestamps are silence; which track is heard."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emorank import audio
from emorank.audio.timeline import Timeline
from emorank.errors import AudioError
from tests.audio.encode import encode, rms, track
from tests.conftest import voice

HOUR = 3600.0


def onsets(wave: np.ndarray) -> list[float]:
    """Where stretches of sound begin and end, in seconds, by 0.1 s."""
    loud = np.array([rms(wave[at : at + 1600]) > 1e-4 for at in range(0, len(wave) - 1600, 1600)])
    return (np.flatnonzero(np.diff(loud.astype(int))) / 10 + 0.1).round(1).tolist()


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("webm", "libopus", 48_000),
        ("matroska", "flac", 16_000),
        ("mp4", "aac", 48_000),
        ("ogg", "libopus", 48_000),
        ("asf", "wmav2", 44_100),
        ("flv", "aac", 44_100),
        ("mpegts", "aac", 48_000),
    ],
)
def test_a_muted_stretch_is_silence(tmp_path: Path, container: str, codec: str, rate: int) -> None:
    path = tmp_path / "a"
    encode(path, container, codec, voice(4.0, rate=rate), rate, gaps=((2.0, 20.0),))
    reading = audio.Reading(path)
    wave = reading.load()
    assert len(wave) / 16_000 == pytest.approx(24.0, abs=0.2)
    assert onsets(wave) == pytest.approx([2.0, 22.0], abs=0.2)
    assert reading.damage == ()
    assert onsets(audio.load(path, 20.0, 23.0)) == pytest.approx([2.0], abs=0.2)
    assert audio.length(path) == pytest.approx(24.0, abs=0.2)


@pytest.mark.parametrize("container", ["matroska", "mp4"])
@pytest.mark.parametrize("late", [0.0, 3.0])
def test_audio_that_begins_after_the_picture(tmp_path: Path, container: str, late: float) -> None:
    path = tmp_path / "a"
    with av.open(str(path), "w", format=container) as out:
        picture = out.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 16
        sound, frames = track(out, "aac", voice(2.0, rate=48_000), 48_000, gaps=((0.0, late),))
        for index in range(60):
            image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            image.pts, image.time_base = index, Fraction(1, 10)
            out.mux(picture.encode(image))
        out.mux(picture.encode(None))
        for frame in frames:
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    reading = audio.Reading(path)
    wave = reading.load()
    assert len(wave) / 16_000 == pytest.approx(2.0 + late, abs=0.2)
    assert onsets(wave)[:1] == pytest.approx([late] if late else [], abs=0.2)
    assert reading.damage == ()  # the picture goes on for longer, which is no damage


@pytest.mark.parametrize("container", ["matroska", "mpegts", "flv"])
def test_timestamps_that_begin_late_alone_are_no_silence(tmp_path: Path, container: str) -> None:
    options = {"avoid_negative_ts": "disabled"}
    rate = 44_100 if container == "flv" else 48_000
    encode(tmp_path / "a", container, "aac", voice(2.0, rate=rate), rate, options, gaps=((0.0, 5 * HOUR),))
    assert len(audio.load(tmp_path / "a")) / 16_000 == pytest.approx(2.0, abs=0.2)


def test_absurd_timestamps_go_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    encode(path, "matroska", "libopus", voice(4.0, rate=48_000), 48_000, gaps=((2.0, 1e6), (3.0, 2.0)))
    reading = audio.Reading(path)
    assert len(reading.load()) / 16_000 == pytest.approx(6.0, abs=0.1)  # of which 2 s are a believable pause


def test_a_timeline() -> None:
    time = Timeline(zero=10.0)
    assert time.gap(10.0, 0.0, damaged=False) == 0
    assert time.gap(11.0, 1.1, damaged=False) == 0  # jitter
    assert time.gap(11.9, 1.8, damaged=False) == 0
    assert time.gap(11.9, 1.8, damaged=True) == pytest.approx(0.1)
    assert time.gap(15.0, 2.0, damaged=False) == pytest.approx(3.0)
    assert time.gap(3.0, 6.0, damaged=False) == 0  # begins anew
    assert time.gap(5.0, 7.0, damaged=False) == pytest.approx(1.0)
    assert time.gap(1e9, 9.0, damaged=False) == 0
    time = Timeline()
    assert time.gap(HOUR, 0.0, damaged=False) == 0
    pauses = [time.gap(HOUR * (1 + 5 * count), HOUR * 5 * (count - 1), damaged=False) for count in (1, 2, 3)]
    assert pauses == pytest.approx([5 * HOUR, 5 * HOUR, 0])  # at most 12 hours altogether


def tracks(path: Path, waves: list[np.ndarray], default: int | None) -> None:
    from av.stream import Disposition

    with av.open(str(path), "w", format="matroska", options={"default_mode": "passthrough"}) as out:
        made = [track(out, "flac", wave, 16_000) for wave in waves]
        for index, (stream, _) in enumerate(made):
            stream.disposition = Disposition.default if index == default else 0
        for frames in zip(*(frames for _, frames in made), strict=True):
            for (stream, _), frame in zip(made, frames, strict=True):
                out.mux(stream.encode(frame))
        for stream, _ in made:
            out.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("levels", "default", "heard"),
    [
        ([1, 0.5], 1, 1),
        ([1, 0.5], 0, 0),
        ([0, 0.5], 0, 1),
        ([0, 0.5], None, 1),
        ([0, 0, 0.25], None, 2),
        ([0.5, 1], None, 0),
    ],
)
def test_which_track_is_heard(tmp_path: Path, levels: list[float], default: int | None, heard: int) -> None:
    wave = voice(2.0)
    tracks(tmp_path / "a.mkv", [level * wave for level in levels], default)
    assert rms(audio.load(tmp_path / "a.mkv")) == pytest.approx(levels[heard] * rms(wave), rel=0.02)


def test_silence_in_all_tracks_is_silence(tmp_path: Path) -> None:
    tracks(tmp_path / "a.mkv", [np.zeros(16_000, np.float32)] * 2, None)
    assert rms(audio.load(tmp_path / "a.mkv")) == 0


def test_a_picture_alone_is_no_recording(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w", format="mp4") as out:
        picture = out.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 16
        out.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        out.mux(picture.encode(None))
    with pytest.raises(AudioError, match="no audio track"):
        audio.load(tmp_path / "a.mp4")
