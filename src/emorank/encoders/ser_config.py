"""What the config of a WavLM SER checkpoint says, and what of the WavLM inside it leaves unsaid."""

from collections.abc import Mapping
from typing import Any

from emorank.audio import SAMPLE_RATE
from emorank.encoders.checkpoint import read_config
from emorank.errors import EmorankError

_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads")
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


def read_ser_config(source: str) -> dict[str, Any]:
    """The config of a local folder or hub id, with the config of its WavLM under `ssl`.

    Raises:
        EmorankError: it is no such checkpoint.
    """
    config = read_config(source)
    lacking = [key for key in ("ssl_type", *_SIZES, "num_classes", "mean", "std") if key not in config]
    if lacking:
        raise EmorankError(f"{source} is no WavLM SER checkpoint: its config.json lacks {', '.join(lacking)}.")
    if wrong := [key for key in (*_SIZES, "mean", "std") if not isinstance(config[key], int | float)]:
        raise EmorankError(f"{source}: {', '.join(wrong)} in its config.json are no numbers; get the checkpoint again.")
    if config["num_classes"] != 3:
        raise EmorankError(
            f"{source} says {config['num_classes']} classes; one that says arousal, dominance and valence is needed."
        )
    if config.get("sampling_rate", SAMPLE_RATE) != SAMPLE_RATE:
        raise EmorankError(f"{source} is for {config['sampling_rate']} Hz; emorank hears 16000 Hz.")
    return config | {"ssl": ssl_config(config)}


def ssl_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The WavLM inside: as `ssl_type` is known or says, then `ssl_config`, then the sizes of the checkpoint itself."""
    kind = str(config["ssl_type"])
    stated = config.get("ssl_config", {})
    known = _KNOWN_SSL.get(kind) or ({} if stated else read_config(kind))
    sizes = {key: config[key] for key in _SIZES}
    if sizes["hidden_size"] != 1024:  # smaller kin of WavLM-large keep its proportions
        sizes["intermediate_size"] = 4 * sizes["hidden_size"]
    never = {"mask_time_prob": 0.0, "mask_feature_prob": 0.0, "add_adapter": False}
    return {**known, **sizes, **stated, **never}
