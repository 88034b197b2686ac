"""The trainings of test_processes.py: run by every process of a group, or by one alone.

python -m tests.training.together FOLDER
"""

import dataclasses
import sys
from pathlib import Path

from emorank.training.config import TrainConfig
from emorank.training.loop import fit
from emorank.training.processes import joined
from tests.training.synthetic import SMALL, split

#: Name -> a config. 33 utterances in batches of at most 16 are 3 of 11: shares of 6 and 5.
CASES: dict[str, TrainConfig] = {
    "plane": dataclasses.replace(SMALL, captions_per_batch=31),
    "plane-chunks-adam": dataclasses.replace(SMALL, chunks=3, optimizer="adam", anchors="audio", negatives="farther"),
    "paired": dataclasses.replace(SMALL, captions="bank"),
    "cross": dataclasses.replace(SMALL, captions="bank", loss="symmetric_cross_entropy"),
    "supervised": dataclasses.replace(SMALL, captions="bank", loss="supervised_contrastive"),
    "batches-of-one": dataclasses.replace(SMALL, captions="bank", batch_size=2, epochs=2),
}


def train(name: str, folder: Path) -> None:
    """One of the cases; what is reported goes to a file beside the model's folder."""
    config = CASES[name]
    paired = config.captions != "plane"
    reported: list[str] = []
    fit(
        split(0, clips=33, paired=paired),
        split(1, clips=17, paired=paired),
        config,
        folder / name,
        report=lambda epoch, epochs, loss: reported.append(f"{epoch} of {epochs}"),
        device="cpu",
    )
    if reported:
        with (folder / f"{name}.txt").open("a") as file:
            file.write("\n".join(reported) + "\n")


if __name__ == "__main__":
    with joined("cpu"):
        for case in CASES:
            train(case, Path(sys.argv[1]))
