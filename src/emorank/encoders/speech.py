"""Any WavLM, HuBERT, wav2vec 2.0 or data2vec-audio as a frozen audio encoder: chosen layers, pooled over time."""

from collections.abc import Sequence

import numpy as np
from transformers import AutoConfig, AutoFeatureExtractor

from emorank.encoders.backbone import SAMPLE_RATE, WINDOW, Backbone
from emorank.encoders.checkpoint import complete_folder, read_config, read_network
from emorank.encoders.pooling import Array, Moments, windows
from emorank.errors import EmorankError

MODEL_TYPES = ("wavlm", "hubert", "wav2vec2", "data2vec-audio")


class SpeechEncoder:
    """Mean, and standard deviation if asked for, over time of hidden layers of a speech network.

    Args:
        backbone: gives the chosen layers.
        normalise: whether the network was trained on clips of mean 0 and variance 1.
        pooling: over time, `mean_std` or `mean`.
        name: what this encoder is called in caches, indexes and checkpoints.
    """

    def __init__(self, backbone: Backbone, normalise: bool, pooling: str, name: str) -> None:
        self.name = name
        self.dim = backbone.width * (2 if pooling == "mean_std" else 1)
        self._backbone = backbone
        self._normalise = normalise
        self._pooling = pooling

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """Encode clips; order is kept, and a clip's vector does not depend on the others.

        Args:
            waves: mono float32 arrays at 16 kHz, any length; longer than 30 s is pooled over windows.

        Returns:
            (n, dim) float32: for all layers the mean over time, then for all the standard deviation if it is pooled.
        """
        clips = [_normal(wave) if self._normalise else wave for wave in waves]
        moments = Moments(len(waves), self._backbone.width)
        for clip, frames in self._backbone(
            [(i, piece) for i, wave in enumerate(clips) for piece in windows(wave, WINDOW)]
        ):
            moments.add(clip, frames)
        mean, std = moments.mean_std()
        return mean if self._pooling == "mean" else np.concatenate([mean, std], 1)


def load(source: str, layers: Sequence[int], pooling: str, name: str) -> SpeechEncoder:
    """The encoder of a local folder or hub id; layers above the highest chosen one are never built.

    Raises:
        EmorankError: it is no such checkpoint, has no such layer, or lacks weights.
    """
    kind = read_config(source).get("model_type")
    if kind not in MODEL_TYPES:
        raise EmorankError(
            f"Audio encoder {name!r}: {source} is a {kind} checkpoint; layers are taken of whisper, "
            f"{', '.join(MODEL_TYPES)}, and a WavLM with an emotion head is named MODEL/ser."
        )
    folder = complete_folder(source)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    depth = config.num_hidden_layers
    if not all(1 <= layer <= depth for layer in layers):
        raise EmorankError(f"Audio encoder {name!r}: its layers are 1 to {depth}; choose among those.")
    try:
        preparation = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise EmorankError(
            f"{source} does not say how sound is prepared for it; its preprocessor_config.json is missing."
        ) from error
    if preparation.sampling_rate != SAMPLE_RATE:
        raise EmorankError(f"{source} is for {preparation.sampling_rate} Hz; emorank hears 16000 Hz.")
    config.num_hidden_layers = max(layers)
    config.mask_time_prob = config.mask_feature_prob = 0.0  # the embedding of masked frames serves training alone
    config.add_adapter = False
    return SpeechEncoder(Backbone(read_network(source, config), layers, depth), preparation.do_normalize, pooling, name)


def _normal(wave: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1, as Wav2Vec2FeatureExtractor does it."""
    if not len(wave):
        return wave
    exact = wave.astype(np.float64)
    normal: np.ndarray = ((exact - exact.mean()) / np.sqrt(exact.var() + 1e-7)).astype(np.float32)
    return normal
