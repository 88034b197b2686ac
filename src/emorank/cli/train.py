"""emorank train: two heads on frozen encoders, from an utterance table."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from emorank.cli.console import name_broken, progress, renamed_as, say
from emorank.cli.options import require, require_ray
from emorank.errors import EmorankError
from emorank.training.config import Device, Logger, TrainConfig

_WORKERS = 2


def train(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    config_file: Annotated[Path | None, Parameter(name="--config")] = None,
    device: Device = "auto",
    logger: Logger = "none",
    ray: Annotated[list[str] | None, Parameter(consume_multiple=(0, 1), negative="")] = None,
    workers: int | None = None,
    config: Annotated[TrainConfig | None, Parameter(name="*", consume_multiple=True)] = None,
) -> None:
    """Train two heads on frozen encoders; a run that was killed goes on where it was.

    Several processes share every batch: under torchrun (torchrun --nproc-per-node 2 -m emorank train ...), or as
    workers of a Ray cluster (--ray).

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal, dominance, and split or speaker.
        out: Folder for the model; it is then usable as --model.
        config_file: YAML file with any of the choices below, such as configs/emotionrankclap.yaml; flags override it.
        device: Where the heads are trained; auto is a CUDA device where there is one, else the processor.
        logger: Where the curves go besides: to TensorBoard (the folder tensorboard in --out) or Weights & Biases.
        ray: Train by workers of a Ray cluster: of this address, such as auto or 10.0.0.1:6379, or where none is given,
            of $RAY_ADDRESS or this machine. All its machines have to see --out.
        workers: With --ray, how many; each takes a core, and a GPU where there are enough. By default 2.
        config: Every choice of the training.
    """
    chosen = config or TrainConfig()
    if workers is not None and ray is None:
        raise EmorankError("--workers is for --ray; without a Ray cluster, torchrun --nproc-per-node starts processes.")
    require(workers is None or workers >= 1, "--workers", "at least 1", workers)
    if ray is not None:
        require_ray("emorank train --ray")
    from emorank.training import loggers

    loggers.check(logger)
    from emorank.corpora import read_tables

    table = read_tables(data)
    from emorank.training.loop import fit
    from emorank.training.prepare import prepare
    from emorank.training.processes import joined

    with joined(device) as processes:
        with processes.first_ahead(), progress("listening") as bar:  # the first encodes, the others find it done
            prepared = prepare(table, chosen, bar)
        if not processes.rank:
            name_broken(prepared.broken)
            for reason, count in prepared.left_out.items():
                if count:
                    say(f"{count} utterances {reason} and are left out.")
            if prepared.unheard:
                say(f"{prepared.unheard} damaged copies cannot be heard; those recordings are heard as they are.")
            if prepared.derived:
                say(f"Unpredictability is derived from the category for {prepared.derived} utterances.")
            if prepared.renamed:
                say(renamed_as(prepared.renamed))
            train, development = (len(prepared.table.filter(split=split)) for split in ("train", "development"))
            say(f"Training on {train} utterances, developing on {development}.")
        with progress("training") as bar:

            def report(epoch: int, epochs: int, loss: float) -> None:
                bar(epoch, epochs)
                say(f"epoch {epoch:3d} of {epochs}: development loss {loss:.4f}")

            about = {"data": prepared.about()}
            learnt = prepared.train, prepared.development, chosen, out
            if ray is None:
                model = fit(*learnt, about, report, device, logger)
            else:
                from emorank.scale.training import fit_on_ray

                address = ray[0] if ray else None
                model = fit_on_ray(*learnt, workers or _WORKERS, address, about, report, device, logger)
        history = model.config.training
        if not processes.rank:
            say(f"Kept epoch {history['epoch_kept']} (development loss {history['development_loss']:.4f}) in {out}.")
