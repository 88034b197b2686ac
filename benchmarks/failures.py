"""Where emorank-base goes most wrong among voices it never heard: what was acted, where it was put, how it sounds.

DATA holds the folders ravdess, emodb and nemo. Of the test speakers, labels derived: the share of each acted emotion
that is placed on the wrong side of neutral valence (`happiness` and `surprise` are right above 4, the others below;
neutral and calm have no side), and the clips of every corpus whose place is farthest from their label on the plane, one
of each speaker. Beside them how they sound by Praat, as deviations from the same speaker's other clips. With PICTURE
their spectrograms and places are drawn.

    .venv/bin/python benchmarks/failures.py DATA [PICTURE]
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from emorank import EmotionRankCLAP, audio, read_corpus
from emorank.affect import DIMENSIONS, HIGHEST, LOWEST, NEUTRAL
from emorank.captions.paraclap import PROPERTIES, Praat
from emorank.evaluation.embedded import embed
from emorank.listening.store import features
from results import CORPORA

GLAD, SAD = ("happiness", "surprise"), ("anger", "boredom", "disgust", "fear", "sadness")
WORST = 2  # clips of a corpus
SHOWN = ("pitch", "pitch variation", "intensity", "articulation rate")


def sides(table: pl.DataFrame, valence: np.ndarray) -> None:
    """Print how often the side of neutral is wrong, by what was acted."""
    print("| acted | clips | wrong side of neutral valence |\n|---|---|---|")
    emotions = table["emotion"].to_numpy()
    for emotion in (*GLAD, *SAD):
        own = valence[emotions == emotion]
        wrong = own < NEUTRAL if emotion in GLAD else own > NEUTRAL
        print(f"| {emotion} | {len(own)} | {wrong.mean():.0%} |")


def farthest(table: pl.DataFrame, distance: np.ndarray) -> list[int]:
    """The worst clips of every corpus, one of each speaker."""
    rows: list[int] = []
    for corpus in CORPORA:
        speakers: set[str] = set()
        for row in np.argsort(-distance, kind="stable").tolist():
            if table["corpus"][row] == corpus and table["speaker"][row] not in speakers:
                speakers.add(table["speaker"][row])
                rows.append(row)
                if len(speakers) == WORST:
                    break
    return rows


def sounds(table: pl.DataFrame) -> np.ndarray:
    """(n, properties) how every clip sounds, in standard deviations from its speaker's mean."""
    measured = features(table["path"].to_list(), Praat())[0].astype(float)
    speakers = table["speaker"].to_numpy()
    for speaker in np.unique(speakers):
        own = measured[speakers == speaker]
        measured[speakers == speaker] = (own - np.nanmean(own, 0)) / np.nanstd(own, 0)
    return measured


def draw(table: pl.DataFrame, rows: list[int], places: np.ndarray, labels: np.ndarray, file: Path) -> None:
    """Spectrograms up to 4 kHz, and how far the place lies from the label."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.9 * len(rows)), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    for (sound, plane), row in zip(figure.subplots(len(rows), 2, width_ratios=(4, 1)), rows, strict=True):
        wave = audio.load(table["path"][row])
        wave = wave / np.abs(wave).max() + np.random.default_rng(0).normal(0, 1e-5, len(wave))  # nothing has no level
        sound.specgram(wave, NFFT=512, noverlap=384, Fs=audio.SAMPLE_RATE, vmin=-110, vmax=-40)
        sound.set(ylim=(0, 4000), ylabel="Hz")
        sound.set_title(f"{table['speaker'][row]}: {table['emotion'][row]}", loc="left", fontsize=10)
        label, place = labels[row, :2], places[row, :2]
        plane.annotate("", place, label, arrowprops={"arrowstyle": "->", "color": "#666666"})
        plane.plot(*label, "o", color="#0b7a75", label="acted")
        plane.plot(*place, "o", color="#b3470b", label="placed")
        plane.axhline(NEUTRAL, color="#cccccc", linewidth=0.8, zorder=0)
        plane.axvline(NEUTRAL, color="#cccccc", linewidth=0.8, zorder=0)
        plane.set(xlim=(LOWEST, HIGHEST), ylim=(LOWEST, HIGHEST), ylabel="arousal", xticks=(2, 4, 6), yticks=(2, 4, 6))
        if row == rows[0]:
            plane.legend(frameon=False, fontsize=8, loc="lower left")
    sound.set_xlabel("seconds")
    plane.set_xlabel("valence")
    figure.savefig(file)


def main() -> None:
    """Print both tables."""
    data = Path(sys.argv[1])
    model = EmotionRankCLAP.from_pretrained()
    tables = [read_corpus(name, data / name) for name in CORPORA]
    found = embed(model, pl.concat(tables, how="diagonal_relaxed"))
    table, places = found.table, model.places(found.embeddings)
    labels = table.select(DIMENSIONS).to_numpy()
    sides(table, places[:, 0])
    rows = farthest(table, np.linalg.norm((places - labels)[:, :2], axis=1))
    heard = sounds(table)
    columns = [PROPERTIES.index(name) for name in SHOWN]
    print(f"\n| clip | acted | label, V A D | place | {' | '.join(SHOWN)} |\n|{'---|' * (4 + len(SHOWN))}")
    for row in rows:
        shown = [" ".join(f"{value:.1f}" for value in each[row]) for each in (labels, places)]
        deviations = [f"{value:+.1f}" for value in heard[row, columns]]
        name = f"{table['speaker'][row]} {Path(table['path'][row]).stem}"
        print(f"| {name} | {table['emotion'][row]} | {' | '.join((*shown, *deviations))} |")
    if len(sys.argv) > 2:
        draw(table, rows, places, labels, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
