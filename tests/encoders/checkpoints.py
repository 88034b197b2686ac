"""Tiny checkpoints with random weights in exactly the formats of the real ones: names, shapes, config keys, files."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import WavLMConfig, WavLMModel

WIDTH = 32
SER_CONFIG: dict[str, Any] = {
    "architectures": ["SERModel"],
    "auto_map": {
        "AutoConfig": "pipeline_utils.SERConfig",
        "AutoModelForAudioClassification": "pipeline_utils.SERModel",
    },
    "classifier_dropout_prob": 0.5,
    "classifier_hidden_layers": 1,
    "hidden_size": WIDTH,
    "id2label": {"0": "arousal", "1": "dominance", "2": "valence"},
    "maxlen": 192000,
    "mean": -8.278621631819787e-05,
    "model_type": "ser",
    "num_attention_heads": 4,
    "num_classes": 3,
    "num_hidden_layers": 3,
    "sampling_rate": 16000,
    "ssl_type": "microsoft/wavlm-large",
    "std": 0.08485510250851999,
    "torch_dtype": "float32",
}
#: What a WavLM of that width has beside the sizes above; the real one needs none of it in its config.json.
SSL_CONFIG: dict[str, Any] = {"conv_dim": [16] * 7, "num_conv_pos_embedding_groups": 4}


def tiny_wavlm_ser(folder: Path) -> Path:
    """A WavLM SER checkpoint in the format of 3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {**SER_CONFIG, "ssl_config": SSL_CONFIG}
    (folder / "config.json").write_text(json.dumps(config, indent=2), "utf8")
    (folder / "pipeline_utils.py").write_text("raise SystemExit('code of a checkpoint was run')\n", "utf8")
    save_file(ser_weights(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def ser_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """Its state dict, scaled so that every part of the network matters to the result."""
    torch.manual_seed(seed)
    ssl = WavLMModel(
        WavLMConfig(
            hidden_size=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=4 * WIDTH,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            **SSL_CONFIG,
        )
    )
    shapes = {
        "pool_model.attention": (WIDTH, 1),
        "pool_model.sap_linear.weight": (WIDTH, WIDTH),
        "pool_model.sap_linear.bias": (WIDTH,),
        "ser_model.fc.0.0.weight": (WIDTH, 2 * WIDTH),
        "ser_model.fc.0.0.bias": (WIDTH,),
        "ser_model.fc.0.1.weight": (WIDTH,),
        "ser_model.fc.0.1.bias": (WIDTH,),
        "ser_model.out.0.weight": (3, WIDTH),
        "ser_model.out.0.bias": (3,),
    }
    heads = {name: torch.randn(shape) / max(1, shape[-1]) ** 0.5 for name, shape in shapes.items()}
    heads["pool_model.attention"] = torch.randn(WIDTH, 1)  # as it is initialised before training
    heads["ser_model.out.0.weight"] *= 0.2
    heads["ser_model.out.0.bias"] = torch.tensor([0.3, 0.5, 0.7])
    state = {f"ssl_model.{name}": tensor.clone() for name, tensor in ssl.state_dict().items()}
    for name, tensor in state.items():
        if name.endswith(("weight", "rel_attn_embed.weight")) and tensor.ndim == 2:
            state[name] = tensor * 4  # transformers starts them so small that the layers would be near the identity
    return state | heads
