"""An encoder whose last layers are trained: its gradients need one chunk at a time, and it travels with its model."""

import dataclasses
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing, nn

from emorank import EmotionRankCLAP
from emorank.audio import load
from emorank.encoders import audio_encoder
from emorank.encoders.tuned import WEIGHTS_FILE
from emorank.errors import EmorankError
from emorank.losses import RankNContrast, Targets, across
from emorank.training import unfrozen as module
from emorank.training.config import TrainConfig
from emorank.training.dataset import Modality, Split
from emorank.training.loop import fit
from emorank.training.processes import Processes
from emorank.training.unfrozen import Unfrozen, require_whisper
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_wavlm_ser
from tests.loopback_hub import Hub
from tests.training.synthetic import SMALL, split

Recordings = Callable[..., Path]
CLIPS = [voice(seconds, 100 + 20 * i, i) for i, seconds in enumerate((0.6, 1.3, 0.2, 0.9, 0.5, 0.7))]


@pytest.mark.parametrize("pooling", ["", ":mean"])
def test_before_a_step_it_is_the_encoder(tiny_whisper: str, pooling: str) -> None:
    """Also of a clip that is longer than a window, and of silence."""
    clips = [*CLIPS, voice(31.0), np.zeros(8000, np.float32)]
    expected = audio_encoder(tiny_whisper + pooling)(clips)
    for frames in (1, 60, 10_000):
        found = Unfrozen(tiny_whisper + pooling, 1, frames)(clips).detach().numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert Unfrozen(tiny_whisper + pooling, 1)([]).shape == (0, expected.shape[1])


def test_frames_weighed_by_what_was_learnt_stay_so() -> None:
    name = "whisper-base-emotion/3+4:attentive"
    np.testing.assert_allclose(Unfrozen(name, 1)(CLIPS).detach().numpy(), audio_encoder(name)(CLIPS), atol=1e-4)


def gradients(encoder: Unfrozen) -> list[torch.Tensor]:
    """Of a contrastive loss over all clips, through a head; a process takes its share of clips and captions."""
    torch.manual_seed(1)
    processes = Processes.here()
    audio, text = processes.share(len(CLIPS)), processes.share(9)
    head, texts, audio_labels, text_labels = nn.Linear(64, 16), torch.randn(9, 16), torch.rand(6, 2), torch.rand(9, 2)
    targets = Targets(audio_labels[audio], text_labels[text])
    across(RankNContrast(anchors="both"), head(encoder(CLIPS[audio])), texts[text], targets, 5.0).backward()
    processes.average(list(encoder.parameters()))
    return [parameter.grad for parameter in encoder.parameters() if parameter.grad is not None]


def alike(mine: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    """Gradients are the same, up to rounding of the largest."""
    largest = max(each.abs().max() for each in mine)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(other / largest, one / largest, rtol=1e-4, atol=1e-6)


def test_gradients_by_chunks_are_those_of_the_whole_batch(tiny_whisper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = [gradients(Unfrozen(tiny_whisper, 2, frames)) for frames in (1, 60, 10_000)]
    monkeypatch.setattr(module, "checkpoint", lambda function, *given, **_: function(*given))  # all values are kept
    whole = gradients(Unfrozen(tiny_whisper, 2, 10_000))
    assert len(whole) == 2 * 12  # weights and biases of four matrices and two norms, in each of two layers
    for found in cached:
        alike(whole, found)


def process(rank: int, port: int, name: str, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    torch.save(gradients(Unfrozen(name, 2)), Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_gradients_of_two_processes_are_those_of_one(tiny_whisper: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(process, (port, tiny_whisper, str(tmp_path)), nprocs=2)
    whole = gradients(Unfrozen(tiny_whisper, 2))
    for rank in range(2):
        alike(whole, torch.load(tmp_path / f"{rank}.pt", weights_only=True))


def test_no_more_than_a_chunk_is_remembered(tiny_whisper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the loss is taken, spectrograms and moments are alive, and no value from inside the encoder."""
    kept: list[int] = []

    def count(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel())
        return tensor

    def held(frames: int) -> int:
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            Unfrozen(tiny_whisper, 2, frames)(CLIPS)
        return sum(kept)

    by_chunks, spectrograms = held(1), sum(80 * len(clip) // 160 for clip in CLIPS)
    monkeypatch.setattr(module, "checkpoint", lambda function, *given, **_: function(*given))
    assert by_chunks < 1.2 * spectrograms
    assert held(10_000) > 4 * by_chunks


@pytest.fixture
def config(tiny_whisper: str) -> TrainConfig:
    return dataclasses.replace(
        SMALL, audio_encoder=tiny_whisper, unfreeze=1, encoder_learning_rate=1e-2, epochs=3, batch_size=8
    )


@pytest.fixture
def data(recordings: Recordings, tiny_whisper: str) -> Split:
    """Ten recordings with the features that the frozen encoder gives, and captions."""
    paths = sorted(map(str, recordings(10).glob("*.wav")))
    features = audio_encoder(tiny_whisper)([load(path) for path in paths])
    drawn = split(0, clips=len(paths))
    return Split(Modality.of(features, drawn.audio.labels.numpy(), None, paths), drawn.text)


def test_the_model_has_an_encoder_of_its_own(data: Split, config: TrainConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(config, epochs=8)
    model = fit(data, data, config, tmp_path / "run", device="cpu")
    assert {each.name for each in (tmp_path / "run").iterdir()} == {"config.json", "model.safetensors", "encoder"}
    losses = model.config.training["development_losses"]
    assert losses[-1] < losses[0]
    before, after = (audio_encoder(name) for name in (config.audio_encoder, model.config.audio_encoder))
    weights = [each.network.weights for each in (before, after)]  # type: ignore[attr-defined]
    changed = {name for name, own in weights[1].items() if not np.array_equal(own, weights[0][name])}
    assert changed
    assert all(name.startswith("layers.1.") for name in changed)  # the second of the layers 1+2
    frozen = fit(data, data, dataclasses.replace(config, unfreeze=0), tmp_path / "frozen", device="cpu")
    assert frozen.config.training["development_losses"] != losses


def test_it_travels_with_the_model(data: Split, config: TrainConfig, tmp_path: Path) -> None:
    trained = fit(data, data, config, tmp_path / "run", device="cpu")
    expected, fingerprint = trained.encode_audio(CLIPS[:2]), trained.fingerprint
    shutil.move(tmp_path / "run", tmp_path / "moved")
    moved = EmotionRankCLAP.from_pretrained(tmp_path / "moved")
    moved.save(tmp_path / "copy")
    shutil.rmtree(tmp_path / "moved")
    copy = EmotionRankCLAP.from_pretrained(tmp_path / "copy")
    assert copy.fingerprint == fingerprint
    np.testing.assert_array_equal(copy.encode_audio(CLIPS[:2]), expected)
    assert '"./encoder/1+2:mean_std"' in (tmp_path / "copy" / "config.json").read_text()


def test_it_comes_from_the_hub_with_its_model(
    data: Split, config: TrainConfig, loopback_hub: Hub, tmp_path: Path
) -> None:
    trained = fit(data, data, config, tmp_path / "run", device="cpu")
    loopback_hub.checkpoints["someone/tuned"] = tmp_path / "run"
    found = EmotionRankCLAP.from_pretrained("someone/tuned")
    assert found.fingerprint == trained.fingerprint
    assert str(tmp_path / "hub-cache") in found.config.audio_encoder


def test_killed_and_resumed_is_as_if_undisturbed(data: Split, config: TrainConfig, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 2:
            raise Killed

    fit(data, data, config, tmp_path / "calm", device="cpu")
    with pytest.raises(Killed):
        fit(data, data, config, tmp_path / "killed", report=kill, device="cpu")
    fit(data, data, config, tmp_path / "killed", device="cpu")
    for file in ("model.safetensors", f"encoder/{WEIGHTS_FILE}"):
        assert (tmp_path / "calm" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


def test_features_alone_are_not_enough(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="--unfreeze needs the recordings"):
        fit(split(0), split(1), config, tmp_path / "run", device="cpu")


def test_other_encoders_are_refused(tiny_whisper: str, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"--unfreeze trains layers of a Whisper; .* is none"):
        require_whisper(f"{tiny_wavlm_ser(tmp_path / 'ser')}/ser", 1)
    with pytest.raises(EmorankError, match="--unfreeze must be at most 2, the highest layer"):
        require_whisper(tiny_whisper, 3)
