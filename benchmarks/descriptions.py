"""Tunes all-MiniLM-L6-v2 on the bank's training captions: what ships as minilm-emotion.

The encoder goes to OUT (a run that was killed goes on). Prints the correlation of the places that its readout gives
with those that the authors gave, for the bank's development captions, and for EmoBank's development sentences (rated by
people, of what is written) where EMOBANK, the file emobank.csv, is named.

    .venv/bin/python benchmarks/descriptions.py OUT [EMOBANK]
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch

from emorank.affect import DIMENSIONS
from emorank.captions import bundled
from emorank.tuning.descriptions import DescriptionsConfig, TunedDescriptions, tune


def correlations(network: TunedDescriptions, texts: list[str], points: np.ndarray) -> str:
    """Of every dimension."""
    tokens = network.tokens(texts)
    with torch.no_grad():
        found = np.concatenate([network(tokens[at : at + 64]).numpy() for at in range(0, len(tokens), 64)])
    return " ".join(f"{np.corrcoef(found[:, k], points[:, k])[0, 1]:.3f}" for k in range(len(DIMENSIONS)))


def main() -> None:
    """Tune and print."""
    bank = bundled("train")
    network = tune(
        bank.texts,
        bank.points,
        DescriptionsConfig(),
        Path(sys.argv[1]),
        report=lambda epoch, loss: print(f"epoch {epoch}: loss {loss:.3f}", flush=True),
    )
    print(f"\nCorrelation, {', '.join(DIMENSIONS)}\n")
    for split in ("development", "test"):
        captions = bundled(split)
        print(f"{split} captions: {correlations(network, list(captions.texts), captions.points)}")
        short = [index for index, text in enumerate(captions.texts) if len(text.split()) <= 3]
        texts = [captions.texts[index] for index in short]
        print(f"  of one to three words ({len(short)}): {correlations(network, texts, captions.points[short])}")
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "dev"]
        rated = np.array([[float(row[name]) for name in "VAD"] for row in rows])
        print(f"EmoBank, {len(rows)} sentences: {correlations(network, [row['text'] for row in rows], rated)}")


if __name__ == "__main__":
    main()
