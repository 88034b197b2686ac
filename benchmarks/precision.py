"""Whisper-base in fewer bits: how much faster it encodes, and how far its vectors move.

bfloat16 by autocast, and matrices in int8 with activations quantised as they come, against float32, in turns in the
same run, on one thread, a clip at a time. Clips are recordings of a folder, else the samples of this project.

    .venv/bin/python benchmarks/precision.py [FOLDER]
"""

import dataclasses
import itertools
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emorank import audio
from emorank.encoders import DEFAULT_AUDIO, audio_encoder, torch_layers
from emorank.encoders.whisper import WhisperEncoder, levelled
from emorank.encoders.whisper_network import WhisperNetwork, log_mel

CLIPS, ROUNDS = 48, 5
SAMPLES = Path(__file__).parents[1] / "samples"


def in_int8() -> SimpleNamespace:
    """`torch_layers` with matrices in int8, each packed when it is first used."""
    packed: dict[int, torch.nn.Module] = {}

    def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if id(weight) not in packed:
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight, layer.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)
            layer.qconfig = torch.ao.quantization.default_dynamic_qconfig
            packed[id(weight)] = torch.ao.nn.quantized.dynamic.Linear.from_float(layer)
        result: Tensor = packed[id(weight)](x)
        return result

    return SimpleNamespace(**{**vars(torch_layers), "linear": linear})


def vector(network: WhisperNetwork, ops: Any, layers: tuple[int, ...], wave: np.ndarray) -> np.ndarray:
    """Mean and standard deviation over time of the layers, of one clip."""
    mel = torch.from_numpy(log_mel(levelled(wave), network.mel_bins))[None]
    states = network(ops, mel, layers)[0].float()
    return torch.cat([states.mean(0), states.std(0, correction=0)]).numpy()


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # torch's quantisation is to be replaced by a package of its own
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    found = (audio.load(path, end=10.0) for path in sorted(folder.rglob("*")) if path.suffix in audio.SUFFIXES)
    waves = list(itertools.islice(found, CLIPS))
    encoder = audio_encoder(DEFAULT_AUDIO, "cpu")
    assert isinstance(encoder, WhisperEncoder)
    weights = {name: torch.from_numpy(array) for name, array in encoder.network.weights.items()}
    network, layers = dataclasses.replace(encoder.network, weights=weights), encoder.spec.layers
    ways: dict[str, tuple[Any, Callable[[], AbstractContextManager[Any]]]] = {
        "float32": (torch_layers, nullcontext),
        "bfloat16": (torch_layers, lambda: torch.autocast("cpu", torch.bfloat16)),
        "int8": (in_int8(), nullcontext),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS + 1):  # the first warms up
        for name, (ops, context) in ways.items():
            began = time.process_time()
            with torch.inference_mode(), context():
                vectors[name] = np.stack([vector(network, ops, layers, wave) for wave in waves])
            times[name].append(time.process_time() - began)
    print("| | processor time | least cosine | mean cosine |\n|---|---|---|---|")
    unit = {name: each / np.linalg.norm(each, axis=1, keepdims=True) for name, each in vectors.items()}
    for name in ways:
        cosines = (unit[name] * unit["float32"]).sum(1)
        ratio = median(times[name][1:]) / median(times["float32"][1:])
        print(f"| {name} | {ratio:.2f} | {cosines.min():.5f} | {cosines.mean():.5f} |")


if __name__ == "__main__":
    main()
