"""Several tunings whose weights are averaged, as a folder that an encoder's name may stand on.

The mean of the weights of runs that began at the same ones and were drawn differently carries further than any of them
(Ramé et al. 2022, Diverse weight averaging for out-of-distribution generalization), and costs no more to use.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emorank.encoders.checkpoint import CONFIG
from emorank.encoders.tuned import WEIGHTS_FILE, write_tuned
from emorank.errors import EmorankError
from emorank.storage import written_whole
from emorank.training.dataset import seed_of
from emorank.tuning.config import TuneConfig
from emorank.tuning.loop import Orders, Tuning
from emorank.tuning.network import HEADS
from emorank.tuning.speech import Speech
from emorank.types import Array

Report = Callable[[int, int, float, Orders], None]  # run, step, loss since the last look, orders


def tune(
    weights: Mapping[str, Array],
    train: Speech,
    groups: Mapping[str, Speech],
    configs: Sequence[TuneConfig],
    folder: Path,
    captions: tuple[Tensor, Tensor] | None = None,
    report: Report | None = None,
) -> Path:
    """Tune once for every config and write the mean; what is done already is not done again.

    Args:
        weights: of the untuned layers, see `emorank.encoders.packaged.whisper_base`.
        train: what is learnt from.
        groups: what is looked at; see `Tuning`.
        configs: one a run, of the same layers.
        folder: where the encoder goes; its name is then FOLDER/LAYERS:attentive.
        captions: vectors and places of descriptions.
        report: called after every look.

    Raises:
        EmorankError: a file of an unfinished run is damaged, or is that of other choices or data.
    """
    if (folder / WEIGHTS_FILE).is_file() and (folder / CONFIG).is_file():
        return folder
    merged = []
    for number, config in enumerate(configs):
        run = Tuning(weights, train, groups, config, captions)
        _finish(
            run, folder / f"run{number}.pt", f"{config} {seed_of(*train.labels.shape, len(groups))}", number, report
        )
        run.take(run.progress.kept)
        merged.append(run.network.merged())
    write({name: np.mean([each[name] for each in merged], axis=0) for name in merged[0]}, configs[0].layers, folder)
    for number in range(len(configs)):
        (folder / f"run{number}.pt").unlink(missing_ok=True)
    return folder


def write(weights: Mapping[str, Array], layers: Sequence[int], folder: Path) -> None:
    """Write an encoder's folder, weights in float16."""
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in weights.items()}
    write_tuned(folder, halves, max(layers), HEADS, layers)


def _finish(run: Tuning, file: Path, about: str, number: int, report: Report | None) -> None:
    """Go on with a run from its file, if there is one, up to its end."""
    if file.is_file():
        state = _read(file)
        if state["about"] != about:
            raise EmorankError(f"{file} is an unfinished tuning of other choices or data; remove it.")
        run.resume(state)

    def looked(step: int, loss: float, orders: Orders) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as path:
            torch.save({"about": about, **run.state()}, path)
        if report:
            report(number, step, loss, orders)

    run.run(report=looked)


def _read(file: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(file, "cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise EmorankError(f"{file}: the unfinished tuning is damaged; remove the file.") from error
    return state
