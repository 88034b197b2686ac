"""A Whisper of two narrow layers with random weights, and synthetic voices of two corpora to tune it on."""

import numpy as np
import torch

from emorank.tuning.sounds import Sounds
from emorank.tuning.speech import Speech
from emorank.types import Array
from tests.conftest import voice

WIDTH = 32


def weights(seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> Array:
        return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)).astype(np.float32)

    found = {"conv1.weight": drawn(WIDTH, 80, 3), "conv2.weight": drawn(WIDTH, WIDTH, 3)}
    found |= {"conv1.bias": drawn(WIDTH) * 0, "conv2.bias": drawn(WIDTH) * 0}
    found["embed_positions.weight"] = drawn(1500, WIDTH)
    for index in range(2):
        sizes = {"self_attn.qkv_proj": (3, 1), "self_attn.out_proj": (1, 1), "fc1": (4, 1), "fc2": (1, 4)}
        for name, (outputs, inputs) in sizes.items():
            found[f"layers.{index}.{name}.weight"] = drawn(outputs * WIDTH, inputs * WIDTH)
            found[f"layers.{index}.{name}.bias"] = np.zeros(outputs * WIDTH, np.float32)
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            found[f"layers.{index}.{name}.weight"] = np.ones(WIDTH, np.float32)
            found[f"layers.{index}.{name}.bias"] = np.zeros(WIDTH, np.float32)
    return found


def speech(clips: int = 12, versions: int = 1) -> Speech:
    waves = [voice(0.4 + 0.05 * (i % 4), 100 + 10 * i, i) for i in range(clips)] * versions
    labels = torch.linspace(1, 7, clips)[:, None].repeat(1, 3)
    category, corpus = torch.arange(clips) % 3, torch.arange(clips) % 2
    possible = torch.zeros(2, 4, dtype=torch.bool)
    possible[corpus, category] = True
    return Speech(Sounds.of(waves), labels, category, corpus, possible)
