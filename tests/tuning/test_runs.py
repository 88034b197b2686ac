"""Whole tunings of a tiny network: they go on where they were killed, and their mean is an encoder."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from emorank.encoders import audio_encoder, audio_fingerprint
from emorank.encoders.tuned import read_tuned
from emorank.errors import EmorankError
from emorank.tuning.config import TuneConfig
from emorank.tuning.loop import Tuning
from emorank.tuning.runs import tune
from tests.conftest import voice
from tests.tuning.small import WIDTH, speech, weights

CONFIG = TuneConfig(layers=(1, 2), rank=2, steps=4, batch_size=8, seconds=0.5, warmup=1, every=2, align=0.1, mix=0.5)
CAPTIONS = torch.randn(20, 6, generator=torch.Generator().manual_seed(0)), torch.linspace(1, 7, 60).view(20, 3)


def tuning(config: TuneConfig = CONFIG) -> Tuning:
    return Tuning(weights(), speech(versions=2), {"development a": speech(6)}, config, CAPTIONS)


@pytest.mark.parametrize("contrast", [0.0, 0.3])
def test_a_run_that_was_killed_ends_with_the_same_weights(contrast: float, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, contrast=contrast)
    whole, first, second = tuning(config), tuning(config), tuning(config)
    whole.run()
    first.run(until=2)
    torch.save(first.state(), tmp_path / "state.pt")
    second.resume(torch.load(tmp_path / "state.pt", weights_only=True))
    second.run()
    assert second.progress.losses == whole.progress.losses
    assert [step for step, _ in second.progress.looks] == [2, 4]
    for name, array in whole.network.merged().items():
        np.testing.assert_array_equal(second.network.merged()[name], array, err_msg=name)


def test_what_is_learnt_lowers_the_loss() -> None:
    run = tuning(dataclasses.replace(CONFIG, steps=60, every=60, learning_rate=3e-3, augment=0.0, align=0.0, mix=0.0))
    run.run()
    losses = run.progress.losses
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.2


def test_the_mean_of_runs_is_an_encoder(tmp_path: Path) -> None:
    configs = (CONFIG, dataclasses.replace(CONFIG, seed=1))
    looked: list[tuple[int, int]] = []
    folder = tune(
        weights(), speech(), {"development a": speech(6)}, configs, tmp_path / "tuned", CAPTIONS,
        lambda run, step, loss, orders: looked.append((run, step)),
    )  # fmt: skip
    assert looked == [(0, 2), (0, 4), (1, 2), (1, 4)]
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    name = f"{folder}/1+2:attentive"
    encoder = audio_encoder(name)
    clips = [voice(0.5), voice(0.9, 200)]
    vectors = encoder(clips)
    assert vectors.shape == (2, 4 * WIDTH)
    np.testing.assert_allclose(encoder(clips[:1]), vectors[:1], atol=1e-5)
    assert audio_fingerprint(name) != audio_fingerprint(f"{folder}/1+2")
    again = tune(weights(), speech(), {}, configs, folder)
    assert again == folder


def test_an_unfinished_run_of_other_choices_is_refused(tmp_path: Path) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(weights(), speech(), {}, [CONFIG], tmp_path, report=killed)
    assert (tmp_path / "run0.pt").is_file()
    with pytest.raises(EmorankError, match="other choices"):
        tune(weights(), speech(), {}, [dataclasses.replace(CONFIG, rank=3)], tmp_path)


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"dropout": 1.0}, {"augment": 1.5}])
def test_choices_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(EmorankError, match=next(iter(wrong))):
        dataclasses.replace(CONFIG, **wrong)  # type: ignore[arg-type]


def test_attention_is_for_tuned_encoders_and_their_layers() -> None:
    for name in ("whisper-base/3+4:attentive", "whisper-base-emotion/4:attentive"):
        with pytest.raises(EmorankError, match="attentive"):
            audio_fingerprint(name)


def test_a_damaged_encoder_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(EmorankError, match="no tuned encoder"):
        read_tuned(tmp_path / "model.safetensors", True)
