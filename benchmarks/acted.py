"""Whether derived arousal holds: how loud and how high the categories are acted, beside the arousal that they have.

An utterance has its arousal from its category, by a table; but what is called sad is murmured by some and wailed by
others. For every category of a corpus (test speakers; all of ASED) the table shows pitch and intensity by Praat, as
deviations from the mean of the same speaker's clips, the derived arousal, and the one that emorank-base gives. Below a
corpus stands Kendall's tau of both arousals with the pitch. DATA holds ravdess, emodb, nemo and ased.

    .venv/bin/python benchmarks/acted.py DATA
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import kendalltau

from ased import ased
from emorank import EmotionRankCLAP, read_corpus
from emorank.captions.paraclap import PROPERTIES, Praat
from emorank.evaluation.embedded import embed
from emorank.listening.store import features
from results import CORPORA

SHOWN = ("pitch", "intensity")


def heard(model: EmotionRankCLAP, table: pl.DataFrame, split: str | None) -> pl.DataFrame:
    """The clips that can be read, with `placed`, their arousal by the model, and SHOWN within their speaker."""
    found = embed(model, table, split)
    placed = model.locate(found.embeddings)[:, list(model.config.dimensions).index("arousal")]
    measured = features(found.table["path"].to_list(), Praat())[0].astype(np.float64)
    columns = {name: measured[:, PROPERTIES.index(name)] for name in SHOWN}
    clips = found.table.with_columns(placed=placed, **columns).with_columns(pl.col(SHOWN).fill_nan(None))
    mean, spread = pl.col(SHOWN).mean().over("speaker"), pl.col(SHOWN).std().over("speaker")
    return clips.with_columns((pl.col(SHOWN) - mean) / spread)


def main() -> None:
    """Print the table as Markdown."""
    data, model = Path(sys.argv[1]), EmotionRankCLAP.from_pretrained("emorank-base")
    print("| clips of | acted | clips | pitch | intensity | derived arousal | placed |\n|---|---|---|---|---|---|---|")
    for name in (*CORPORA, "ased"):
        table, split = (ased(data / name), None) if name == "ased" else (read_corpus(name, data / name), "test")
        clips = heard(model, table, split).drop_nulls(SHOWN)
        means = clips.group_by("emotion").agg(pl.len(), pl.col(*SHOWN, "arousal", "placed").mean()).sort("arousal")
        for emotion, count, pitch, intensity, arousal, placed in means.iter_rows():
            print(f"| {name} | {emotion} | {count} | {pitch:+.1f} | {intensity:+.1f} | {arousal:.1f} | {placed:.1f} |")
        taus = [kendalltau(clips["pitch"], clips[arousal]).statistic for arousal in ("arousal", "placed")]
        print(f"| {name} | tau with pitch | {len(clips)} | | | {taus[0]:.2f} | {taus[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
