"""A model folder that holds something strange is one sentence, whatever it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from emorank.errors import EmorankError
from emorank.model import CONFIG_FILE, WEIGHTS_FILE, EmotionRankCLAP
from tests.conftest import save_model

CONFIGS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda config: [], "Expected `object`"),
    (lambda config: config | {"format": "1"}, r"Expected `int`, got `str` - at `\$.format`"),
    (lambda config: config | {"format": 99}, "a model of format 99"),
    (lambda config: config | {"audio_encoder": 7}, r"at `\$.audio_encoder`"),
    (lambda config: config | {"text_encoder": ""}, r"at `\$.text_encoder`"),
    (lambda config: config | {"dimensions": "valence"}, r"at `\$.dimensions`"),
    (lambda config: config | {"dimensions": []}, r"at `\$.dimensions`"),
    (lambda config: config | {"dimensions": ["valence", "valence", "arousal"]}, "a dimension stands twice"),
    (lambda config: config | {"training": None}, r"at `\$.training`"),
    (lambda config: config | {"margins": [1.0, 2.0]}, "margins must be as many as the dimensions"),
    (lambda config: config | {"margins": [1.0, 2.0, -1.0]}, r"at `\$.margins"),
    (lambda config: {}, "missing required field `format`"),
]
WEIGHTS: list[tuple[str, Callable[[np.ndarray], np.ndarray], str]] = [
    ("audio.0.weight", lambda array: np.where(array == array[0, 0], np.nan, array), "no finite number"),
    ("locator", lambda array: array * np.float32(np.inf), "no finite number"),
    ("locator", lambda array: array[:, :2], "locator has the shape"),
    ("scale", lambda array: array[:0], "scale is not one number"),
    ("scale", lambda array: -array, "scale is not one number"),
    ("text.spread", np.zeros_like, "text.center and text.spread do not fit"),
    ("audio.center", lambda array: array[:5], "audio.center and audio.spread do not fit"),
    ("audio.0.bias", lambda array: array[:5], "audio.0 does not fit"),
    ("text.0.weight", lambda array: array[:, :5], "text.0 does not fit"),
    ("audio.0.weight", lambda array: array.astype(np.int32), "no finite number"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", "whisper-base/1:mean", seed=0)


@pytest.mark.parametrize(("change", "sentence"), CONFIGS)
def test_strange_configs(folder: Path, change: Callable[[dict[str, Any]], Any], sentence: str) -> None:
    config = json.loads((folder / CONFIG_FILE).read_text())
    (folder / CONFIG_FILE).write_text(json.dumps(change(config)))
    with pytest.raises(EmorankError, match=sentence) as error:
        EmotionRankCLAP.from_pretrained(folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": 1e999}'])
def test_what_is_no_json(folder: Path, content: bytes) -> None:
    (folder / CONFIG_FILE).write_bytes(content)
    with pytest.raises(EmorankError, match="the model cannot be read"):
        EmotionRankCLAP.from_pretrained(folder)


@pytest.mark.parametrize(("name", "change", "sentence"), WEIGHTS)
def test_strange_weights(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray], sentence: str) -> None:
    arrays = load_file(folder / WEIGHTS_FILE)
    save_file(arrays | {name: np.ascontiguousarray(change(arrays[name]))}, folder / WEIGHTS_FILE)
    with pytest.raises(EmorankError, match=sentence):
        EmotionRankCLAP.from_pretrained(folder)


def test_an_origin_that_fits_nothing(folder: Path) -> None:
    arrays = load_file(folder / WEIGHTS_FILE)
    save_file(arrays | {"text.origin": np.zeros(5, np.float32)}, folder / WEIGHTS_FILE)
    with pytest.raises(EmorankError, match=r"text\.origin does not fit"):
        EmotionRankCLAP.from_pretrained(folder)
