"""What it brings to take out of descriptions a share of what all captions have in common.

For every share: VOC and AOC of the development speakers with the development captions, and what the development queries
find among their RAVDESS actors (labels derived); mean and standard deviation over MODELS, such as the three seeds that
benchmarks/results.py trained. They are not trained anew: the share changes what a description's embedding is and
nothing else. Two minutes of a core for a model.

    .venv/bin/python benchmarks/centring.py DATA MODEL ...
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ablation import cell, order
from emorank import EmotionRankCLAP, read_corpus
from emorank.captions import bundled
from queries import precisions
from results import CORPORA

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def centred(model: EmotionRankCLAP, features: np.ndarray) -> Iterator[EmotionRankCLAP]:
    """The model with every share of what captions, of which these are the features, have in common taken out."""
    plain = replace(model.text, origin=None)
    mean = plain(features).mean(0)
    for share in SHARES:
        text = replace(plain, origin=share * mean) if share else plain
        yield EmotionRankCLAP(model.audio, text, model.scale, model.locator, model.config)


def main() -> None:
    """Print the table as Markdown."""
    data, models = Path(sys.argv[1]), [EmotionRankCLAP.from_pretrained(name) for name in sys.argv[2:]]
    table = pl.concat([read_corpus(name, data / name) for name in CORPORA], how="diagonal_relaxed")
    captions = bundled("train").texts
    every = zip(*(centred(model, model.text_features(captions)) for model in models), strict=True)
    print("| share | VOC / AOC | queries |\n|---|---|---|")
    for share, versions in zip(SHARES, every, strict=True):
        found = [[np.mean(precisions(model, data / "ravdess", "development"))] for model in versions]
        print(
            f"| {share} | {cell(order(list(versions), table, 'development'))} | {cell(np.array(found))} |", flush=True
        )


if __name__ == "__main__":
    main()
