"""How near the places that emorank-base gives lie to the labels, and whether its margins hold.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Labels are derived. The concordance
correlation coefficient (Lin 1989), the mean distance in points of the scale, and the share of utterances whose label
lies within the model's margin (0.9 is what it promises for voices like those of its development speakers). OUT is what
benchmarks/ablation.py left: its models that have not heard a corpus say how far the promise carries.

    .venv/bin/python benchmarks/places.py DATA [OUT]
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch

from ased import ased
from emorank import EmotionRankCLAP, read_corpus
from emorank.affect import DIMENSIONS
from emorank.evaluation.embedded import embed
from emorank.tuning.objective import agreement
from results import CORPORA


def placed(model: EmotionRankCLAP, table: pl.DataFrame, split: str | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) places and labels."""
    found = embed(model, table, split)
    return model.places(found.embeddings), found.table.select(DIMENSIONS).to_numpy()


def row(name: str, model: EmotionRankCLAP, places: np.ndarray, labels: np.ndarray) -> None:
    """A line of the table, valence, arousal and dominance in each cell."""
    every = torch.full((1, len(places)), 1 / len(places), dtype=torch.float64)
    agreed = agreement(torch.from_numpy(places).double(), torch.from_numpy(labels).double(), every)[0].tolist()
    distance = np.abs(places - labels)
    margins = dict(zip(model.config.dimensions, model.config.margins or (), strict=True))
    inside = (distance <= np.array([margins[dimension] for dimension in DIMENSIONS])).mean(0)
    cells = [" ".join(f"{value:.2f}" for value in each) for each in (agreed, distance.mean(0), inside)]
    print(f"| {name} | {len(places)} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the table."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    tables = {name: read_corpus(name, data / name) for name in CORPORA}
    model = EmotionRankCLAP.from_pretrained()
    together = pl.concat(tables.values(), how="diagonal_relaxed")
    print(f"Margins: {model.config.margins}\n")
    print("| clips of | clips | concordance, V A D | mean distance | within the margin |\n|---|---|---|---|---|")
    row("development speakers", model, *placed(model, together, "development"))
    row("test speakers", model, *placed(model, together, "test"))
    for name, table in tables.items():
        row(f"{name}, test speakers", model, *placed(model, table, "test"))
    if (data / "ased").is_dir():
        row("ASED", model, *placed(model, ased(data / "ased"), None))
    for name in CORPORA if out else ():
        other = EmotionRankCLAP.from_pretrained(out / f"emorank-base-without-{name}-0")
        row(f"{name}, left out", other, *placed(other, tables[name], None))


if __name__ == "__main__":
    main()
