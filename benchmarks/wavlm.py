"""The paper's audio encoder at its full size with random weights: loading, speed, peak memory.

Against the published recipe, every clip padded to 10 s and batched as it comes (paper section 4.1), with the same
network. Each way runs in a process of its own, so that its peak memory is its own. Takes a few minutes, 1.3 GB of disk
and 4 GB of memory.

    .venv/bin/python benchmarks/wavlm.py
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from emorank.encoders.names import audio_spec
from emorank.encoders.ser_config import ssl_config
from emorank.encoders.wavlm_ser import WavLMSERNetwork, load

CONFIG = {
    "ssl_type": "microsoft/wavlm-large",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_classes": 3,
    "classifier_hidden_layers": 1,
    "sampling_rate": 16000,
    "mean": -8.278621631819787e-05,
    "std": 0.08485510250851999,
}
SECONDS = (2.2, 5.8, 3.1, 4.0, 2.7, 3.4, 6.5, 3.0)  # like clips of MSP-Podcast and RAVDESS
PADDED = 10 * 16_000  # samples


def clips() -> list[np.ndarray]:
    """Noise; the content does not change the work."""
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal(round(seconds * 16_000)).astype(np.float32) for seconds in SECONDS]


def padded(network: WavLMSERNetwork, waves: list[np.ndarray], batch: int = 4) -> None:
    """Everything padded to 10 s, with its mask."""
    for start in range(0, len(waves), batch):
        some = [torch.from_numpy(wave) for wave in waves[start : start + batch]]
        samples = torch.stack([functional.pad(wave, (0, PADDED - len(wave))) for wave in some])
        mask = torch.stack([torch.arange(PADDED) < len(wave) for wave in some]).long()
        frames = network.ssl_model((samples - CONFIG["mean"]) / CONFIG["std"], attention_mask=mask).last_hidden_state
        for states in frames:
            network.pool_model(states)


def one(way: str, folder: str) -> None:
    """Measure one way and print it as JSON."""
    began = time.perf_counter()
    encoder = load(audio_spec(f"{folder}/ser:mean"))
    loaded = time.perf_counter() - began
    waves = clips()
    network = WavLMSERNetwork.__new__(WavLMSERNetwork)
    torch.nn.Module.__init__(network)
    network.ssl_model, network.pool_model = encoder._backbone._network, encoder._pool
    run = (lambda: encoder(waves)) if way == "emorank" else (lambda: padded(network, waves))
    with torch.inference_mode():
        encoder(waves[:1])
        began = time.perf_counter()
        run()
    spent = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"loaded": loaded, "speed": sum(SECONDS) / spent, "peak": peak}))


def main() -> None:
    """Print both ways and their ratio."""
    if len(sys.argv) == 3:
        one(*sys.argv[1:])
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(CONFIG))
        network = WavLMSERNetwork({**CONFIG, "ssl": ssl_config(CONFIG)})
        save_file(network.state_dict(), Path(folder) / "model.safetensors")
        del network
        results = {}
        for way in ("emorank", "padded to 10 s"):
            command = [sys.executable, __file__, way, folder]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[way] = json.loads(out.splitlines()[-1])
            print(
                "{:15s} {speed:5.2f} x real time, peak {peak:.1f} GB, loaded in {loaded:.1f} s".format(
                    way, **results[way]
                ),
                flush=True,
            )
    print(f"ratio           {results['emorank']['speed'] / results['padded to 10 s']['speed']:5.2f}")


if __name__ == "__main__":
    main()
