"""Runs a training: resumes where it was killed, stops early, keeps the best epoch, writes a model folder."""

import contextlib
import dataclasses
import hashlib
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

import emorank
from emorank.errors import EmorankError
from emorank.model import CONFIG_FILE, EmotionRankCLAP, ModelConfig
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.data import Part
from emorank.training.module import DEVELOPMENT_LOSS, Module

_STATE = "state"  # folder of the checkpoints while a run is going on
_ABOUT = "run.json"  # in it: what the run is, so that another one never resumes it

Report = Callable[[int, int, float], None]  # epoch, epochs at most, development loss


def fit(
    train: Part,
    development: Part,
    config: TrainConfig,
    folder: Path,
    about: dict[str, Any] | None = None,
    report: Report | None = None,
) -> EmotionRankCLAP:
    """Train the heads and write the model to `folder`.

    A run that was killed goes on with the epoch it was in, and ends with the same model as an undisturbed one. A folder
    that holds the finished model of the same run is left as it is.

    Args:
        train: utterances and captions to learn from.
        development: utterances and captions that choose the epoch.
        config: every choice.
        folder: where the model goes.
        about: what to note in the model's config about data and split.
        report: called after every epoch.

    Raises:
        EmorankError: the folder holds another training.
    """
    identity = _identity(train, development, config)
    if (folder / CONFIG_FILE).exists():
        model = EmotionRankCLAP.from_pretrained(folder)
        if model.config.training.get("run") == identity:
            return model
        raise EmorankError(f"{folder}: holds a model of another training; name another folder, or remove it.")
    state = folder / _STATE
    _claim(state, identity)
    module = Module(train, development, config)
    # Checkpoints of finished epochs only: one taken in the middle would not resume to the same model.
    best = ModelCheckpoint(
        state,
        "best",
        monitor=DEVELOPMENT_LOSS,
        save_last=True,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    reporter = _Reporter(config.epochs, report)
    stop = EarlyStopping(DEVELOPMENT_LOSS, patience=config.patience, check_on_train_epoch_end=True)
    with _quiet(), one_core():
        trainer = lightning.Trainer(
            max_epochs=config.epochs,
            callbacks=[best, stop, reporter],
            plugins=[_WholeCheckpoints()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            accelerator="auto",
            devices=1,
        )
        last = state / "last.ckpt"
        trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=True)
    kept = torch.load(state / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(kept["state_dict"])
    history = {"run": identity, "epochs_trained": trainer.current_epoch, "epoch_kept": kept["epoch"] + 1}
    history |= {"development_loss": float(best.best_model_score or np.nan), "emorank": emorank.__version__}
    history |= {"development_losses": reporter.losses}
    model = _export(module, train, config, {**history, "config": dataclasses.asdict(config), **(about or {})})
    model.save(folder)
    shutil.rmtree(state)
    return model


def untrained(train: Part, config: TrainConfig) -> EmotionRankCLAP:
    """The model as it is before the first step: what training has to improve on."""
    return _export(Module(train, train, config), train, config, {"untrained": True})


def _export(module: Module, train: Part, config: TrainConfig, training: dict[str, Any]) -> EmotionRankCLAP:
    audio, text = module.heads.audio.export(), module.heads.text.export()
    embeddings = audio(train.audio.features.numpy())
    return EmotionRankCLAP(
        audio,
        text,
        module.heads.scale.item(),
        ridge(embeddings, train.audio.labels.numpy()),
        ModelConfig(config.audio_encoder, config.text_encoder, config.dimensions, training),
    )


def ridge(embeddings: np.ndarray, labels: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """The linear map from embeddings to labels, (embedding_dim + 1, k); the last row is the constant."""
    center, mean = embeddings.mean(0, dtype=np.float64), labels.mean(0, dtype=np.float64)
    x = embeddings - center
    slope = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (labels - mean))
    return np.vstack([slope, mean - center @ slope]).astype(np.float32)


def _identity(train: Part, development: Part, config: TrainConfig) -> str:
    """Fingerprint of data and choices."""
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(config), sort_keys=True).encode())
    for part in (train, development):
        for side in (part.audio, part.text):
            digest.update(side.features.numpy().tobytes())
            digest.update(side.labels.numpy().tobytes())
            digest.update(b"" if side.category is None else side.category.numpy().tobytes())
    return digest.hexdigest()[:16]


def _claim(state: Path, identity: str) -> None:
    about = state / _ABOUT
    if about.exists():
        if json.loads(about.read_text("utf8")).get("run") != identity:
            raise EmorankError(f"{state.parent}: holds another unfinished training; name another folder, or remove it.")
        return
    with written_whole(about) as path:
        path.write_text(json.dumps({"run": identity}) + "\n", "utf8")


class _WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are there whole or not at all, and are read without unpickling code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        with written_whole(Path(path)) as temporary:
            super().save_checkpoint(checkpoint, temporary, storage_options)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
        return super().load_checkpoint(path, map_location, weights_only=True)


class _Reporter(Callback):
    def __init__(self, epochs: int, report: Report | None) -> None:
        self._epochs, self._report = epochs, report
        self.losses: list[float] = []  # on the development part, of every epoch, also of those before a kill

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.losses.append(float(trainer.callback_metrics[DEVELOPMENT_LOSS]))
        if self._report:
            self._report(trainer.current_epoch + 1, self._epochs, self.losses[-1])

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self.losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.losses = list(state_dict["losses"])


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Matrices as small as these are slower on several cores, and far slower where others need them too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's remarks about workers, tips and devices are not for the person who trains two matrices."""
    names = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
