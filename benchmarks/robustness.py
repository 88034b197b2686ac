"""Order on damaged recordings of the test speakers, beside the clean ones.

DATA holds the folders ravdess, emodb and nemo. Every third clip of the test speakers (or of the development speakers,
with their captions), each damaged in every way. Of models with commas between them the mean is printed, and the
standard deviation.

    .venv/bin/python benchmarks/robustness.py DATA [development|test] [MODEL[,MODEL ...] ...]
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import polars as pl
from scipy.signal import butter, fftconvolve, sosfilt

from emorank import EmotionRankCLAP, audio, read_corpus
from emorank.audio import SAMPLE_RATE
from emorank.captions.bank import Split
from emorank.evaluation.embedded import Embedded
from emorank.evaluation.report import measure_ordinality

CORPORA = ("ravdess", "emodb", "nemo")
EVERY = 3
Wave = np.ndarray


def telephone(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """300 to 3400 Hz."""
    return sosfilt(butter(6, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos"), wave)


def mp3(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """At 32 kbit/s."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 32_000
        frame = av.AudioFrame.from_ndarray(np.clip(wave, -1, 1)[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file) as container:
        return np.concatenate([each.to_ndarray()[0] for each in container.decode(audio=0)])


def babble(wave: Wave, others: list[Wave], random: np.random.Generator) -> Wave:
    """Five other clips of the test speakers, 10 dB below."""
    voices = [others[index] for index in random.choice(len(others), 5, replace=False)]
    return at(wave, sum(np.resize(voice / rms(voice), len(wave)) for voice in voices), 10)


def hum(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """50 Hz and its overtones, 10 dB below."""
    time = np.arange(len(wave)) / SAMPLE_RATE
    return at(wave, sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 4, 5)), 10)


def echo(wave: Wave, _: list[Wave], random: np.random.Generator) -> Wave:
    """A room of 0.5 s reverberation, as loud as the direct sound."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    answer = random.standard_normal(len(time)) * np.exp(-6.9 * time / 0.5)
    answer /= np.sqrt(np.sum(answer**2))
    answer[0] += 1
    return fftconvolve(wave, answer)[: len(wave)]


def quiet(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """20 dB less, in 16 bits."""
    return np.round(wave * 0.1 * 32768) / 32768


def clipped(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """At a quarter of the peak."""
    limit = np.abs(wave).max() / 4
    return np.clip(wave, -limit, limit)


def clean(wave: Wave, _: list[Wave], __: np.random.Generator) -> Wave:
    """As it is."""
    return wave


DAMAGES: tuple[Callable[[Wave, list[Wave], np.random.Generator], Wave], ...] = (
    clean, telephone, mp3, babble, hum, echo, quiet, clipped,
)  # fmt: skip


def rms(wave: Wave) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(wave)))) or 1.0


def at(wave: Wave, noise: Wave, ratio: float) -> Wave:
    """Speech with noise that lies `ratio` dB below it."""
    return wave + noise / rms(noise) * rms(wave) * 10 ** (-ratio / 20)


def cell(values: list[float]) -> str:
    """The mean of several models, and their standard deviation."""
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def main() -> None:
    """Print a line for every damage."""
    data, rest = Path(sys.argv[1]), sys.argv[2:]
    part: Split = "development" if "development" in rest else "test"
    asked = [name for name in rest if name not in ("development", "test")] or ["emorank-base"]
    groups = {names: [EmotionRankCLAP.from_pretrained(name) for name in names.split(",")] for names in asked}
    tables = [read_corpus(name, data / name).filter(split=part)[::EVERY] for name in CORPORA]
    table = pl.concat(tables, how="diagonal_relaxed")
    waves = [audio.load(path) for path in table["path"]]
    print(f"{len(waves)} clips, {part}\n\n| | " + " | ".join(f"{names} VOC | AOC" for names in groups) + " |")
    print("|---" * (1 + 2 * len(groups)) + "|")
    for damage in DAMAGES:
        random = np.random.default_rng(0)
        damaged = [damage(wave, waves, random).astype(np.float32) for wave in waves]
        heard: dict[str, np.ndarray] = {}  # models of one encoder hear alike
        cells = []
        for models in groups.values():
            reports = []
            for model in models:
                encoder = model.audio_encoder
                if encoder.name not in heard:
                    heard[encoder.name] = encoder(damaged)
                found = Embedded(model, table, model.audio(heard[encoder.name]), part, (), 0, {})
                reports.append(measure_ordinality(found, part))
            cells += [cell([report.voc.mean for report in reports]), cell([report.aoc.mean for report in reports])]
        print(f"| {damage.__name__} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
