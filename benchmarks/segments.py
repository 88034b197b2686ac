"""How well, and how fast, long recordings are cut: recordings put together from clips, so that right cuts are known.

Clips are those of development speakers, or training speakers, of RAVDESS, EmoDB and nEMO where they lie in
`../shared/data` (never test speakers), otherwise the synthetic samples. Speech of a clip is from its first to its last
10 ms within 35 dB of its loud parts. Four kinds of recording, a faint noise under each:

- clips: as they were recorded, 0.2 to 2 s between them
- speech: without their silence, 0.2 to 1.5 s between them
- turns: without their silence, 0 to 0.1 s between them
- one voice: 12 sentences of one speaker and emotion with 0.1 to 0.5 s between them, then another one's

precision, recall: of beginnings and ends of speech, within 0.25 s, one to one. mixed: share of segments with more than
0.3 s of each of two clips (on one voice: two voices). silence: share of the segments' time. lost: share of speech in no
segment. apart: share of clips of which two segments hold more than 0.3 s each. The other way is the one before
single-pass cutting, by its revision in git.

    .venv/bin/python benchmarks/segments.py [development | train]
"""

import itertools
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from emorank import audio, read_corpus
from emorank.audio import SAMPLE_RATE
from emorank.corpora.split import split_of
from emorank.listening.segments import segments

ROOT = Path(__file__).parents[1]
CORPORA = ROOT.parent / "shared" / "data"
BEFORE = "49ef3ab"  # the last revision with the other way
SEEDS = (1, 2)
CLIPS = 133  # in a recording, about ten minutes
NOISE = 10 ** (-70 / 20)  # root mean square
PAUSES = {"clips": (0.2, 2.0), "speech": (0.2, 1.5), "turns": (0.0, 0.1), "one voice": (0.1, 0.5)}  # seconds

Span = tuple[float, float]


@dataclass(frozen=True)
class Clip:
    """A clip, the samples where its speech begins and ends, and whose voice it is in which emotion."""

    wave: np.ndarray
    begin: int
    end: int
    voice: str


@dataclass(frozen=True)
class Constructed:
    """A recording with the seconds in which each of its clips speaks, and their voices."""

    wave: np.ndarray
    spans: list[Span]
    voices: list[str]


def main() -> None:
    """Print how well and how fast both ways cut."""
    part = sys.argv[1] if len(sys.argv) > 1 else "development"
    clips = corpus_clips(part) if CORPORA.is_dir() else sample_clips()
    print(f"{len(clips)} clips of {part if CORPORA.is_dir() else 'synthetic'} speakers, {len(SEEDS)} recordings a kind")
    ways = {"now": cut_now, "before": cut_before()}
    print("| kind | way | segments | precision | recall | mixed | silence | lost | apart | exactly 2 s | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for kind, (name, way) in itertools.product(PAUSES, ways.items()):
        if way is not None:
            results = []
            for seed in SEEDS:
                recording = constructed(clips, kind, np.random.default_rng(seed))
                results.append(measured(way(recording.wave), recording, by_voice=kind == "one voice"))
            print(f"| {kind} | {name} | " + " | ".join(row(results)) + " |", flush=True)
    speed(constructed(clips, "clips", np.random.default_rng(1)).wave, ways)


def corpus_clips(part: str) -> list[Clip]:
    """Up to 400 clips of each corpus by speakers of that part of the fixed split."""
    clips = []
    for corpus in ("ravdess", "emodb", "nemo"):
        table = read_corpus(corpus, CORPORA / corpus)
        rows = [row for row in table.iter_rows(named=True) if split_of(corpus, row["speaker"].split("-")[-1]) == part]
        chosen = np.random.default_rng(0).permutation(len(rows))[:400]
        clips += [clip(rows[i]["path"], f"{rows[i]['speaker']} {rows[i]['emotion']}") for i in chosen]
    return clips


def sample_clips() -> list[Clip]:
    """The synthetic samples, told apart by manner and speaker."""
    return [clip(path, path.stem.rsplit("-", 1)[0]) for path in sorted((ROOT / "samples").glob("*-*-*.ogg"))]


def clip(path: str | Path, voice: str) -> Clip:
    """A clip and where it speaks."""
    wave = audio.load(path)
    frames = wave[: len(wave) // 160 * 160].reshape(-1, 160).astype(np.float64)
    levels = 10 * np.log10(np.square(frames).mean(1) + 1e-18)
    loud = levels > np.percentile(levels, 95) - 35
    steady = np.flatnonzero(loud & (np.convolve(loud, np.ones(10), "same") >= 5))  # a click is not speech
    return Clip(wave, int(steady[0]) * 160, (int(steady[-1]) + 1) * 160, voice)


def constructed(clips: list[Clip], kind: str, rng: np.random.Generator) -> Constructed:
    """A recording of that kind."""
    chosen = in_one_voice(clips, rng) if kind == "one voice" else [clips[i] for i in rng.permutation(len(clips))]
    pieces, position, spans, voices = [np.zeros(SAMPLE_RATE // 2)], SAMPLE_RATE // 2, [], []
    for one, following in itertools.pairwise([*chosen[:CLIPS], None]):
        first = 0 if kind == "clips" else max(0, one.begin - 480)
        last = len(one.wave) if kind == "clips" else one.end + 480
        spans.append(((position + one.begin - first) / SAMPLE_RATE, (position + one.end - first) / SAMPLE_RATE))
        voices.append(one.voice)
        other = kind == "one voice" and following is not None and following.voice != one.voice
        pause = np.zeros(round((1.5 if other else rng.uniform(*PAUSES[kind])) * SAMPLE_RATE))
        pieces += [one.wave[first:last], pause]
        position += len(pieces[-2]) + len(pause)
    wave = np.concatenate([*pieces, np.zeros(SAMPLE_RATE // 2)])
    return Constructed((wave + NOISE * rng.standard_normal(len(wave))).astype(np.float32), spans, voices)


def in_one_voice(clips: list[Clip], rng: np.random.Generator) -> list[Clip]:
    """Up to 12 sentences of a voice in a row."""
    voices = sorted({clip.voice for clip in clips})
    chosen: list[Clip] = []
    for voice in rng.permutation(voices):
        its = [clip for clip in clips if clip.voice == voice]
        chosen += [its[i] for i in rng.permutation(len(its))[:12]] if len(its) > 4 else []
    return chosen or clips


def cut_now(wave: np.ndarray) -> list[Span]:
    """As emorank cuts."""
    return [(segment.start, segment.end) for segment in segments("recording", blocks(wave))]


def cut_before() -> Callable[[np.ndarray], list[Span]] | None:
    """As emorank cut before; None without that revision."""
    git = ["git", "-C", str(ROOT), "show", f"{BEFORE}:src/emorank/listening/segments.py"]
    source = subprocess.run(git, capture_output=True, text=True, check=False)
    if source.returncode:
        print(f"the way before is not measured: this clone lacks the revision {BEFORE}")
        return None
    module = sys.modules["before"] = types.ModuleType("before")
    exec(source.stdout, module.__dict__)
    return lambda wave: module.cut(*module.speech_probabilities(iter(blocks(wave))))


def blocks(wave: np.ndarray) -> Iterable[np.ndarray]:
    """As decoders give them."""
    return [wave[start : start + 480_000] for start in range(0, len(wave), 480_000)]


def shared(a: Span, b: Span) -> float:
    """Seconds that two spans share."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def measured(cuts: list[Span], recording: Constructed, by_voice: bool) -> dict[str, float | np.ndarray]:
    """What the module's first lines name."""
    near = sum(
        matches(np.array([span[edge] for span in recording.spans]), np.array([span[edge] for span in cuts]))
        for edge in (0, 1)
    )
    held = np.array([[shared(segment, span) for span in recording.spans] for segment in cuts])
    names = np.array(recording.voices) if by_voice else np.arange(len(recording.spans))
    seconds = np.array([end - start for start, end in cuts])
    return {
        "segments": len(cuts),
        "precision": near / 2 / len(cuts),
        "recall": near / 2 / len(recording.spans),
        "mixed": np.mean([len(set(names[row > 0.3])) > 1 for row in held]),
        "silence": 1 - held.sum() / seconds.sum(),
        "lost": 1 - held.sum() / sum(end - start for start, end in recording.spans),
        "apart": np.mean((held > 0.3).sum(0) > 1),
        "two": np.mean(np.abs(seconds - 2) < 0.01),
        "seconds": seconds,
    }


def matches(right: np.ndarray, found: np.ndarray) -> int:
    """How many of the right edges have a found one within 0.25 s for themselves."""
    free = np.ones(len(found), bool)
    for edge in right:
        nearest = int(np.argmin(np.abs(found - edge) + 1e9 * ~free))
        free[nearest] &= abs(found[nearest] - edge) > 0.25
    return int((~free).sum())


def row(results: list[dict[str, float | np.ndarray]]) -> list[str]:
    """Means over recordings, and the 5th, 50th and 95th percentile of the lengths."""
    mean = {name: np.mean([result[name] for result in results]) for name in results[0] if name != "seconds"}
    lengths = np.percentile(np.concatenate([result["seconds"] for result in results]), [5, 50, 95])
    shares = [f"{value:.2f}" for name, value in mean.items() if name != "segments"]
    return [f"{mean['segments']:.0f}", *shares, ", ".join(f"{length:.1f}" for length in lengths)]


def speed(wave: np.ndarray, ways: dict[str, Callable[[np.ndarray], list[Span]] | None]) -> None:
    """Seconds of a recording heard and cut in a second, by the clock and by the processor, and with decoding."""
    seconds = len(wave) / SAMPLE_RATE
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".flac", ".mp3"):
            soundfile.write(f"{folder}/recording{suffix}", wave, SAMPLE_RATE)
        tasks: dict[str, Callable[[], object]] = {name: lambda way=way: way(wave) for name, way in ways.items() if way}
        for suffix in ("flac", "mp3"):
            path = f"{folder}/recording.{suffix}"
            tasks[f"now, and decoding {suffix}"] = lambda path=path: list(segments(path, audio.blocks(path)))
        for name, task in tasks.items():
            times = []
            for _ in range(3):
                began = time.perf_counter(), time.process_time()
                task()
                times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
            clock, processor = np.min(times, 0)
            print(f"{name:24s} {seconds / clock:6.0f} x real time, {seconds / processor:6.0f} x by processor time")


if __name__ == "__main__":
    main()
