"""Where encoders compute: every one on the device that is asked for, the same vectors wherever."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from emorank.encoders import audio_encoder, text_encoder
from emorank.encoders.device import wanted
from emorank.errors import EmorankError
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser
from tests.encoders.test_ssl import made  # noqa: F401

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
BEST = "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


@pytest.fixture(scope="module")
def audio_names(
    tiny_whisper: str,
    made: Callable[[str], Path],  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """One of every kind."""
    ser = tiny_wavlm_ser(tmp_path_factory.mktemp("ser"))
    kinds = [f"{made(kind)}/3+4" for kind in ("wavlm-large", "hubert-base", "data2vec")]
    return ["whisper-base/3+4", tiny_whisper, *kinds, f"{ser}/ser:mean_std", f"{ser}/ser:hidden"]


@pytest.fixture(scope="module")
def text_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tiny_distilroberta(tmp_path_factory.mktemp("text"))
    return [f"{folder}/first", f"{folder}/mean"]


def test_the_best_there_is_without_a_word(audio_names: list[str], text_names: list[str]) -> None:
    encoders = [*map(audio_encoder, audio_names), *map(text_encoder, text_names)]
    assert {encoder.device for encoder in encoders} == {BEST}
    assert text_encoder().device == "cpu"


def test_the_environment_and_the_caller_choose(tiny_whisper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMORANK_DEVICE", "cpu")
    assert audio_encoder(tiny_whisper).device == "cpu"
    monkeypatch.setenv("EMORANK_DEVICE", "nonsense")
    assert audio_encoder(tiny_whisper, device="cpu").device == "cpu"
    monkeypatch.setenv("EMORANK_DEVICE", "")
    assert audio_encoder(tiny_whisper).device == BEST


@pytest.mark.parametrize("asked", ["gpu", "cuda:", "cuda:-1", "CPU", "cuda:0:1", "tpu", "cpu\n"])
def test_a_name_that_is_none_is_one_sentence(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMORANK_DEVICE", asked)
    for build in (audio_encoder, text_encoder):
        with pytest.raises(EmorankError, match="name it cpu, cuda, cuda:1 or mps"):
            build()


def test_a_device_that_is_not_there_is_one_sentence(text_names: list[str]) -> None:
    for asked in ("cuda:99", *([] if torch.cuda.is_available() else ["cuda"]), *(["mps"] if BEST != "mps" else [])):
        for build in (audio_encoder, text_encoder, lambda device: text_encoder(text_names[0], device)):
            with pytest.raises(EmorankError, match=f"Device '{asked}' is not there; torch sees .*cpu"):
                build(device=asked)  # type: ignore[operator]
    assert wanted("cpu") == "cpu"


@cuda
def test_cuda_and_the_cpu_agree(audio_names: list[str], text_names: list[str]) -> None:
    clips = [voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 3.1, 1.7, 3.1, 0.02, 6.0, 35.0])]
    for name in audio_names:
        there, here = audio_encoder(name, device="cuda"), audio_encoder(name, device="cpu")
        assert (there.device, here.device) == ("cuda:0", "cpu")
        assert there.fingerprint == here.fingerprint
        expected = here(clips)
        assert np.abs(there(clips) - expected).max() < 1e-4 * np.abs(expected).max(), name
    texts = ["a very calm voice", "an angry voice speaking slowly with sorrow in his voice", ""]
    for name in text_names:
        expected = text_encoder(name, device="cpu")(texts)
        np.testing.assert_allclose(text_encoder(name, device="cuda")(texts), expected, atol=1e-4)
