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
from emorank.encoders.base import Spec
from emorank.encoders.checkpoint import read_weights, readable, refuse, refuse_infinite
from emorank.encoders.device import inference
from emorank.encoders.pooling import Moments, pieces_of
from emorank.encoders.ser_config import read_ser_config
from emorank.encoders.ssl import Backbone
from emorank.types import Array

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
        config: of the checkpoint, see `read_ser_config`.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = int(config["hidden_size"])
        self.ssl_model = WavLMModel(WavLMConfig.from_dict(config["ssl"]))
        self.pool_model = AttentivePooling(width)
        self.ser_model = Regression(2 * width, width, config.get("classifier_hidden_layers", 1), config["num_classes"])


class WavLMSEREncoder:
    """Attentive statistics of the last layer of a WavLM that was trained to hear emotion.

    Args:
        network: with its weights.
        config: of the checkpoint; `mean` and `std` normalise the samples.
        spec: its name, and as pooling `mean`, the attentive mean; `mean_std`, the standard deviation too; `hidden`,
            the first layers of the regression head on both. The paper says 1024 numbers and not which; see
            docs/decisions.md.
        fingerprint: see `emorank.encoders.base`.
        on: the device, None is the best there is.
    """

    def __init__(
        self,
        network: WavLMSERNetwork,
        config: Mapping[str, Any],
        spec: Spec,
        fingerprint: str = "",
        on: str | None = None,
    ) -> None:
        depth = int(network.ssl_model.config.num_hidden_layers)
        self.name = spec.name
        self.fingerprint = fingerprint
        self.dim = int(config["hidden_size"]) * (2 if spec.pooling == "mean_std" else 1)
        self._backbone = Backbone(network.ssl_model, [depth], depth, on)
        self.device = str(self._backbone.device)
        self._pool = network.pool_model.eval().requires_grad_(False).to(self._backbone.device)
        self._head = network.ser_model.eval().requires_grad_(False)
        self._pooling = spec.pooling
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
        moments = self._moments(waves)
        if self._pooling != "hidden":
            return moments.pooled(self._pooling)
        with torch.inference_mode():
            hidden: Array = self._head.hidden(torch.from_numpy(moments.pooled("mean_std"))).numpy()
        return hidden

    def points(self, waves: list[np.ndarray]) -> Array:
        """What the checkpoint's own regression head says: (n, 3) valence, arousal, dominance on 1..7."""
        with torch.inference_mode():
            outputs = self._head(torch.from_numpy(self._moments(waves).pooled("mean_std"))).numpy()
        points: Array = np.clip(LOWEST + (HIGHEST - LOWEST) * outputs[:, _ORDER], LOWEST, HIGHEST).astype(np.float32)
        return points

    def _moments(self, waves: list[np.ndarray]) -> Moments:
        """Attentive mean and standard deviation of clips.

        The checkpoint's own formula counts (samples - 1) // 320 + 1 frames. That is one more than a clip alone has, so
        in a batch it takes a frame of padding in; the frames that a clip has alone are those that count here.
        """
        normal = [(np.asarray(wave, np.float32) - self._mean) / self._spread for wave in waves]
        moments = Moments(len(waves), self._backbone.width)
        with inference(self._backbone.device):
            for clip, frames in self._backbone(pieces_of(normal)):
                moments.add(clip, frames.cpu().numpy(), self._pool(frames).cpu().numpy())
        return moments


def load(spec: Spec, fingerprint: str = "", on: str | None = None) -> "WavLMSEREncoder":
    """The encoder of a local folder or hub id.

    Raises:
        EmorankError: it is no such checkpoint, or weights are missing, unexpected, not finite or of another shape.
    """
    source = spec.source
    config = read_ser_config(source)
    with readable(source), torch.device("meta"):
        network = WavLMSERNetwork(config)
    read = read_weights(source)
    now = ".conv.parametrizations.weight.original"  # the one change of names that transformers made since
    renamed = {name: name.replace(".conv.weight_g", f"{now}0").replace(".conv.weight_v", f"{now}1") for name in read}
    weights = {renamed[name]: tensor for name, tensor in read.items() if name != _UNUSED}
    needed = {name: tensor.shape for name, tensor in network.state_dict().items()}
    refuse(source, "lacks", needed.keys() - weights.keys())
    refuse(source, "has unexpected", weights.keys() - needed.keys())
    refuse(source, "has misshapen", (name for name in needed if weights[name].shape != needed[name]))
    refuse_infinite(source, weights)
    network.load_state_dict(weights, assign=True)
    return WavLMSEREncoder(network, config, spec, fingerprint, on)
