"""Curves for TensorBoard and Weights & Biases, also over a kill; the packages themselves write and read."""

import dataclasses
import os
from pathlib import Path

import pytest

from emorank.errors import EmorankError
from emorank.training import loggers
from emorank.training.loop import fit
from tests.training.synthetic import SMALL, split

SHORT = dataclasses.replace(SMALL, epochs=3)
NAMES = {"training_loss", "development_loss", "learning_rate", "temperature"}


def test_tensorboard_has_every_epoch_once_also_after_a_kill(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = tmp_path / "run"

    class Killed(BaseException):
        pass

    def kill(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        fit(split(0), split(1), SHORT, folder, report=kill, logger="tensorboard")
    model = fit(split(0), split(1), SHORT, folder, logger="tensorboard")
    found = events.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    assert set(found.Tags()["scalars"]) == NAMES
    losses = [(event.step, event.value) for event in found.Scalars("development_loss")]
    assert losses == [(i + 1, pytest.approx(x)) for i, x in enumerate(model.config.training["development_losses"])]
    assert found.Scalars("temperature")[0].value == pytest.approx(1, abs=0.1)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "tensorboard"}


def test_wandb_needs_a_login_or_is_written_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("HOME", os.fspath(tmp_path))  # where nobody has logged in
    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("WANDB_API_KEY", "WANDB_MODE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EmorankError, match=r"Weights & Biases cannot be used .*wandb login, or set WANDB_MODE=offline"):
        fit(split(0), split(1), SHORT, tmp_path / "run", logger="wandb")
    wandb.teardown()  # it reads the environment once
    monkeypatch.setenv("WANDB_MODE", "offline")
    model = fit(split(0), split(1), SHORT, tmp_path / "run", logger="wandb")
    (written,) = (tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb")
    content = written.read_bytes()
    assert all(name.encode() in content for name in NAMES)
    assert model.config.training["run"].encode() in content


def test_a_missing_package_is_named_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loggers.importlib.util, "find_spec", lambda name: None)
    loggers.check("none")
    with pytest.raises(EmorankError, match=r"--logger wandb needs the extra train; .*: pip install '\.\[train\]'"):
        loggers.check("wandb")
