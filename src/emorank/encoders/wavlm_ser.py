"""The paper's audio encoder: WavLM-large trained for dimensional speech emotion recognition (section 3.1).

`3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes`: WavLM, attentive statistics over time, and a regression head that
says arousal, dominance and valence. The checkpoint brings code of its own; here the network is defined anew and the
weights are loaded by name.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import WavLMConfig, WavLMModel

from emorank.affect import HIGHEST, LOWEST
from emorank.encoders.backbone import SAMPLE_RATE, WINDOW, Backbone
from emorank.encoders.checkpoint import read_config, read_weights
from emorank.encoders.pooling import Array, Moments, windows
from emorank.errors import EmorankError

POOLINGS = ("mean", "mean_std", "hidden")

_NEEDED = ("ssl_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_classes", "mean", "std")
_KNOWN_SSL: dict[str, dict[str, Any]] = {
    "microsoft/wavlm-large": {
        "conv_dim": [512] * 7,
        "conv_bias": False,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "intermediate_size": 4096,
        "num_conv_pos_embeddings": 128,
        "num_conv_pos_embedding_groups": 16,
        "num_buckets": 320,
        "max_bucket_distance": 800,
    }
}
_ORDER = [2, 0, 1]  # its arousal, dominance, valence -> our valence, arousal, dominance
_UNUSED = "ssl_model.masked_spec_embed"  # stands for masked frames while WavLM trains


class AttentivePooling(nn.Module):
    """How much each frame counts: softmax over time of tanh(W x) . v.

    Args:
        width: of a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sap_linear = nn.Linear(width, width)
        self.attention = nn.Parameter(torch.zeros(width, 1))

    def forward(self, frames: Tensor) -> Tensor:
        """(frames, width) -> (frames,) logits; their softmax over a whole clip is taken by `Moments`."""
        logits: Tensor = (torch.tanh(self.sap_linear(frames)) @ self.attention).squeeze(1)
        return logits


class Regression(nn.Module):
    """Pooled statistics -> hidden layers -> the dimensions. Dropout is left out, it does nothing outside training."""

    def __init__(self, inputs: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        sizes = [inputs] + [width] * (layers - 1)
        self.fc = nn.ModuleList(nn.Sequential(nn.Linear(size, width), nn.LayerNorm(width), nn.ReLU()) for size in sizes)
        self.out = nn.Sequential(nn.Linear(width, outputs))

    def hidden(self, pooled: Tensor) -> Tensor:
        """(n, inputs) -> (n, width)."""
        for layer in self.fc:
            pooled = layer(pooled)
        return pooled

    def forward(self, pooled: Tensor) -> Tensor:
        """(n, inputs) -> (n, outputs)."""
        outputs: Tensor = self.out(self.hidden(pooled))
        return outputs


class WavLMSERNetwork(nn.Module):
    """The three parts under the names of the checkpoint.

    Args:
        config: of the checkpoint.
        ssl: of its WavLM.
    """

    def __init__(self, config: Mapping[str, Any], ssl: WavLMConfig) -> None:
        super().__init__()
        width = int(config["hidden_size"])
        self.ssl_model = WavLMModel(ssl)
        self.pool_model = AttentivePooling(width)
        self.ser_model = Regression(2 * width, width, config.get("classifier_hidden_layers", 1), config["num_classes"])


class WavLMSEREncoder:
    """Attentive statistics of the last layer of a WavLM that was trained to hear emotion.

    Args:
        network: with its weights.
        config: of the checkpoint; `mean` and `std` normalise the samples.
        pooling: `mean`, the attentive mean; `mean_std`, the standard deviation too; `hidden`, the first layers of the
            regression head on both. The paper says 1024 numbers and not which; see docs/decisions.md.
        name: what this encoder is called in caches, indexes and checkpoints.
    """

    def __init__(self, network: WavLMSERNetwork, config: Mapping[str, Any], pooling: str, name: str) -> None:
        if pooling not in POOLINGS:
            raise EmorankError(f"Audio encoder {name!r}: no pooling {pooling!r}; there are {', '.join(POOLINGS)}.")
        depth = int(network.ssl_model.config.num_hidden_layers)
        self.name = name
        self.dim = int(config["hidden_size"]) * (2 if pooling == "mean_std" else 1)
        self._backbone = Backbone(network.ssl_model, [depth], depth)
        self._pool = network.pool_model.eval().requires_grad_(False).to(self._backbone.device)
        self._head = network.ser_model.eval().requires_grad_(False)
        self._pooling = pooling
        self._mean = np.float32(config["mean"])
        self._spread = np.float32(config["std"] + 1e-6)

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """Encode clips; order is kept, and a clip's vector does not depend on the others.

        Args:
            waves: mono float32 arrays at 16 kHz, any length; WavLM hears longer than 30 s in windows, the statistics
                are over all of them.

        Returns:
            (n, dim) float32.
        """
        mean, std = self._statistics(waves)
        if self._pooling == "mean":
            return mean
        both = np.concatenate([mean, std], 1)
        if self._pooling == "mean_std":
            return both
        with torch.inference_mode():
            hidden: Array = self._head.hidden(torch.from_numpy(both)).numpy()
        return hidden

    def points(self, waves: list[np.ndarray]) -> Array:
        """What the checkpoint's own regression head says: (n, 3) valence, arousal, dominance on 1..7."""
        with torch.inference_mode():
            said = self._head(torch.from_numpy(np.concatenate(self._statistics(waves), 1))).numpy()
        points: Array = np.clip(LOWEST + (HIGHEST - LOWEST) * said[:, _ORDER], LOWEST, HIGHEST).astype(np.float32)
        return points

    def _statistics(self, waves: list[np.ndarray]) -> tuple[Array, Array]:
        """Attentive mean and standard deviation, each (n, hidden_size).

        The checkpoint's own formula counts (samples - 1) // 320 + 1 frames. That is one more than a clip alone has, so
        in a batch it takes a frame of padding in; the frames that a clip has alone are those that count here.
        """
        normal = [(np.asarray(wave, np.float32) - self._mean) / self._spread for wave in waves]
        pieces = [(clip, piece) for clip, wave in enumerate(normal) for piece in windows(wave, WINDOW)]
        moments = Moments(len(waves), self._backbone.width)
        with torch.inference_mode():
            for clip, frames in self._backbone(pieces):
                moments.add(clip, frames, self._pool(frames))
        return moments.mean_std()


def load(source: str, pooling: str, name: str) -> WavLMSEREncoder:
    """The encoder of a local folder or hub id.

    Raises:
        EmorankError: it is no such checkpoint, or weights are missing, unexpected or of another shape.
    """
    config = read_config(source)
    lacking = [key for key in _NEEDED if key not in config]
    if lacking:
        raise EmorankError(f"{source} is no WavLM SER checkpoint: its config.json lacks {', '.join(lacking)}.")
    if config["num_classes"] != 3:
        raise EmorankError(
            f"{source} says {config['num_classes']} classes; one that says arousal, dominance and valence is needed."
        )
    if config.get("sampling_rate", SAMPLE_RATE) != SAMPLE_RATE:
        raise EmorankError(f"{source} is for {config['sampling_rate']} Hz; emorank hears 16000 Hz.")
    try:
        with torch.device("meta"):
            network = WavLMSERNetwork(config, _ssl_config(config))
    except (ValueError, TypeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EmorankError(f"{source} describes a network that cannot be built: {reason}") from error
    _fill(network, read_weights(source), source)
    return WavLMSEREncoder(network, config, pooling, name)


def _ssl_config(config: Mapping[str, Any]) -> WavLMConfig:
    """The WavLM inside: as `ssl_type` is known or says, then `ssl_config`, then the sizes of the checkpoint itself."""
    kind = str(config["ssl_type"])
    stated = config.get("ssl_config", {})
    known = _KNOWN_SSL.get(kind) or ({} if stated else read_config(kind))
    sizes = {key: config[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    if sizes["hidden_size"] != 1024:  # smaller kin of WavLM-large keep its proportions
        sizes["intermediate_size"] = 4 * sizes["hidden_size"]
    never = {"mask_time_prob": 0.0, "mask_feature_prob": 0.0, "add_adapter": False}
    return WavLMConfig.from_dict({**known, **sizes, **stated, **never})


def _fill(network: WavLMSERNetwork, weights: dict[str, Tensor], source: str) -> None:
    """Load by name, after the one change of names that transformers made since."""
    renamed = {
        name.replace(".conv.weight_g", ".conv.parametrizations.weight.original0").replace(
            ".conv.weight_v", ".conv.parametrizations.weight.original1"
        ): tensor
        for name, tensor in weights.items()
        if name != _UNUSED
    }
    needed = {name: tensor.shape for name, tensor in network.state_dict().items()}
    for fault, names in (
        ("lacks", sorted(needed.keys() - renamed.keys())),
        ("has unexpected", sorted(renamed.keys() - needed.keys())),
        ("has misshapen", [name for name, shape in needed.items() if name in renamed and renamed[name].shape != shape]),
    ):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise EmorankError(f"{source} {fault} weights: {', '.join(names[:5])}{more}; get the checkpoint again.")
    network.load_state_dict(renamed, assign=True)
