"""emorank train: two heads on frozen encoders, from an utterance table."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from emorank.cli.console import name_broken, progress, say
from emorank.errors import EmorankError
from emorank.training.config import TrainConfig


def train(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    config_file: Annotated[Path | None, Parameter(name="--config")] = None,
    config: Annotated[TrainConfig | None, Parameter(name="*")] = None,
) -> None:
    """Train two heads on frozen encoders; a run that was killed goes on where it was.

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal, dominance, and split or speaker.
        out: Folder for the model; it is then usable as --model.
        config_file: YAML file with any of the choices below, such as configs/emotionrankclap.yaml; flags override it.
        config: Every choice of the training.
    """
    try:
        from emorank.training.fit import fit
    except ModuleNotFoundError as error:
        raise EmorankError("Training needs an extra; run: pip install 'emorank[train]'") from error
    from emorank.corpora import read_tables
    from emorank.training.prepare import prepare

    chosen = config or TrainConfig()
    table = read_tables(data)
    with progress("listening") as bar:
        prepared = prepare(table, chosen, bar)
    name_broken(prepared.broken)
    if prepared.unlabelled:
        say(f"{prepared.unlabelled} utterances lack a label in {', '.join(chosen.dimensions)} and are left out.")
    train, development = (len(prepared.table.filter(split=split)) for split in ("train", "development"))
    say(f"Training on {train} utterances, developing on {development}.")
    if prepared.uncaptioned:
        say(f"{prepared.uncaptioned} utterances have no caption of the kind {chosen.captions} and are left out.")
    model = fit(
        prepared.train,
        prepared.development,
        chosen,
        out,
        about={"data": prepared.about()},
        report=lambda epoch, epochs, loss: say(f"epoch {epoch:3d} of {epochs}: development loss {loss:.4f}"),
    )
    history = model.config.training
    say(f"Kept epoch {history['epoch_kept']} (development loss {history['development_loss']:.4f}) in {out}.")
