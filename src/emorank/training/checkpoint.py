"""An unfinished run on disk: what is needed to go on as if it had never been interrupted."""

import contextlib
import dataclasses
import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emorank.errors import EmorankError
from emorank.model import CONFIG_FILE, EmotionRankCLAP
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.dataset import Split

_END = b"emorank"  # before the digest of all that comes before it


def identity(train: Split, development: Split, config: TrainConfig) -> str:
    """Fingerprint of data and choices: two runs with the same one end with the same model."""
    choices = dataclasses.asdict(config)
    if not config.unfreeze:  # runs that began before these could be chosen stay the same
        del choices["unfreeze"], choices["encoder_learning_rate"]
    if not config.augment:
        del choices["augment"]
    if not config.centring:
        del choices["centring"]
    if train.groups is None:
        del choices["mix"]
    digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode())
    for split in (train, development):
        for drawn in (split.damaged, split.groups):
            digest.update(b"" if drawn is None else np.ascontiguousarray(drawn.numpy()).data)
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
        folder: where the model will go.
        run: fingerprint of the run, so that another one never goes on from here.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._path, self._run = folder / "unfinished.pt", run

    def read(self) -> dict[str, Any] | None:
        """What was written last; read without unpickling code.

        Raises:
            EmorankError: it is the state of another run, or the file is damaged.
        """
        if not self._path.exists():
            return None
        try:
            found = torch.load(io.BytesIO(_whole(self._path.read_bytes())), "cpu", weights_only=True)
            run, state = found["run"], found["state"]
            kept = {name: state[name] for name in ("heads", "optimizer", "best", "losses")}
        except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, pickle.UnpicklingError) as error:
            raise EmorankError(f"{self._path}: the unfinished training is damaged; remove the file.") from error
        if run != self._run:
            raise EmorankError(
                f"{self._path.parent}: holds another unfinished training; name another folder, or remove it."
            )
        return kept

    def write(self, state: dict[str, Any]) -> None:
        """Replace what was written."""
        held = io.BytesIO()
        torch.save({"run": self._run, "state": state}, held)
        content = held.getvalue()
        with written_whole(self._path) as path:
            path.write_bytes(content + _END + hashlib.blake2b(content).digest())

    def remove(self) -> None:
        """The run has ended; a folder that holds nothing else goes too."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._path.parent.rmdir()


def _whole(content: bytes) -> bytes:
    """What was written, without its digest; an older emorank wrote none.

    Raises:
        ValueError: it is not what was written.
    """
    size = hashlib.blake2b().digest_size
    if content[-size - len(_END) : -size] != _END:
        return content
    content, digest = content[: -size - len(_END)], content[-size:]
    if hashlib.blake2b(content).digest() != digest:
        raise ValueError("the digest does not fit")
    return content
