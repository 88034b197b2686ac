"""Curves of a training for TensorBoard or Weights & Biases."""

import dataclasses
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emorank.errors import EmorankError, MissingExtra
from emorank.training.config import Logger, TrainConfig

Log = Callable[[int, dict[str, float]], None]  # epoch from 1, values by name


def check(logger: Logger) -> None:
    """Raise an EmorankError if the package that the logger needs is missing."""
    if logger != "none" and importlib.util.find_spec(logger) is None:
        raise MissingExtra(f"--logger {logger}", "train")


@contextmanager
def logging(logger: Logger, folder: Path, config: TrainConfig, run: str, epoch: int = 0) -> Iterator[Log]:
    """A function that adds an epoch's values to the curves.

    Args:
        logger: where they go; `tensorboard` writes to `folder`/tensorboard, `wandb` to `folder`/wandb and its server.
        folder: of the model.
        config: shown beside the curves.
        run: fingerprint of the run, so that one that goes on adds to its own curves.
        epoch: epochs that are there already; later ones are replaced.

    Raises:
        EmorankError: the logger's package is missing, or Weights & Biases is not set up.
    """
    check(logger)
    if logger == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(folder / "tensorboard", purge_step=epoch + 1) as writer:

            def log(epoch: int, values: dict[str, float]) -> None:
                for name, value in values.items():
                    writer.add_scalar(name, value, epoch)
                writer.flush()

            yield log
    elif logger == "wandb":
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        shown = dataclasses.asdict(config)
        try:
            opened = wandb.init(project="emorank", name=folder.name, dir=folder, config=shown, id=run, resume="allow")
        except wandb.Error as error:
            why = " ".join(str(error).split())
            raise EmorankError(
                f"Weights & Biases cannot be used ({why}); run wandb login, or set WANDB_MODE=offline."
            ) from error
        with opened:
            yield lambda epoch, values: opened.log(values, step=epoch)
    else:
        yield lambda epoch, values: None
