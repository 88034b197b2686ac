"""How long a training as large as the paper's takes: 90,000 utterances, 15 epochs, batch 64.

The features are random numbers of the encoders' widths; the rows are EmotionRankCLAP, paired, and the defaults of
emorank-base. Processor time is what the training itself took, also where the cores are busy with other work.

    .venv/bin/python benchmarks/training.py [UTTERANCES]
"""

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from emorank.reproduce.rows import config_of, row_of
from emorank.training.config import TrainConfig
from emorank.training.dataset import Modality, Split
from emorank.training.loop import fit

UTTERANCES, CAPTIONS = 90_000, 2_000
AUDIO_DIM, TEXT_DIM = 1024, 384  # whisper-base/3+4 and minilm
DEVELOPMENT = 25_000 / 90_000  # of as many utterances for training


def random_split(utterances: int, dimensions: int, paired: bool) -> Split:
    """Features and labels without any relation; the time does not depend on what is learnt."""
    rng = np.random.default_rng(0)
    modalities = []
    for rows, width in ((utterances, AUDIO_DIM), (utterances if paired else CAPTIONS, TEXT_DIM)):
        modalities.append(Modality.of(rng.standard_normal((rows, width)), rng.uniform(1, 7, (rows, dimensions))))
    return Split(*modalities, paired=paired)


def seconds(config: TrainConfig, utterances: int) -> tuple[float, float]:
    """Wall time and processor time of a training."""
    paired, k = config.captions != "plane", len(config.dimensions)
    train = random_split(utterances, k, paired)
    development = random_split(round(utterances * DEVELOPMENT), k, paired)
    with tempfile.TemporaryDirectory() as folder:
        wall, processor = time.perf_counter(), time.process_time()
        fit(train, development, config, Path(folder) / "run")
        return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Print a line for every row."""
    utterances = int(sys.argv[1]) if len(sys.argv) > 1 else UTTERANCES
    rows = {
        "EmotionRankCLAP, paired": config_of(row_of("emotionrankclap")),
        "emorank-base": TrainConfig(epochs=15, patience=15),
    }
    for name, config in rows.items():
        seconds(dataclasses.replace(config, epochs=1), 200)  # what torch imports at the first step
        wall, processor = seconds(config, utterances)
        print(f"{name}: {utterances} utterances, {config.epochs} epochs: {wall:.0f} s, {processor:.0f} s of processor")


if __name__ == "__main__":
    main()
