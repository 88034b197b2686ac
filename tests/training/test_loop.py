"""Training: learns an order, keeps the best epoch, resumes after a kill to the same model, refuses another's folder."""

import dataclasses
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.training.config import TrainConfig
from emorank.training.dataset import Split, draw
from emorank.training.loop import fit, loss_of, untrained
from emorank.training.margins import margins
from emorank.training.optimizer import learning_rate
from tests.training.synthetic import SMALL, split


def test_learns_the_order(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, epochs=30, audio_hidden=(), text_hidden=())
    model = fit(split(0), split(1), config, tmp_path / "run")
    held = split(2)
    audio, text = model.audio(held.audio.features.numpy()), model.text(held.text.features.numpy())
    distance = torch.cdist(held.audio.labels, held.text.labels).numpy()
    correlation = np.corrcoef((audio @ text.T).ravel(), distance.ravel())[0, 1]
    assert correlation < -0.6
    error = np.abs(model.locate(audio) - held.audio.labels.numpy()).mean()
    assert error < 0.9
    assert EmotionRankCLAP.from_pretrained(tmp_path / "run").fingerprint == model.fingerprint


def test_the_epoch_with_the_lowest_development_loss_is_kept(tmp_path: Path) -> None:
    losses: list[float] = []
    config = dataclasses.replace(SMALL, epochs=60, keep="lowest", patience=3, dropout=0.0)
    config = dataclasses.replace(config, learning_rate=3e-2, schedule="constant")  # learns by heart what it is taught
    model = fit(split(0, 32, 40), split(1), config, tmp_path / "run", report=lambda e, n, loss: losses.append(loss))
    history = model.config.training
    assert history["epoch_kept"] == int(np.argmin(losses)) + 1
    assert history["development_loss"] == min(losses)
    assert history["development_losses"] == losses
    assert len(losses) == min(60, history["epoch_kept"] + 3)
    assert history["epoch_kept"] < len(losses)  # else the last weights could pass for the kept ones
    assert development_loss(model, split(1), config) == pytest.approx(min(losses), abs=1e-5)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"config.json", "model.safetensors"}


def test_a_model_knows_how_far_its_places_are_off(tmp_path: Path) -> None:
    development = split(1)
    model = fit(split(0), development, dataclasses.replace(SMALL, epochs=1), tmp_path / "run")
    places = model.locate(model.audio(development.audio.features.numpy()))
    assert model.config.margins == margins(places, development.audio.labels.numpy())
    assert model.config.margins is not None
    assert EmotionRankCLAP.from_pretrained(tmp_path / "run").config.margins == model.config.margins


def test_the_last_epoch_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, epochs=12, keep="last", patience=1, learning_rate=3e-2)
    model = fit(split(0, 32, 40), split(1), config, tmp_path / "run")
    losses = model.config.training["development_losses"]
    assert len(losses) == model.config.training["epoch_kept"] == 12
    assert model.config.training["development_loss"] == losses[-1]
    assert development_loss(model, split(1), config) == pytest.approx(losses[-1], abs=1e-5)


def test_the_seed_decides(tmp_path: Path) -> None:
    one, same, other = (
        fit(split(0), split(1), dataclasses.replace(SMALL, seed=seed, epochs=2), tmp_path / name).fingerprint
        for name, seed in (("a", 0), ("b", 0), ("c", 2**62))
    )
    assert one == same != other


@pytest.mark.slow
def test_killed_and_resumed_is_as_if_undisturbed(tmp_path: Path) -> None:
    calm = fit(split(0), split(1), SMALL, tmp_path / "calm")
    code = (
        "import sys, os, signal; from pathlib import Path\n"
        "from tests.training.synthetic import SMALL, split; from emorank.training.loop import fit\n"
        "def report(epoch, epochs, loss):\n"
        "    if epoch == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "fit(split(0), split(1), SMALL, Path(sys.argv[1]), report=report)\n"
    )
    for epoch in (2, 5):
        command = [sys.executable, "-c", code, str(tmp_path / "killed"), str(epoch)]
        ended = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
        assert ended.returncode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "config.json").exists()
    epochs: list[int] = []
    resumed = fit(split(0), split(1), SMALL, tmp_path / "killed", report=lambda epoch, n, loss: epochs.append(epoch))
    assert epochs == [6]
    assert (tmp_path / "killed" / "model.safetensors").read_bytes() == (
        tmp_path / "calm" / "model.safetensors"
    ).read_bytes()
    assert resumed.config == calm.config


def test_damaged_copies_are_learnt_from(tmp_path: Path) -> None:
    given = split(0)
    shift = torch.randn(given.audio.features.shape[1], generator=torch.Generator().manual_seed(0)) * 30
    with_copies = dataclasses.replace(given, damaged=(given.audio.features + shift)[None])
    held = split(2)
    errors = []
    for name, train in (("clean", given), ("both", with_copies)):
        model = fit(train, split(1), dataclasses.replace(SMALL, epochs=20), tmp_path / name)
        places = [model.locate(model.audio((held.audio.features + by).numpy())) for by in (0 * shift, shift)]
        errors.append([np.abs(each - held.audio.labels.numpy()).mean() for each in places])
    assert errors[1][1] < errors[0][1] - 0.3
    assert errors[1][0] < errors[0][0] + 0.3
    with pytest.raises(EmorankError, match="holds a model of another training"):
        fit(with_copies, split(1), dataclasses.replace(SMALL, epochs=20), tmp_path / "clean")


def test_a_finished_run_is_left_and_another_is_refused(tmp_path: Path) -> None:
    first = fit(split(0), split(1), dataclasses.replace(SMALL, epochs=1), tmp_path / "run")
    written = (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns
    again = fit(split(0), split(1), dataclasses.replace(SMALL, epochs=1), tmp_path / "run")
    assert again.fingerprint == first.fingerprint
    assert (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(EmorankError, match="a model of another training"):
        fit(split(0), split(1), dataclasses.replace(SMALL, epochs=2), tmp_path / "run")


def test_an_unfinished_run_is_refused_if_another_or_damaged(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(epoch: int, epochs: int, loss: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        fit(split(0), split(1), SMALL, tmp_path / "half", report=kill)
    for other in ({"config": dataclasses.replace(SMALL, seed=1)}, {"train": split(3)}):
        arguments: dict[str, Any] = {"train": split(0), "development": split(1), "config": SMALL, **other}
        with pytest.raises(EmorankError, match="another unfinished training"):
            fit(**arguments, folder=tmp_path / "half")
    whole = (tmp_path / "half" / "unfinished.pt").read_bytes()
    for damaged in (whole[:1000], b"", pickle.dumps(print, protocol=2)):
        (tmp_path / "half" / "unfinished.pt").write_bytes(damaged)
        with pytest.raises(EmorankError, match=r"unfinished\.pt: the unfinished training is damaged"):
            fit(split(0), split(1), SMALL, tmp_path / "half")


@pytest.mark.parametrize("chunks", [4, 7])
def test_a_batch_in_chunks_gives_the_same_model(tmp_path: Path, chunks: int) -> None:
    config = dataclasses.replace(SMALL, epochs=2)
    whole = fit(split(0), split(1), config, tmp_path / "whole")
    pieces = fit(split(0), split(1), dataclasses.replace(config, chunks=chunks), tmp_path / "pieces")
    for (mine, _), (theirs, _) in zip(whole.audio.layers, pieces.audio.layers, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_papers_heads_see_raw_features(tmp_path: Path, optimizer: str) -> None:
    """Linear and ReLU on the encoders' outputs, Adam at a constant rate, no dropout."""
    config = dataclasses.replace(
        SMALL,
        standardise=False,
        audio_hidden=(),
        text_hidden=(),
        optimizer=optimizer,
        learning_rate=1e-3,
        schedule="constant",
        weight_decay=0.1,
        dropout=0.0,
    )
    losses: list[float] = []
    model = fit(split(0), split(1), config, tmp_path / "run", report=lambda e, n, loss: losses.append(loss))
    assert (model.audio.center == 0).all()
    assert (model.audio.spread == 1).all()
    assert len(model.audio.layers) == 1
    assert losses[-1] < losses[0]
    start = untrained(split(0), config)
    assert not np.allclose(start.audio.layers[0][0], model.audio.layers[0][0])
    if optimizer == "adam":  # the two decay weights in different ways
        other = fit(split(0), split(1), dataclasses.replace(config, optimizer="adamw"), tmp_path / "other")
        assert other.fingerprint != model.fingerprint


def test_the_temperature_starts_where_asked(tmp_path: Path) -> None:
    assert untrained(split(0), SMALL).scale == 1
    assert untrained(split(0), dataclasses.replace(SMALL, temperature=0.07)).scale == pytest.approx(1 / 0.07)


def test_the_learning_rate_is_constant_or_falls_to_zero() -> None:
    constant = dataclasses.replace(SMALL, schedule="constant")
    assert [learning_rate(constant, epoch) for epoch in range(6)] == [3e-3] * 6
    falling = [learning_rate(SMALL, epoch) for epoch in range(7)]
    assert falling[0] == 3e-3
    assert falling[3] == pytest.approx(1.5e-3)
    assert falling[6] == pytest.approx(0)
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize("learning_rate", [1e30, 1e38])
def test_a_loss_that_is_not_finite_ends_the_run_without_a_model(tmp_path: Path, learning_rate: float) -> None:
    wild = dataclasses.replace(SMALL, learning_rate=learning_rate, optimizer="adam", audio_hidden=(24, 24, 24))
    with pytest.raises(
        EmorankError, match=r"loss is not finite \(\w+ in epoch \d+, step \d+ of \d+\).*--learning-rate"
    ):
        fit(split(0), split(1), wild, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    fit(split(0), split(1), dataclasses.replace(SMALL, epochs=1), tmp_path / "run")  # the folder is free again


def test_the_development_loss_is_the_mean_over_all_utterances(tmp_path: Path) -> None:
    """Also with a batch that is smaller than the others, and the same after every epoch."""
    development = split(1, clips=127, paired=True)
    config = dataclasses.replace(
        SMALL, loss="symmetric_cross_entropy", captions="bank", batch_size=64, epochs=3, learning_rate=1e-30
    )
    model = fit(split(0, paired=True), development, config, tmp_path / "run")
    sizes = [len(batch.audio) for batch in draw(development, 64, 0, config.seed, -1)]
    assert sorted(sizes) == [63, 64]
    expected = development_loss(model, development, config)
    assert model.config.training["development_losses"] == pytest.approx([expected] * 3, rel=1e-5)


def development_loss(model: EmotionRankCLAP, development: Split, config: TrainConfig) -> float:
    """What a finished model has, by its exported heads."""
    losses, sizes = [], []
    for batch in draw(development, config.batch_size, config.captions_per_batch, config.seed, -1):
        audio, text = (
            torch.from_numpy(h(f.numpy())) for h, f in ((model.audio, batch.audio), (model.text, batch.text))
        )
        losses.append(loss_of(config)(audio, text, batch.targets, model.scale).item())
        sizes.append(len(batch.audio))
    return float(np.average(losses, weights=sizes))
