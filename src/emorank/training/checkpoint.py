"""An unfinished run on disk: what is needed to go on as if it had never been interrupted."""

import contextlib
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emorank.errors import EmorankError
from emorank.model import CONFIG_FILE, EmotionRankCLAP
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.dataset import Split

_IDENTITY, _STATE = "run.json", "last.pt"


def identity(train: Split, development: Split, config: TrainConfig) -> str:
    """Fingerprint of data and choices: two runs with the same one end with the same model."""
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(config), sort_keys=True).encode())
    for split in (train, development):
        for modality in (split.audio, split.text):
            for tensor in (modality.features, modality.labels, modality.category):
                digest.update(b"" if tensor is None else np.ascontiguousarray(tensor.numpy()).data)
    return digest.hexdigest()[:16]


def finished(folder: Path, run: str) -> EmotionRankCLAP | None:
    """The model in the folder of a run, if it has one.

    Raises:
        EmorankError: it is that of another run.
    """
    if not (folder / CONFIG_FILE).exists():
        return None
    model = EmotionRankCLAP.from_pretrained(folder)
    if model.config.training.get("run") != run:
        raise EmorankError(f"{folder}: holds a model of another training; name another folder, or remove it.")
    return model


class Checkpoint:
    """The state of a run after its last whole epoch, in one file that is there whole or not at all.

    Args:
        folder: where the model will go; the state is in its folder `state`.
        run: fingerprint of the run, so that another one never goes on from here.

    Raises:
        EmorankError: the folder holds the state of another run.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder / "state"
        about = self._folder / _IDENTITY
        if not about.exists():
            with written_whole(about) as path:
                path.write_text(json.dumps({"run": run}) + "\n", "utf8")
        elif json.loads(about.read_text("utf8")).get("run") != run:
            raise EmorankError(f"{folder}: holds another unfinished training; name another folder, or remove it.")

    def read(self) -> dict[str, Any] | None:
        """What was written last; read without unpickling code."""
        path = self._folder / _STATE
        state: dict[str, Any] | None = torch.load(path, "cpu", weights_only=True) if path.exists() else None
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Replace what was written."""
        with written_whole(self._folder / _STATE) as path:
            torch.save(state, path)

    def remove(self) -> None:
        """The run has ended; a folder that holds nothing else goes too."""
        shutil.rmtree(self._folder)
        with contextlib.suppress(OSError):
            self._folder.parent.rmdir()
