"""Training: learns an order, keeps the best epoch, resumes after a kill to the same model, refuses another's folder."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

pytest.importorskip("lightning")

from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.training.config import TrainConfig
from emorank.training.data import Part, Side, batches
from emorank.training.fit import fit, ridge
from emorank.training.heads import Heads
from emorank.training.module import Module
from emorank.training.prepare import split_by_speaker

SMALL = TrainConfig(
    embedding_dim=32,
    audio_hidden=(24,),
    text_hidden=(24,),
    epochs=6,
    batch_size=16,
    captions_per_batch=32,
    learning_rate=3e-3,
)


def part(seed: int, clips: int = 96, texts: int = 120) -> Part:
    """Features that hold the labels under noise, as encoders' outputs do."""
    world = np.random.default_rng(7)
    audio_map, text_map = world.normal(size=(3, 24)), world.normal(size=(3, 20))
    rng = np.random.default_rng(seed)
    sides = []
    for count, mapping in ((clips, audio_map), (texts, text_map)):
        labels = rng.uniform(1, 7, (count, 3))
        sides.append(Side.of((labels - 4) @ mapping + rng.normal(size=(count, mapping.shape[1])), labels))
    return Part(*sides)


def test_learns_the_order(tmp_path: Path) -> None:
    model = fit(
        part(0), part(1), dataclasses.replace(SMALL, epochs=30, audio_hidden=(), text_hidden=()), tmp_path / "run"
    )
    held = part(2)
    audio, text = model.audio(held.audio.features.numpy()), model.text(held.text.features.numpy())
    distance = torch.cdist(held.audio.labels, held.text.labels).numpy()
    correlation = np.corrcoef((audio @ text.T).ravel(), distance.ravel())[0, 1]
    assert correlation < -0.6
    error = np.abs(model.locate(audio) - held.audio.labels.numpy()).mean()
    assert error < 0.9
    assert EmotionRankCLAP.from_pretrained(tmp_path / "run").fingerprint == model.fingerprint


def test_the_epoch_with_the_lowest_development_loss_is_kept(tmp_path: Path) -> None:
    losses: list[float] = []
    config = dataclasses.replace(SMALL, epochs=40, patience=3, learning_rate=3e-2)
    model = fit(part(0, 32, 40), part(1), config, tmp_path / "run", report=lambda e, n, loss: losses.append(loss))
    history = model.config.training
    assert history["epoch_kept"] == int(np.argmin(losses)) + 1
    assert history["development_loss"] == pytest.approx(min(losses), rel=1e-5)
    assert len(losses) == min(40, history["epoch_kept"] + 3)
    assert not (tmp_path / "run" / "state").exists()


def test_the_seed_decides(tmp_path: Path) -> None:
    one, same, other = (
        fit(part(0), part(1), dataclasses.replace(SMALL, seed=seed, epochs=2), tmp_path / name).fingerprint
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == same != other


def test_killed_and_resumed_is_as_if_undisturbed(tmp_path: Path) -> None:
    calm = fit(part(0), part(1), SMALL, tmp_path / "calm")
    code = (
        "import sys, os, signal; from pathlib import Path\n"
        "from tests.training.test_fit import SMALL, part; from emorank.training.fit import fit\n"
        "def report(epoch, epochs, loss):\n"
        "    if epoch == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "fit(part(0), part(1), SMALL, Path(sys.argv[1]), report=report)\n"
    )
    for epoch in (2, 5):
        command = [sys.executable, "-c", code, str(tmp_path / "killed"), str(epoch)]
        ended = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
        assert ended.returncode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "config.json").exists()
    epochs: list[int] = []
    resumed = fit(part(0), part(1), SMALL, tmp_path / "killed", report=lambda epoch, n, loss: epochs.append(epoch))
    assert epochs[0] > 1
    assert resumed.fingerprint == calm.fingerprint
    assert resumed.config.training["epoch_kept"] == calm.config.training["epoch_kept"]


def test_a_finished_run_is_left_and_another_is_refused(tmp_path: Path) -> None:
    first = fit(part(0), part(1), dataclasses.replace(SMALL, epochs=1), tmp_path / "run")
    written = (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns
    again = fit(part(0), part(1), dataclasses.replace(SMALL, epochs=1), tmp_path / "run")
    assert again.fingerprint == first.fingerprint
    assert (tmp_path / "run" / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(EmorankError, match="a model of another training"):
        fit(part(0), part(1), dataclasses.replace(SMALL, epochs=2), tmp_path / "run")
    (tmp_path / "half" / "state").mkdir(parents=True)
    (tmp_path / "half" / "state" / "run.json").write_text(json.dumps({"run": "other"}))
    with pytest.raises(EmorankError, match="another unfinished training"):
        fit(part(0), part(1), SMALL, tmp_path / "half")


def test_every_utterance_once_an_epoch_and_draws_that_depend_on_seed_and_epoch_alone() -> None:
    data = part(0, clips=64)
    epochs = {e: list(batches(data, 16, 20, seed=3, epoch=e)) for e in (0, 1)}
    assert len(epochs[0]) == 4
    seen = torch.cat([batch.audio for batch in epochs[0]])
    assert torch.equal(seen.sort(0).values, data.audio.features.sort(0).values)
    again = list(batches(data, 16, 20, seed=3, epoch=0))
    assert all(torch.equal(a.text, b.text) for a, b in zip(epochs[0], again, strict=True))
    assert not torch.equal(epochs[0][0].audio, epochs[1][0].audio)
    for batch in epochs[0]:
        assert len(batch.text) == len(batch.targets.text_labels) == 20
    assert len(next(batches(part(0, clips=5), 16, 20, seed=0, epoch=0)).audio) == 5


def test_the_temperature_starts_at_one_and_is_clamped() -> None:
    heads = Heads(part(0), SMALL)
    assert heads.scale.item() == 1
    heads.log_scale.data.fill_(50.0)
    assert heads.scale.item() == pytest.approx(100)


def test_ridge_finds_a_linear_map() -> None:
    rng = np.random.default_rng(0)
    x, slope = rng.normal(size=(500, 6)), rng.normal(size=(6, 3))
    found = ridge(x, x @ slope + 4.0, strength=1e-6)
    np.testing.assert_allclose(found, np.vstack([slope, np.full((1, 3), 4.0)]), atol=1e-4)


def test_a_table_without_a_split_is_divided_by_speaker() -> None:
    table = pl.DataFrame({"path": [f"{i}.wav" for i in range(100)], "speaker": [f"s{i % 20}" for i in range(100)]})
    divided = table.with_columns(split_by_speaker(table))
    parts = divided.group_by("speaker").agg(pl.col("split").n_unique())
    assert parts["split"].to_list() == [1] * 20
    assert divided.filter(split="development")["speaker"].n_unique() == 3
    lone = pl.DataFrame({"path": [f"{i}.wav" for i in range(40)]})
    assert split_by_speaker(lone).value_counts().sort("split")["count"].to_list() == [6, 34]


def test_a_batch_in_chunks_has_the_same_loss_and_gradients() -> None:
    data = part(0)
    (batch,) = batches(data, 96, 120, seed=0, epoch=0)
    found = []
    for chunks in (1, 4, 7):
        module = Module(data, data, dataclasses.replace(SMALL, dropout=0.0, chunks=chunks))
        loss = module.training_step(batch, 0)
        loss.backward()
        found.append((loss.item(), [p.grad.clone() for p in module.heads.parameters() if p.grad is not None]))
    for loss_value, gradients in found[1:]:
        assert loss_value == pytest.approx(found[0][0], rel=1e-6)
        for mine, theirs in zip(gradients, found[0][1], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-6)
