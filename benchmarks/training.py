"""How long a training as large as the paper's takes: 90,000 utterances, 15 epochs, batch 64.

The features are those of RAVDESS, tiled with noise; the row is EmotionRankCLAP, paired.

    .venv/bin/python benchmarks/training.py RAVDESS_FOLDER
"""

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import torch
from emorank.training.data import Part, Side

from emorank import read_corpus
from emorank.reproduce.rows import config_of, row_of
from emorank.training.loop import fit
from emorank.training.prepare import prepare

UTTERANCES, DEVELOPMENT = 90_000, 25_000


def tiled(part: Part, count: int) -> Part:
    """The same pairs again and again, with noise of a tenth of the spread."""
    index = torch.arange(count) % len(part.audio)
    sides = []
    for side in (part.audio, part.text):
        noise = 0.1 * side.features.std(0) * torch.randn(count, side.features.shape[1])
        sides.append(Side(side.features[index] + noise, side.labels[index]))
    return dataclasses.replace(part, audio=sides[0], text=sides[1])


def main() -> None:
    """Print the time of the training alone."""
    config = config_of(row_of("emotionrankclap"))
    prepared = prepare(read_corpus("ravdess", Path(sys.argv[1])), config)
    torch.manual_seed(0)
    train, development = tiled(prepared.train, UTTERANCES), tiled(prepared.development, DEVELOPMENT)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        fit(train, development, config, Path(folder) / "run", report=lambda epoch, n, loss: print(epoch, f"{loss:.4f}"))
        seconds = time.perf_counter() - start
    print(f"{UTTERANCES} utterances, {config.epochs} epochs, batch {config.batch_size}: {seconds:.0f} s")


if __name__ == "__main__":
    main()
