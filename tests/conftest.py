"""Synthetic voices, a tiny model, and the real corpora where they are."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from filelock import FileLock

from tests.loopback_hub import loopback_hub  # noqa: F401

CORPORA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a cache and named indexes of its own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("EMORANK_CACHE", str(folder))
    monkeypatch.setenv("EMORANK_DATA", str(folder / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture(scope="session")
def bank_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feature store with all descriptions of the bank, which take ten seconds to encode."""
    from emorank.captions import bundled
    from emorank.encoders import text_encoder
    from emorank.listening.store import FeatureStore, text_features

    worker = os.environ.get("PYTEST_XDIST_WORKER")
    folder = tmp_path_factory.getbasetemp().parent / "bank" if worker else tmp_path_factory.mktemp("bank")
    store = FeatureStore(folder)
    splits = ("train", "development", "test")
    for split in splits if worker in (None, "gw0") else reversed(splits):  # one worker encodes it, the others take it
        with FileLock(folder.with_suffix(f".{split}.lock")):
            text_features(bundled(split).texts, text_encoder(), store)
    return store.path


@pytest.fixture
def encoded_bank(own_cache: Path, bank_features: Path) -> None:
    """The test's cache has the descriptions of the bank."""
    (own_cache / "features").mkdir()
    shutil.copy(bank_features, own_cache / "features")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora; the test is skipped where they are not."""
    if not CORPORA.is_dir():
        pytest.skip("the real corpora are not here")
    return CORPORA


def voice(seconds: float, pitch: float = 140.0, seed: int = 0, rate: int = 16_000) -> np.ndarray:
    """A buzzing, syllable-like sound that passes for speech: harmonics of a wavering pitch under a slow envelope."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * 3 * time))) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 2.2 * time + rng.uniform(0, 6)), 0.05, 1)
    return (0.1 * tone * envelope + 0.003 * rng.standard_normal(len(time))).astype(np.float32)


def drums(seconds: float, rate: int = 16_000) -> np.ndarray:
    """A sound that is no voice and not steady either: three beats a second."""
    since = np.arange(round(seconds * rate)) % (rate // 3)
    noise = np.random.default_rng(0).standard_normal(len(since))
    return (0.2 * noise * np.exp(-since / (0.03 * rate))).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of short recordings."""

    def make(count: int = 3, folder: str = "recordings", seconds: float = 0.6) -> Path:
        target = tmp_path / folder
        target.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            soundfile.write(target / f"clip{i:03d}.wav", voice(seconds + 0.1 * (i % 3), 110 + 15 * i, i), 16_000)
        return target

    return make


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An audio encoder in Whisper's format with random weights, by the name that emorank knows it under."""
    import torch
    from transformers import WhisperConfig, WhisperModel

    folder = tmp_path_factory.mktemp("tiny-whisper")
    torch.manual_seed(0)
    encoder = {"encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32}
    WhisperModel(WhisperConfig(d_model=16, **encoder, **decoder)).save_pretrained(folder)
    return f"{folder}/1+2"


@pytest.fixture(scope="session")
def tiny_model(tiny_whisper: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random heads on the tiny audio encoder and the packaged text encoder."""
    return save_model(tmp_path_factory.mktemp("tiny-model"), tiny_whisper, seed=0)


def save_model(
    folder: Path,
    encoder: str,
    seed: int,
    dim: int = 64,
    dimensions: tuple[str, ...] = ("valence", "arousal", "dominance"),
) -> Path:
    """A model folder with random heads on an audio encoder of `dim` outputs and the packaged text encoder."""
    from emorank.model import EmotionRankCLAP, Head, ModelConfig

    rng = np.random.default_rng(seed)

    def head(dim: int) -> Head:
        weight = rng.standard_normal((32, dim)).astype(np.float32) / np.sqrt(dim)
        zeros, ones = np.zeros(dim, np.float32), np.ones(dim, np.float32)
        return Head(zeros, ones, ((weight.astype(np.float32), np.zeros(32, np.float32)),))

    places = len(dimensions)
    locator = np.vstack([rng.standard_normal((32, places)), np.full((1, places), 4.0)]).astype(np.float32)
    config = ModelConfig(audio_encoder=encoder, dimensions=dimensions)
    EmotionRankCLAP(head(dim), head(384), 1.0, locator, config).save(folder)
    return folder
