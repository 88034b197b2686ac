"""How near the places that emorank-base gives lie to the labels, and whether its margins hold.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Labels are derived. The concordance
correlation coefficient (Lin 1989), the mean distance in points of the scale, and the share of utterances whose label
lies within the model's margin (0.9 is what it promises for voices like those of its development speakers). OUT is what
benchmarks/ablation.py left: its models that have not heard a corpus say how far the promise carries. With --write, the
margins are found anew and put into the packaged model's config.json.

    .venv/bin/python benchmarks/places.py DATA [OUT] [--write]
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import torch

import emorank
from ased import ased
from emorank import DEFAULT_MODEL, EmotionRankCLAP, read_corpus
from emorank.evaluation.embedded import embed
from emorank.model import CONFIG_FILE
from emorank.storage import written_whole
from emorank.training.margins import margins
from emorank.tuning.objective import agreement
from results import CORPORA


def placed(model: EmotionRankCLAP, table: pl.DataFrame, split: str | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) places and labels."""
    found = embed(model, table, split)
    return model.locate(found.embeddings), found.table.select(model.config.dimensions).to_numpy()


def row(name: str, model: EmotionRankCLAP, places: np.ndarray, labels: np.ndarray) -> None:
    """A line of the table, valence, arousal and dominance in each cell."""
    every = torch.full((1, len(places)), 1 / len(places), dtype=torch.float64)
    agreed = agreement(torch.from_numpy(places).double(), torch.from_numpy(labels).double(), every)[0].tolist()
    distance = np.abs(places - labels)
    inside = (distance <= np.array(model.config.margins)).mean(0)
    cells = [" ".join(f"{value:.2f}" for value in each) for each in (agreed, distance.mean(0), inside)]
    print(f"| {name} | {len(places)} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the table, or write the margins."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    tables = {name: read_corpus(name, options.data / name) for name in CORPORA}
    model = EmotionRankCLAP.from_pretrained()
    together = pl.concat(tables.values(), how="diagonal_relaxed")
    developed = placed(model, together, "development")
    if options.write:
        file = Path(emorank.__file__).with_name("weights") / DEFAULT_MODEL / CONFIG_FILE
        stated = json.loads(file.read_text("utf8")) | {"margins": margins(*developed)}
        with written_whole(file) as path:
            path.write_text(json.dumps(stated, indent=2) + "\n", "utf8")
        model.config = dataclasses.replace(model.config, margins=margins(*developed))
    print(f"Margins: {model.config.margins}\n")
    print("| clips of | clips | concordance, V A D | mean distance | within the margin |\n|---|---|---|---|---|")
    row("development speakers", model, *developed)
    row("test speakers", model, *placed(model, together, "test"))
    for name, table in tables.items():
        row(f"{name}, test speakers", model, *placed(model, table, "test"))
    if (options.data / "ased").is_dir():
        row("ASED", model, *placed(model, ased(options.data / "ased"), None))
    for name in CORPORA if options.out else ():
        other = EmotionRankCLAP.from_pretrained(options.out / f"emorank-base-without-{name}-0")
        row(f"{name}, left out", other, *placed(other, tables[name], None))


if __name__ == "__main__":
    main()
