"""Whether speech is told from what is none, and how much of it says how it sounds.

DATA holds the folders ravdess, emodb and nemo, and ased and baved if they are to be reported. First table: of how many
clips the index says that hardly anybody speaks in them, acted clips of every corpus beside sounds that are made here
and hold no voice. Second: order of every third clip of the test speakers, of which only the first so many seconds from
where the voice begins are heard. Some fifteen minutes of a core.

    .venv/bin/python benchmarks/speech.py DATA [MODEL]
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from ased import ased
from emorank import DEFAULT_MODEL, EmotionRankCLAP, audio, read_corpus
from emorank.audio import SAMPLE_RATE
from emorank.evaluation.embedded import Embedded
from emorank.evaluation.report import measure_ordinality
from emorank.listening.caution import LITTLE, NOBODY
from emorank.listening.speech import CHUNK, heard, seconds
from intensity import read as baved
from robustness import CORPORA, EVERY

CLIPS = 300  # of a corpus or of a kind of sound
LENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
Wave = np.ndarray


def time(length: float = 4.0) -> Wave:
    """The seconds of a clip's samples."""
    return np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE


def chords(random: np.random.Generator) -> Wave:
    """Music: plucked chords of four tones with overtones."""
    wave = np.zeros_like(time())
    for start in np.arange(0, 4, random.uniform(0.3, 0.8)):
        since = np.clip(time() - start, 0, None)
        for tone in 110 * 2 ** (random.choice(30, 4, replace=False) / 12):
            pluck = np.exp(-since * random.uniform(2, 6)) * (since > 0)
            wave += pluck * sum(np.sin(2 * np.pi * k * tone * since) / k for k in (1, 2, 3, 4))
    return wave


def melody(random: np.random.Generator) -> Wave:
    """Music: one sustained tone after another, with vibrato, as of a violin or a flute."""
    notes = np.repeat(random.integers(0, 24, 8), len(time()) // 8)
    pitch = 220 * 2 ** (notes / 12) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * time()))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    return sum(np.sin(k * phase) * random.uniform(0.3, 1) / k for k in range(1, 7))


def beats(random: np.random.Generator) -> Wave:
    """Music: drums."""
    wave = np.zeros_like(time())
    for start in np.arange(0, 3.8, random.uniform(0.15, 0.5)):
        begin, fall = round(start * SAMPLE_RATE), np.exp(-np.arange(3200) / random.uniform(200, 1500))
        wave[begin : begin + 3200] += random.normal(size=3200) * fall
    return wave


def swells(random: np.random.Generator) -> Wave:
    """Noise of a random colour that comes and goes, as of wind, waves or traffic."""
    spectrum = np.fft.rfft(random.normal(size=len(time())))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** random.uniform(0, 1)
    loud = 1.1 + np.sin(2 * np.pi * random.uniform(0.2, 2) * time() + random.uniform(0, 6))
    return np.fft.irfft(spectrum, len(time())) * loud


def chirps(random: np.random.Generator) -> Wave:
    """Rising and falling whistles, as of birds and alarms."""
    pitch = 1500 + 1000 * np.sin(2 * np.pi * np.cumsum(random.uniform(1, 8) * np.ones_like(time())) / SAMPLE_RATE)
    on = np.sin(2 * np.pi * random.uniform(0.5, 3) * time()) > 0
    return np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) * on


SOUNDS: tuple[Callable[[np.random.Generator], Wave], ...] = (chords, melody, beats, swells, chirps)


def spoken(waves: list[Wave]) -> str:
    """Of clips: how long somebody speaks in them, and shares of them that are said to hold little or no speech."""
    found = np.array([seconds(heard(wave.astype(np.float32))) for wave in waves])
    part, half = np.quantile(found, (0.05, 0.5))
    nobody, little = np.mean(found < NOBODY), np.mean(found < LITTLE)
    return f"{len(waves)} | {half:.2f} | {part:.2f} | {nobody:.1%} | {little:.1%}"


def beginning(wave: Wave, length: float) -> Wave:
    """The first seconds of a clip from where the voice begins."""
    voiced = np.flatnonzero(heard(wave) >= 0.5)
    begin = int(voiced[0]) * CHUNK if len(voiced) else 0
    return wave[begin : begin + round(length * SAMPLE_RATE)]


def main() -> None:
    """Print both tables."""
    data, name = Path(sys.argv[1]), (sys.argv[2:] or [DEFAULT_MODEL])[0]
    model = EmotionRankCLAP.from_pretrained(name)
    tables = {name: read_corpus(name, data / name) for name in CORPORA}
    others = {"ased": ased, "baved": baved}
    tables |= {name: read(data / name) for name, read in others.items() if (data / name).is_dir()}
    columns = ("clips", "median, s", "5 of 100 below, s", f"below {NOBODY} s", f"below {LITTLE} s")
    print(f"| | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|")
    for name, table in tables.items():
        waves = [audio.load(path) for path in table.sample(min(CLIPS, len(table)), seed=0)["path"]]
        print(f"| {name} | {spoken(waves)} |", flush=True)
    for sound in SOUNDS:
        random = np.random.default_rng(0)
        waves = [
            made / np.abs(made).max() * random.uniform(0.05, 0.8) for made in (sound(random) for _ in range(CLIPS))
        ]
        print(f"| {sound.__name__} | {spoken(waves)} |", flush=True)
    test = pl.concat([tables[name].filter(split="test")[::EVERY] for name in CORPORA], how="diagonal_relaxed")
    waves = [audio.load(path) for path in test["path"]]
    print("\n| the first | VOC | AOC |\n|---|---|---|")
    for length in (*LENGTHS, None):
        cut = waves if length is None else [beginning(wave, length) for wave in waves]
        found = Embedded(model, test, model.encode_audio(cut), "test", (), 0, {})
        report = measure_ordinality(found)
        print(
            f"| {'all' if length is None else f'{length:g} s'} | {report.voc.mean:.3f} | {report.aoc.mean:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
