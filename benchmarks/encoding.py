"""Speed of encoding: seconds of speech encoded in a second, against the stock Whisper pipeline in the same run.

The stock pipeline is transformers' feature extractor, which pads every clip to 30 s, and the whole encoder with its
hidden states, pooled the same way. Three times:

* clips in memory, 3 to 4 s of noise, or recordings of a folder: the encoder alone;
* the same clips from files on disk, 48 kHz: emorank's stage of listening with all that it notes of a recording,
  against libsndfile, soxr and the stock pipeline, one clip after the other and in batches of 8;
* one long file, the samples of this project again and again: cut at pauses by voice activity and encoded, against
  windows of 30 s that the stock pipeline takes without looking for speech.

Clips in memory are also encoded with all cores on one batch after the other, instead of a batch on each, and both ways
while another program keeps one core busy.

After these, what the machine allows: the encoder's matrix products, without anything else, at the speed at which torch
multiplies matrices of their shapes here.

Last, the speed of decoding: seconds of a recording of 10 minutes, 44.1 kHz, mono, decoded in a second, against
libsndfile and soxr in blocks of 30 s, which knows nothing of damage, offsets or joined files.

    .venv/bin/python benchmarks/encoding.py [FOLDER]
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soundfile
import soxr
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from emorank import audio
from emorank.encoders import DEFAULT_AUDIO, AudioEncoder, audio_encoder, cores
from emorank.encoders.names import audio_spec
from emorank.listening.encode import Cut, listen, moments
from emorank.listening.recordings import Recording
from emorank.listening.store import whole

CLIPS = 32
LONG = 10 * 60  # seconds of the long file
RATE = 48_000  # Hz, of the files on disk
SAMPLES = Path(__file__).parents[1] / "samples"


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


def read(path: Path) -> np.ndarray:
    """A file by libsndfile and soxr, mono at 16 kHz."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    resampled: np.ndarray = soxr.resample(wave.mean(axis=1), rate, audio.SAMPLE_RATE)
    return resampled


def listened(paths: list[Path], encoder: AudioEncoder, cut: Cut) -> None:
    """What emorank does with files, but for keeping the rows."""
    for _ in listen([Recording.now(str(path)) for path in paths], encoder, cut):
        pass


def from_files(waves: list[np.ndarray], encoder: AudioEncoder, network: WhisperEncoder) -> None:
    """Print the speeds of clips on disk."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.wav" for number in range(len(waves))]
        for path, wave in zip(paths, waves, strict=True):
            soundfile.write(path, soxr.resample(wave, audio.SAMPLE_RATE, RATE), RATE)
        show(
            "clips from files",
            length(waves),
            lambda: listened(paths, encoder, whole),
            lambda: stock([read(path) for path in paths], network),
            lambda: [stock([read(path)], network) for path in paths],
        )


def long_file(encoder: AudioEncoder, network: WhisperEncoder) -> None:
    """Print the speeds of one long recording."""
    voices = np.concatenate([audio.load(path) for path in sorted(SAMPLES.glob("*.ogg"))])
    wave = np.resize(voices, LONG * audio.SAMPLE_RATE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        soundfile.write(path, soxr.resample(wave, audio.SAMPLE_RATE, RATE), RATE)
        window = 30 * audio.SAMPLE_RATE

        def windows() -> None:
            sound = read(path)
            stock([sound[start : start + window] for start in range(0, len(sound), window)], network)

        show(f"one file of {LONG // 60} minutes", LONG, lambda: listened([path], encoder, moments), windows)


def one_after_the_other(waves: list[np.ndarray], encoder: AudioEncoder) -> None:
    """Print the speeds with a batch on each core beside those with all cores on one batch, by turns."""

    def in_turn() -> None:
        with patch.object(cores, "cores_of", lambda device: 1):
            encoder(waves)

    for beside in ("", ", one core busy"):
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if beside else None
        ours, theirs = (length(waves) / best(run) for run in (lambda: encoder(waves), in_turn))
        print(
            f"| one batch after the other{beside} | {ours:.1f} | {theirs:.1f} (ratio {ours / theirs:.1f}) | |",
            flush=True,
        )
        if busy:
            busy.kill()


def show(what: str, seconds: float, ours: Callable[[], object], *stock: Callable[[], object]) -> None:
    """Print a row: the speed of every way in seconds of sound a second, and how many times the stock's ours is."""
    mine, *theirs = (seconds / best(run) for run in (ours, *stock))
    cells = [f"{speed:.1f} (ratio {mine / speed:.1f})" for speed in theirs]
    print("|", " | ".join([what, f"{mine:.1f}", *cells, *[""] * (2 - len(cells))]), "|", flush=True)


def length(waves: list[np.ndarray]) -> float:
    """Seconds of sound."""
    return sum(map(len, waves)) / audio.SAMPLE_RATE


def limit(layers: int, width: int = 512, frames: int = 1500) -> float:
    """Seconds of sound that a second's matrix products would encode, convolutions, attention and all else left out.

    Args:
        layers: that are computed.
        width: of a frame.
        frames: that are multiplied at a time.
    """
    x = {inner: torch.randn(frames, inner) for inner in (width, 4 * width)}
    shapes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    weights = [torch.randn(outer, inner) for inner, outer in shapes]

    def layer() -> None:
        for weight in weights:
            torch.nn.functional.linear(x[weight.shape[1]], weight)

    with torch.inference_mode():
        of_frames = best(lambda: [layer() for _ in range(layers)])
    return frames / 50 / of_frames  # a frame is 20 ms


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
            both = 60 * minutes / ours, 60 * minutes / theirs
            print(f"| decoding {suffix} | {both[0]:.0f} | {both[1]:.0f} (ratio {theirs / ours:.2f}) | |", flush=True)


def best(run: Callable[[], object]) -> float:
    """Seconds that the fastest of 3 runs takes."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print all speeds and their ratios."""
    waves = clips(sys.argv[1] if len(sys.argv) > 1 else None)
    encoder = audio_encoder(DEFAULT_AUDIO)
    encoder(waves[:4])
    sizes = {"d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048}
    network = WhisperEncoder(WhisperConfig(**sizes)).eval()  # its weights do not change the work
    print(f"| seconds of sound a second, {torch.get_num_threads()} threads | emorank | stock | stock, one by one |")
    print("|---|---|---|---|")
    show("clips in memory", length(waves), lambda: encoder(waves), lambda: stock(waves, network))
    from_files(waves, encoder, network)
    long_file(encoder, network)
    one_after_the_other(waves, encoder)
    layers = max(audio_spec(DEFAULT_AUDIO).layers)
    print(f"| the matrix products of {layers} layers alone | {limit(layers):.1f} | | |", flush=True)
    decoding()


if __name__ == "__main__":
    main()
