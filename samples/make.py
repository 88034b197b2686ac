"""Makes the sample recordings with the speech synthesiser espeak-ng (Debian: apt-get install espeak-ng).

Every recording is synthetic: a robot reads a neutral sentence in one of four manners that differ in pace, pitch,
liveliness of the melody and vocal effort. That is enough for `make demo` to have something to find.

    .venv/bin/python samples/make.py
"""

import csv
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, sosfilt

HERE = Path(__file__).parent
RATE = 16_000  # Hz

VOICES = {"ann": "en-us+f3", "ben": "en-gb+m3", "eve": "en-us+f4"}
SENTENCES = ("The train to the coast leaves at nine.", "There are two books on the kitchen table.")


@dataclass(frozen=True)
class Manner:
    """How a sentence is read.

    Args:
        speed: words a minute.
        pitch: 0..99, higher or lower voice.
        melody: 0..99, how much the pitch moves.
        effort: -1 breathy and dull .. 1 pressed and bright.
    """

    speed: int
    pitch: int
    melody: int
    effort: float


MANNERS = {
    "drained": Manner(speed=85, pitch=15, melody=5, effort=-1.0),
    "calm": Manner(speed=125, pitch=38, melody=35, effort=-0.4),
    "lively": Manner(speed=190, pitch=65, melody=75, effort=0.4),
    "shouted": Manner(speed=225, pitch=92, melody=99, effort=1.0),
}


def speak(sentence: str, voice: str, manner: Manner) -> np.ndarray:
    """The sentence as a mono wave at 16 kHz."""
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", str(manner.speed), "-p", str(manner.pitch)]
    markup = f'<speak><prosody range="{manner.melody * 2}%">{sentence}</prosody></speak>'
    spoken = subprocess.run([*command, "-m", markup], capture_output=True, check=True).stdout
    wave, rate = soundfile.read(io.BytesIO(spoken))
    return with_effort(soxr.resample(wave, rate, RATE), manner.effort)


def with_effort(wave: np.ndarray, effort: float) -> np.ndarray:
    """Vocal effort: soft voices lose their treble and gain breath, pressed ones gain treble and saturate."""
    wave = wave / np.abs(wave).max()
    if effort < 0:
        dull = sosfilt(butter(2, 1200, fs=RATE, output="sos"), wave)
        wave = (1 + effort) * wave - effort * dull
        breath = np.random.default_rng(0).standard_normal(len(wave)) * np.abs(dull)
        return 0.12 * (wave / np.abs(wave).max() - 0.06 * effort * breath)
    bright = sosfilt(butter(1, 1500, "high", fs=RATE, output="sos"), wave)
    wave = np.tanh((1 + 4 * effort) * (wave + 1.5 * effort * bright))
    return (0.3 + 0.5 * effort) * wave / np.abs(wave).max()


def main() -> None:
    """Write the recordings and the table that says what they are."""
    rows = []
    for manner, settings in MANNERS.items():
        for voice, name in VOICES.items():
            for number, sentence in enumerate(SENTENCES, start=1):
                path = HERE / f"{manner}-{voice}-{number}.ogg"
                soundfile.write(path, speak(sentence, name, settings), RATE)
                rows.append((path.name, manner, voice, sentence, "synthetic (espeak-ng)"))
    pause = np.zeros(RATE * 3 // 2)
    order = ("calm", "calm", "lively", "shouted", "drained", "calm")
    spoken = [speak(" ".join(SENTENCES), VOICES["ben"], MANNERS[manner]) for manner in order]
    story = np.concatenate([piece for part in spoken for piece in (part, pause)])
    soundfile.write(HERE / "story-ben.ogg", story, RATE)
    rows.append(("story-ben.ogg", " then ".join(order), "ben", " ".join(SENTENCES), "synthetic (espeak-ng)"))
    with open(HERE / "samples.csv", "w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "manner", "speaker", "transcript", "origin"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
