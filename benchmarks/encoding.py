"""Speed of the audio encoder: seconds of speech encoded in a second, against the stock Whisper pipeline.

The stock pipeline is transformers' feature extractor, which pads every clip to 30 s, and the whole encoder with its
hidden states, pooled the same way. Clips are 3 to 4 s of noise, or recordings of a folder.

Before it, the speed of decoding: seconds of a recording of 10 minutes, 44.1 kHz, mono, decoded in a second, against
libsndfile and soxr in blocks of 30 s, which knows nothing of damage, offsets or joined files.

    .venv/bin/python benchmarks/encoding.py [FOLDER]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
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


def plain(path: Path) -> None:
    """Decodes with libsndfile, as it comes."""
    with soundfile.SoundFile(path) as file:
        stream = soxr.ResampleStream(file.samplerate, 16_000, 1, dtype="float32")
        while len(block := file.read(30 * file.samplerate, dtype="float32", always_2d=True)):
            stream.resample_chunk(np.ascontiguousarray(block.mean(axis=1)))
        stream.resample_chunk(np.zeros(0, np.float32), last=True)


def decoding(minutes: float = 10.0) -> None:
    """Print the speeds of decoding WAV, FLAC and MP3."""
    rng = np.random.default_rng(0)
    time_axis = np.arange(round(minutes * 60 * 44_100)) / 44_100
    sound = 0.1 * np.sin(2 * np.pi * 140 * time_axis) * np.sin(2 * np.pi * time_axis) ** 2
    sound = (sound + 0.003 * rng.standard_normal(len(sound))).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("wav", "flac", "mp3"):
            path = Path(folder) / f"a.{suffix}"
            soundfile.write(path, sound, 44_100)
            for _ in range(2):  # in turns, so that both have the machine as it is
                ours = best(lambda path=path: [None for _ in audio.blocks(path)])
                theirs = best(lambda path=path: plain(path))
            speed = 60 * minutes / ours
            print(
                f"{suffix:5s} emorank {speed:6.0f} x real time, libsndfile {60 * minutes / theirs:6.0f} x, "
                f"ratio {theirs / ours:.2f}"
            )


def best(run: Callable[[], object]) -> float:
    """Seconds that the fastest of 3 runs takes."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print both speeds and their ratio."""
    decoding()
    waves = clips(sys.argv[1] if len(sys.argv) > 1 else None)
    seconds = sum(map(len, waves)) / audio.SAMPLE_RATE
    encoder = audio_encoder(DEFAULT_AUDIO)
    encoder(waves[:4])
    sizes = {"d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048}
    network = WhisperEncoder(WhisperConfig(**sizes)).eval()  # its weights do not change the work
    speeds = {}
    for name, run in (("emorank", lambda: encoder(waves)), ("stock Whisper", lambda: stock(waves, network))):
        speeds[name] = seconds / best(run)
        print(f"{name:14s} {speeds[name]:7.1f} x real time, best of 3, {torch.get_num_threads()} threads")
    print(f"ratio          {speeds['emorank'] / speeds['stock Whisper']:7.1f}")


if __name__ == "__main__":
    main()
