"""EmotionRankCLAP: two frozen encoders, two heads, a temperature (paper section 3.1).

The encoders' outputs pass a head each into one space, where cosine similarity says how well a description fits a voice.
Once trained, a head is a few matrices, so this class needs numpy alone; the encoders load when first used.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emorank import DEFAULT_MODEL, audio
from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.encoders import (
    DEFAULT_AUDIO,
    DEFAULT_TEXT,
    AudioEncoder,
    TextEncoder,
    audio_encoder,
    audio_fingerprint,
    text_encoder,
)
from emorank.encoders.tuned import copied
from emorank.errors import EmorankError
from emorank.head import Head
from emorank.hub import is_hub_id, local_folder
from emorank.saved import checked, read_config
from emorank.storage import written_whole
from emorank.types import Array

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "EmotionRankCLAP", "Head", "ModelConfig"]

FORMATS = (1, 2)  # of the folder that `save` writes: since 2 a head may have an origin
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
ENCODER_FOLDER = "encoder"  # beside them, where the encoder was trained with the heads
_BESIDE = f"./{ENCODER_FOLDER}/"  # how the name of such an encoder begins in a config


@dataclass(frozen=True)
class ModelConfig:
    """What a saved model says of itself.

    Args:
        audio_encoder: name of the audio encoder, see `emorank.encoders`.
        text_encoder: name of the text encoder.
        dimensions: in which it places speech, in the order of the labels that it was trained with.
        training: how it was made: data, split, options, versions, scores. Free for reading, never interpreted.
        multilingual_encoder: name of the text encoder of the head for other languages; None without one.
        margins: how far from a place the label lies at most, in nine of ten utterances of development speakers, points
            of the scale for each dimension; None where that is not known.
    """

    audio_encoder: str = DEFAULT_AUDIO
    text_encoder: str = DEFAULT_TEXT
    dimensions: tuple[str, ...] = DIMENSIONS
    training: dict[str, Any] = field(default_factory=dict)
    multilingual_encoder: str | None = None
    margins: tuple[float, ...] | None = None


class EmotionRankCLAP:
    """Puts emotional speech and descriptions of how it sounds into one space.

    Args:
        audio: head of the audio encoder.
        text: head of the text encoder.
        scale: 1 / temperature as learnt.
        locator: (embedding_dim + 1, k) linear map from audio embeddings (and a one) to the dimensions of the labels.
        config: the encoders and the history.
        multilingual: head of the text encoder that reads other languages, into the same space; None without one.
        encoder_folder: of an audio encoder that was trained with the heads, and travels with the model; None of others.
    """

    def __init__(
        self,
        audio: Head,
        text: Head,
        scale: float,
        locator: Array,
        config: ModelConfig,
        multilingual: Head | None = None,
        encoder_folder: Path | None = None,
    ) -> None:
        self.audio = audio
        self.text = text
        self.scale = scale
        self.locator = locator
        self.config = config
        self.multilingual = multilingual
        self.encoder_folder = encoder_folder

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str] = DEFAULT_MODEL) -> "EmotionRankCLAP":
        """Load a model by the name of a packaged one, a folder, or a hub id (owner/name).

        Raises:
            EmorankError: there is no such model, or its files are damaged.
        """
        return cls._load(_find(os.fspath(name)))

    @classmethod
    def _load(cls, folder: Path) -> "EmotionRankCLAP":
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            config = read_config(folder / CONFIG_FILE, FORMATS)
            parts = checked(
                load_file(folder / WEIGHTS_FILE), len(config.dimensions), config.multilingual_encoder is not None
            )
            inside = folder.absolute() / ENCODER_FOLDER if config.audio_encoder.startswith(_BESIDE) else None
            about = ModelConfig(
                f"{inside}/{config.audio_encoder.removeprefix(_BESIDE)}" if inside else config.audio_encoder,
                config.text_encoder,
                config.dimensions,
                config.training,
                config.multilingual_encoder,
                config.margins,
            )
            return cls(parts.audio, parts.text, parts.scale, parts.locator, about, parts.multilingual, inside)
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise EmorankError(f"{folder}: the model cannot be read ({error}); train or download it again.") from error

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write model.safetensors, config.json and the encoder, if it is the model's own; each whole or not at all."""
        from safetensors.numpy import save

        arrays = self.audio.arrays("audio") | self.text.arrays("text")
        if self.multilingual is not None:
            arrays |= self.multilingual.arrays("multilingual")
        arrays |= {"scale": np.array([self.scale], np.float32), "locator": self.locator}
        with written_whole(Path(folder) / WEIGHTS_FILE) as path:
            path.write_bytes(save({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}))
        stated = {"format": FORMATS[0] if self.text.origin is None else FORMATS[1], **dataclasses.asdict(self.config)}
        if self.encoder_folder is not None:
            copied(self.encoder_folder, Path(folder) / ENCODER_FOLDER)
            stated["audio_encoder"] = _BESIDE + self.config.audio_encoder.rpartition("/")[2]
        with written_whole(Path(folder) / CONFIG_FILE) as path:
            path.write_text(json.dumps(stated, indent=2) + "\n", "utf8")

    @property
    def embedding_dim(self) -> int:
        """Length of an embedding, the same for audio and text."""
        return self.audio.embedding_dim

    @cached_property
    def encoder_fingerprint(self) -> str:
        """Tells audio encoders apart whose outputs differ, whatever they are called; the encoder is not loaded."""
        return audio_fingerprint(self.config.audio_encoder)

    @cached_property
    def fingerprint(self) -> str:
        """Tells models apart whose audio embeddings or places differ."""
        digest = hashlib.sha256(" ".join((self.encoder_fingerprint, *self.config.dimensions)).encode())
        for array in (*self.audio.arrays("audio").values(), self.locator):
            digest.update(np.ascontiguousarray(array, np.float32).tobytes())
        return digest.hexdigest()[:16]

    @property
    def audio_encoder(self) -> AudioEncoder:
        """The frozen audio encoder, loaded when first asked for."""
        return audio_encoder(self.config.audio_encoder)

    @property
    def text_encoder(self) -> TextEncoder:
        """The frozen text encoder, loaded when first asked for."""
        return text_encoder(self.config.text_encoder)

    def encode_audio(self, inputs: Sequence[str | os.PathLike[str] | np.ndarray], batch_size: int = 16) -> Array:
        """Embed recordings; the same one gives the same embedding whatever batch it is in.

        Args:
            inputs: paths, or mono arrays at 16 kHz; any length, beyond 30 s windows are pooled.
            batch_size: how many are decoded and encoded together; memory, not the result, depends on it.

        Returns:
            (n, embedding_dim) float32, L2-normalised, in the order of the inputs.

        Raises:
            AudioError: a file that cannot be read.
            EmorankError: an array that is not mono, empty, or holds NaN.
        """
        if isinstance(inputs, str | os.PathLike | np.ndarray):
            raise EmorankError("encode_audio takes a list of paths or arrays; put the one you have in a list.")
        embeddings = np.zeros((len(inputs), self.embedding_dim), np.float32)
        for start in range(0, len(inputs), batch_size):
            waves = [_wave(item, start + i) for i, item in enumerate(inputs[start : start + batch_size])]
            embeddings[start : start + batch_size] = self.audio(self.audio_encoder(waves))
        return embeddings

    def encode_text(self, texts: Sequence[str]) -> Array:
        """Embed descriptions.

        Returns:
            (n, embedding_dim) float32, L2-normalised, in the order of the texts.

        Raises:
            EmorankError: a single string instead of a list, or an empty description.
        """
        return self.text(self.text_features(texts))

    def text_features(self, texts: Sequence[str]) -> Array:
        """What the text encoder gives for descriptions, of which the head `text` makes embeddings.

        Returns:
            (n, encoder_dim) float32, in the order of the texts.

        Raises:
            EmorankError: a single string instead of a list, or an empty description.
        """
        return self.text_encoder(_checked(texts)) if len(texts) else np.zeros((0, self.text.encoder_dim), np.float32)

    @property
    def multilingual_encoder(self) -> TextEncoder:
        """The frozen text encoder that reads other languages, loaded when first asked for.

        Raises:
            EmorankError: the model has none, or it is not installed.
        """
        if self.config.multilingual_encoder is None:
            raise EmorankError("This model reads English alone; emorank.training.multilingual teaches it more.")
        return text_encoder(self.config.multilingual_encoder)

    def multilingual_features(self, texts: Sequence[str]) -> Array:
        """As `text_features`, for descriptions in any of about a hundred languages and the head `multilingual`."""
        return self.multilingual_encoder(_checked(texts))

    def similarity(self, audio: Array, text: Array) -> Array:
        """Cosine of every pair of embeddings, (n_audio, n_text)."""
        result: Array = audio @ text.T
        return result

    def locate(self, audio: Array) -> Array:
        """Where audio embeddings lie: (n, k) on 1..7, the dimensions in the order of `config.dimensions`."""
        points = audio @ self.locator[:-1] + self.locator[-1]
        result: Array = np.clip(points, LOWEST, HIGHEST).astype(np.float32)
        return result

    def places(self, audio: Array) -> Array:
        """The same in the order of `emorank.affect.DIMENSIONS`, (n, 3); NaN in a dimension that the model lacks."""
        result = np.full((len(audio), len(DIMENSIONS)), np.nan, np.float32)
        located = self.locate(audio)
        for column, name in enumerate(self.config.dimensions):
            if name in DIMENSIONS:
                result[:, DIMENSIONS.index(name)] = located[:, column]
        return result


def _checked(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise EmorankError("encode_text takes a list of descriptions; put the one you have in a list.")
    if any(not text.strip() for text in texts):
        raise EmorankError("A description is empty; say how the voice should sound, such as 'a calm, warm voice'.")
    return list(texts)


def _wave(item: str | os.PathLike[str] | np.ndarray, index: int) -> Array:
    if not isinstance(item, np.ndarray):
        return audio.load(item)
    if item.ndim != 1 or not item.size:
        raise EmorankError(
            f"Input {index}: an array of shape {item.shape}; mono samples at 16 kHz are needed, shape (n,)."
        )
    if not np.issubdtype(item.dtype, np.floating):
        raise EmorankError(f"Input {index}: samples of type {item.dtype}; floats between -1 and 1 are needed.")
    if not np.isfinite(item).all():
        raise EmorankError(f"Input {index}: the array contains NaN or infinite samples.")
    return item.astype(np.float32)


def _find(name: str) -> Path:
    """The folder of a model, from its packaged name, path or hub id."""
    packaged = Path(__file__).parent / "weights"
    if (packaged / name / CONFIG_FILE).is_file() and not Path(name).is_absolute():
        return packaged / name
    if Path(name).is_dir():
        if (Path(name) / CONFIG_FILE).is_file():
            return Path(name)
        raise EmorankError(f"{name}: the folder holds no model ({CONFIG_FILE} is missing).")
    known = ", ".join(sorted(path.name for path in packaged.iterdir() if path.is_dir())) if packaged.is_dir() else ""
    if is_hub_id(name):
        return local_folder(name, [CONFIG_FILE, WEIGHTS_FILE], [f"{ENCODER_FOLDER}/*"])
    raise EmorankError(
        f"There is no model {name!r}; name a packaged one ({known}), a folder made by emorank train, or a hub id."
    )
