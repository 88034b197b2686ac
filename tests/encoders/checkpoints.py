"""Tiny checkpoints with random weights in exactly the formats of the real ones: names, shapes, config keys, files."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaTokenizer, WavLMConfig, WavLMModel

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


EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
_WORDS = "a an the very calm warm cold angry sad tired voice speaking slowly with sorrow in his her quiet loud furious"


def tiny_distilroberta(folder: Path) -> Path:
    """A classifier of emotions in the format of j-hartmann/emotion-english-distilroberta-base, a .bin."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = byte_pairs()
    tokenizer = RobertaTokenizer(vocab=vocabulary, merges=merges)  # vocab_file= is silently ignored by transformers 5
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), "utf8")
    config = RobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        id2label=dict(enumerate(EMOTIONS)),
        label2id={emotion: index for index, emotion in enumerate(EMOTIONS)},
    )
    config.architectures = ["RobertaForSequenceClassification"]
    config.save_pretrained(folder)
    torch.manual_seed(1)
    state = RobertaForSequenceClassification(config).state_dict()
    state = {name: 8 * tensor if tensor.ndim == 2 else tensor for name, tensor in state.items()}
    state["roberta.embeddings.position_ids"] = torch.arange(514)[None]  # as checkpoints of that age have it
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def byte_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level vocabulary in RoBERTa's order, and the merges that make the words of `_WORDS` out of letters."""
    # GPT-2's printable stand-ins for the 256 bytes: Latin letters stand for themselves, the others follow from 256 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    words = [list(word) for word in _WORDS.split()] + [["Ġ", *word] for word in _WORDS.split()]
    merges: list[tuple[str, str]] = []
    while pairs := Counter(pair for word in words for pair in pairwise(word)):
        best = max(sorted(pairs), key=pairs.__getitem__)
        merges.append(best)
        words = [merged(word, best) for word in words]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *letters, *("".join(pair) for pair in merges), "<mask>"]
    return {token: index for index, token in enumerate(tokens)}, merges


def merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    """The word with every occurrence of the pair made one token."""
    result: list[str] = []
    for token in word:
        if result and (result[-1], token) == pair:
            result[-1] += token
        else:
            result.append(token)
    return result
