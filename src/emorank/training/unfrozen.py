"""The last layers of a Whisper encoder as something to train, by gradients that need the memory of one chunk.

A contrastive loss needs all embeddings of its batch at once, but their gradients one after the other. So clips pass the
encoder in chunks whose inner values are forgotten; the loss is taken, and chunk by chunk the values are computed again
for the gradient (gradient caching, Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
Setup"). It costs a second forward pass, and gives the gradient of the whole batch.
"""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from emorank.encoders import audio_encoder, torch_layers
from emorank.encoders.names import audio_spec
from emorank.encoders.pooling import SMALLEST_VARIANCE, batches, pieces_of
from emorank.encoders.tuned import with_attention, write_tuned
from emorank.encoders.whisper import WhisperEncoder, levelled
from emorank.encoders.whisper_network import HOP, WhisperNetwork, log_mel
from emorank.errors import EmorankError

FRAMES_AT_ONCE = 3000  # of 20 ms, in a chunk: a minute of sound


def require_whisper(name: str, count: int) -> None:
    """An encoder has layers that can be trained, so many of them. Imports no weights.

    Raises:
        EmorankError: it is no Whisper, or has fewer layers up to the highest that is used.
    """
    spec = audio_spec(name)
    if spec.kind != "whisper":
        raise EmorankError(f"--unfreeze trains layers of a Whisper; {name} is none, so leave the flag out.")
    if count > spec.layers[-1]:
        raise EmorankError(
            f"--unfreeze must be at most {spec.layers[-1]}, the highest layer that {name} uses, not {count}."
        )


class Unfrozen(nn.Module):
    """The encoder called `name`, with the last of its used layers as parameters.

    Args:
        name: of a Whisper, see `emorank.encoders`.
        count: how many layers are trained, counted down from the highest that is used. Layers below them, convolutions
            and what weighs the frames stay.
        frames: in a chunk at most; a longer clip is a chunk of its own.

    Shape:
        n recordings -> (n, dim), as the encoder itself gives it.
    """

    def __init__(self, name: str, count: int, frames: int = FRAMES_AT_ONCE) -> None:
        super().__init__()
        require_whisper(name, count)
        encoder = audio_encoder(name, "cpu")
        assert isinstance(encoder, WhisperEncoder)
        self._network, self._spec, self._attention = encoder.network, encoder.spec, encoder.attention
        self._frames = frames
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in self._network.weights.items()}
        self._names = [name for name in tensors if _layer(name) > encoder.spec.layers[-1] - count]
        self.layers = nn.ParameterDict({_key(name): nn.Parameter(tensors.pop(name)) for name in self._names})
        self._frozen = tensors

    def _apply(self, function: Callable[[Tensor], Tensor], recurse: bool = True) -> "Unfrozen":
        """What moves parameters moves the rest too, which no state of a training needs to hold."""
        self._frozen = {name: function(tensor) for name, tensor in self._frozen.items()}
        super()._apply(function, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, waves: Iterable[np.ndarray]) -> Tensor:
        """(n, dim) float32 of clips, mono at 16 kHz, of any length."""
        device = next(iter(self.layers.values())).device
        level = [levelled(wave) for wave in waves]
        network, clips, moments = self._placed(), [], []
        for batch in batches(pieces_of(level), _encoded, self._frames):
            mels = [torch.from_numpy(log_mel(wave, network.mel_bins)) for _, wave in batch]
            lengths = torch.tensor([len(mel) for mel in mels]).to(device)
            padded = nn.utils.rnn.pad_sequence(mels, batch_first=True).to(device, self._frozen["conv1.bias"].dtype)
            clips += [clip for clip, _ in batch]
            found = checkpoint(self._moments, network, padded, lengths, use_reentrant=False, preserve_rng_state=False)
            moments.append(found)
        if not moments:
            return torch.zeros(0, self._width(), device=device)
        return self._pooled(torch.cat(moments), torch.tensor(clips, device=device), len(level))

    def write(self, folder: Path) -> str:
        """Write the encoder as it is now; its name, which is that of the folder."""
        weights = {name: tensor.detach().float().cpu().numpy() for name, tensor in self._placed().weights.items()}
        attentive = self._spec.layers if self._attention else ()
        arrays = with_attention(weights, self._attention)
        write_tuned(folder, arrays, self._spec.layers[-1], self._network.heads, attentive)
        return f"{folder.absolute()}/{'+'.join(map(str, self._spec.layers))}:{self._spec.pooling}"

    def _placed(self) -> WhisperNetwork:
        """The network with its weights as they are now."""
        trained: dict[str, Any] = {name: self.layers[_key(name)] for name in self._names}
        return dataclasses.replace(self._network, weights={**self._frozen, **trained})

    def _width(self) -> int:
        return self._network.width * len(self._spec.layers) * (1 if self._spec.pooling == "mean" else 2)

    def _moments(self, network: WhisperNetwork, mels: Tensor, lengths: Tensor) -> Tensor:
        """Of each piece: the logarithm of the weight of its frames, then the mean of their values and of the squares.

        Args:
            network: as it is now.
            mels: (pieces, mel frames, bins), padded.
            lengths: (pieces,) mel frames of each.

        Returns:
            (pieces, 1 + 2 width), in double precision where the device has it.
        """
        inside = torch.arange(mels.shape[1], device=mels.device) < lengths[:, None]
        states = network(torch_layers, mels, self._spec.layers, None if bool(inside.all()) else inside)
        values = states if states.device.type == "mps" else states.double()
        logits = torch.zeros_like(values[..., 0])
        if self._attention is not None:
            weight, bias, focus = (torch.from_numpy(each).to(values) for each in vars(self._attention).values())
            logits = torch.tanh(values @ weight.T + bias) @ focus
        logits = logits.masked_fill(~inside[:, ::2], -torch.inf)
        weights = logits.softmax(1)[..., None]
        total = logits.logsumexp(1, keepdim=True)
        return torch.cat([total, (weights * values).sum(1), (weights * values.square()).sum(1)], 1)

    def _pooled(self, moments: Tensor, clips: Tensor, count: int) -> Tensor:
        """Pieces of clips -> (count, dim): the mean, and the standard deviation where it is pooled."""
        total, means = moments[:, 0], moments[:, 1:]
        highest = total.new_full((count,), -torch.inf).scatter_reduce(0, clips, total.detach(), "amax")
        weights = (total - highest[clips]).exp()
        sums = means.new_zeros(count, means.shape[1]).index_add(0, clips, weights[:, None] * means)
        mean, square = (sums / weights.new_zeros(count).index_add(0, clips, weights)[:, None]).chunk(2, 1)
        if self._spec.pooling == "mean":
            return mean.float()
        return torch.cat([mean, (square - mean.square()).clamp(min=SMALLEST_VARIANCE).sqrt()], 1).float()


def _layer(name: str) -> int:
    """The number of the layer that a weight is of, from 1; 0 for those of none."""
    return int(name.split(".")[1]) + 1 if name.startswith("layers.") else 0


def _key(name: str) -> str:
    """The name of a weight as torch lets parameters be called."""
    return name.removeprefix("layers.").replace(".", "_")


def _encoded(samples: int) -> int:
    """Frames of so many samples."""
    return samples // (2 * HOP) + 1
