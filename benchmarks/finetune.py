"""Tunes Whisper's layers: on all corpora (whisper-base-emotion), and on all but one.

DATA holds the folders ravdess, emodb and nemo. Encoders go to OUT/tuned/all and OUT/tuned/without-CORPUS; a run that
was killed goes on when the command is given again. Minutes on a GPU, a day on a few CPU cores.

    .venv/bin/python benchmarks/finetune.py DATA OUT [all] [ravdess] [emodb] [nemo]
"""

import sys
from pathlib import Path

import polars as pl
import torch

from ased import ased
from emorank import read_corpus
from emorank.captions import bundled
from emorank.encoders import packaged, text_encoder
from emorank.encoders.device import torch_device
from emorank.tuning.config import TuneConfig
from emorank.tuning.loop import Orders
from emorank.tuning.prepare import development, speech_of
from emorank.tuning.runs import tune

CORPORA = ("ravdess", "emodb", "nemo")
#: Alike in what they are told to learn, unlike in how: their mean carries further than any of them.
RUNS = (
    TuneConfig(contrast=0.3, seed=0),
    TuneConfig(contrast=0.3, mix=0.5, seed=1),
    TuneConfig(align=0.3, seed=2),
    TuneConfig(contrast=0.3, categories=1.0, dropout=0.5, learning_rate=3e-4, seed=3),
)


def tuned(data: Path, out: Path, without: str | None) -> Path:
    """The folder of the encoder that has heard all corpora but one, tuned if it is not there."""
    corpora = [name for name in CORPORA if name != without]
    table = pl.concat([read_corpus(name, data / name) for name in corpora], how="diagonal_relaxed")
    device = torch_device(None)
    train, broken = speech_of(table.filter(split="train"), from_lossy=True)
    groups, more = development(table, corpora)
    broken += more
    looked_at = {}  # chooses nothing
    if without:
        looked_at[f"left out {without}"] = read_corpus(without, data / without).filter(pl.col("split") != "test")
    if (data / "ased").is_dir():
        looked_at["ASED"] = ased(data / "ased").sample(300, seed=0)
    for name, chosen in looked_at.items():
        groups[name], more = speech_of(chosen)
        broken += more
    for error in broken:
        print(f"Skipped: {error}", flush=True)
    train = train.to(device)
    groups = {name: group.to(device) for name, group in groups.items()}
    bank = bundled("train")
    texts = torch.from_numpy(text_encoder()(list(bank.texts))).to(device)
    captions = texts, torch.from_numpy(bank.points).to(device)
    weights = packaged.whisper_base(max(RUNS[0].layers))

    def report(run: int, step: int, loss: float, orders: Orders) -> None:
        shown = ", ".join(f"{name} {taus[0]:.3f} {taus[1]:.3f}" for name, taus in orders.items())
        print(
            f"without {without}, run {run}, step {step}: loss {loss:.3f}; tau of valence and arousal: {shown}",
            flush=True,
        )

    return tune(weights, train, groups, RUNS, out / "tuned" / folder_of(without), captions, report)


def folder_of(without: str | None) -> str:
    """What the encoder's folder is called."""
    return "all" if without is None else f"without-{without}"


def main() -> None:
    """Tune what was asked for, or everything."""
    data, out, *asked = sys.argv[1:]
    for name in asked or ("all", *CORPORA):
        print(tuned(Path(data), Path(out), None if name == "all" else name))


if __name__ == "__main__":
    main()
