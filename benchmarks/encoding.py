"""Speed of the audio encoder: seconds of speech encoded in a second, against the stock Whisper pipeline.

The stock pipeline is transformers' feature extractor, which pads every clip to 30 s, and the whole encoder with its
hidden states, pooled the same way. Clips are 3 to 4 s of noise, or recordings of a folder.

    .venv/bin/python benchmarks/encoding.py [FOLDER]
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from emorank import audio
from emorank.encoders import DEFAULT_AUDIO, audio_encoder

CLIPS = 64


def clips(folder: str | None) -> list[np.ndarray]:
    """Recordings of a folder, or noise of 3 to 4 s; the content does not change the work."""
    if folder:
        paths = sorted(path for path in Path(folder).rglob("*") if path.suffix in audio.SUFFIXES)[:CLIPS]
        return [audio.load(path) for path in paths]
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal(int(rng.uniform(3, 4) * 16_000)).astype(np.float32) for _ in range(CLIPS)]


def stock(waves: list[np.ndarray], network: WhisperEncoder, batch: int = 8) -> None:
    """The padded pipeline."""
    extract = WhisperFeatureExtractor(feature_size=80)
    with torch.inference_mode():
        for start in range(0, len(waves), batch):
            mel = extract(waves[start : start + batch], sampling_rate=16_000, return_tensors="pt").input_features
            states = network(mel, output_hidden_states=True).hidden_states
            for layer in (3, 4):
                states[layer].mean(1), states[layer].std(1)


def main() -> None:
    """Print both speeds and their ratio."""
    waves = clips(sys.argv[1] if len(sys.argv) > 1 else None)
    seconds = sum(map(len, waves)) / audio.SAMPLE_RATE
    encoder = audio_encoder(DEFAULT_AUDIO)
    encoder(waves[:4])
    sizes = {"d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048}
    network = WhisperEncoder(WhisperConfig(**sizes)).eval()  # its weights do not change the work
    speeds = {}
    for name, run in (("emorank", lambda: encoder(waves)), ("stock Whisper", lambda: stock(waves, network))):
        times = []
        for _ in range(3):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
        speeds[name] = seconds / min(times)
        print(f"{name:14s} {speeds[name]:7.1f} x real time, best of 3, {torch.get_num_threads()} threads")
    print(f"ratio          {speeds['emorank'] / speeds['stock Whisper']:7.1f}")


if __name__ == "__main__":
    main()
