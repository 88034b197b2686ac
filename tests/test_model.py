"""The model's contract: order, batch independence, saving, and every mistake in one sentence."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emorank import EmotionRankCLAP, audio
from emorank.errors import EmorankError
from tests.conftest import voice


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


def test_paths_and_arrays_in_order_whatever_the_batch(model: EmotionRankCLAP, recordings: Callable[..., Path]) -> None:
    paths = sorted(recordings(5).iterdir())
    inputs = [paths[0], audio.load(paths[1]), str(paths[2]), voice(3.0), paths[4]]
    one = model.encode_audio(inputs, batch_size=1)
    np.testing.assert_allclose(model.encode_audio(inputs, batch_size=16), one, atol=1e-4)
    np.testing.assert_allclose(model.encode_audio(inputs[::-1], batch_size=2), one[::-1], atol=1e-4)
    assert one.shape == (5, model.embedding_dim)
    assert one.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)


def test_texts_similarity_and_places(model: EmotionRankCLAP) -> None:
    texts = model.encode_text(["a calm, warm voice", "furious"])
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.encode_text(["furious"])[0], texts[1], atol=1e-5)
    clips = model.encode_audio([voice(1.0), voice(2.0, 300)])
    similarity = model.similarity(clips, texts)
    assert similarity.shape == (2, 2)
    assert similarity[0, 1] == pytest.approx(float(clips[0] @ texts[1]), abs=1e-6)
    places = model.locate(clips)
    assert places.shape == (2, 3)
    assert ((places >= 1) & (places <= 7)).all()


def test_nothing_gives_nothing(model: EmotionRankCLAP) -> None:
    assert model.encode_audio([]).shape == (0, 32)
    assert model.encode_text([]).shape == (0, 32)


def test_saved_and_loaded_is_the_same(model: EmotionRankCLAP, tmp_path: Path) -> None:
    model.save(tmp_path / "copy")
    copy = EmotionRankCLAP.from_pretrained(tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["config.json", "model.safetensors"]
    assert copy.fingerprint == model.fingerprint
    assert copy.config == model.config
    np.testing.assert_array_equal(copy.encode_text(["calm"]), model.encode_text(["calm"]))


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ("clip.wav", "takes a list"),
        ([np.zeros((2, 100), np.float32)], r"Input 0: an array of shape \(2, 100\); mono"),
        ([np.zeros(0, np.float32)], "Input 0: an array of shape"),
        ([np.zeros(9, np.int16)], "Input 0: samples of type int16"),
        ([np.zeros(9), np.array([0.0, np.nan])], "Input 1: the array contains NaN"),
        (["/no/such.wav"], "/no/such.wav: there is no such file"),
    ],
)
def test_mistakes_with_audio(model: EmotionRankCLAP, inputs: object, sentence: str) -> None:
    with pytest.raises(EmorankError, match=sentence):
        model.encode_audio(inputs)  # type: ignore[arg-type]


def test_mistakes_with_text(model: EmotionRankCLAP) -> None:
    with pytest.raises(EmorankError, match="takes a list"):
        model.encode_text("calm")
    with pytest.raises(EmorankError, match="A description is empty"):
        model.encode_text(["calm", "  "])


def test_models_that_are_not_there_or_damaged(model: EmotionRankCLAP, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"no model 'emorank-huge'; name a packaged one"):
        EmotionRankCLAP.from_pretrained("emorank-huge")
    with pytest.raises(EmorankError, match="could not be had from the hub"):
        EmotionRankCLAP.from_pretrained("nobody/nothing")
    with pytest.raises(EmorankError, match="holds no model"):
        EmotionRankCLAP.from_pretrained(tmp_path)
    model.save(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(EmorankError, match="the model cannot be read"):
        EmotionRankCLAP.from_pretrained(tmp_path)


def test_a_text_query_imports_neither_torch_nor_transformers(tiny_model: Path) -> None:
    code = (
        "import sys, emorank; m = emorank.EmotionRankCLAP.from_pretrained(sys.argv[1]); m.encode_text(['calm']);"
        "print([name for name in ('torch', 'transformers', 'polars', 'lightning') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code, str(tiny_model)], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
