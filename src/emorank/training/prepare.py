"""An utterance table -> the parts that a training run learns from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from emorank.affect import DIMENSIONS
from emorank.captions import Captions, bank
from emorank.encoders import audio_encoder, text_encoder
from emorank.errors import AudioError, EmorankError
from emorank.features import Progress, recordings, texts
from emorank.training.config import TrainConfig
from emorank.training.data import Part, Side

_HELD_OUT = 0.15  # share of the speakers that become development data where a table has no split


@dataclass(frozen=True)
class Prepared:
    """What there is to learn from.

    Args:
        train: utterances and captions to learn from.
        development: utterances and captions that choose the epoch.
        table: the utterances of both that could be read, with their split.
        broken: recordings that could not be read.
        unlabelled: how many utterances lack a label in one of the dimensions.
    """

    train: Part
    development: Part
    table: pl.DataFrame
    broken: tuple[AudioError, ...]
    unlabelled: int

    def about(self) -> dict[str, Any]:
        """What a model card has to say of the data: sizes by corpus and split, and where the labels come from."""
        columns = [name for name in ("corpus", "split", "label_source") if name in self.table.columns]
        counts = self.table.group_by(columns).len("utterances").sort(columns)
        return {"utterances": counts.to_dicts(), "captions": "emorank bank, train and development parts"}


def prepare(table: pl.DataFrame, config: TrainConfig, progress: Progress | None = None) -> Prepared:
    """Encode what is not known yet and put both sides together.

    Args:
        table: utterances with `path`, the dimensions of the config, and `split` (train, development, others are left
            out). Without `split`, about 15 % of the speakers become development data.
        config: the encoders and the dimensions.
        progress: called with recordings done and to do.

    Raises:
        EmorankError: a dimension is missing, or nothing is left to train or to develop on.
    """
    missing = [name for name in config.dimensions if name not in table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; it is needed for every utterance.")
    table = table if "split" in table.columns else table.with_columns(split_by_speaker(table))
    table = table.filter(pl.col("split").is_in(["train", "development"]))
    labelled = table.drop_nulls(list(config.dimensions))
    features, errors = recordings(labelled["path"].to_list(), audio_encoder(config.audio_encoder), progress=progress)
    good = np.array([error is None for error in errors], bool)
    usable = labelled.filter(pl.Series(good, dtype=pl.Boolean))
    parts = {}
    for split, captions in (("train", bank("train")), ("development", bank("development"))):
        chosen = (usable["split"] == split).to_numpy()
        if not chosen.any():
            raise EmorankError(f"The table has no utterance with split {split!r} that has its labels and can be read.")
        labels = usable.filter(pl.Series(chosen)).select(config.dimensions).to_numpy()
        parts[split] = Part(Side.of(features[good][chosen], labels), caption_side(captions, config))
    return Prepared(
        parts["train"],
        parts["development"],
        usable,
        tuple(error for error in errors if error is not None),
        len(table) - len(labelled),
    )


def caption_side(captions: Captions, config: TrainConfig) -> Side:
    """Captions as the text side of a part, with the dimensions of the config."""
    columns = [DIMENSIONS.index(name) for name in config.dimensions]
    return Side.of(texts(captions.texts, text_encoder(config.text_encoder)), captions.points[:, columns])


def split_by_speaker(table: pl.DataFrame) -> pl.Series:
    """A split for a table without one: a speaker (or, unknown, a recording) is in one part, the same in every run."""
    speakers = table["speaker"] if "speaker" in table.columns else pl.Series([None] * len(table), dtype=pl.String)
    names = [speaker if speaker is not None else path for speaker, path in zip(speakers, table["path"], strict=True)]
    ranks = {name: hashlib.sha256(name.encode("utf8", "surrogateescape")).hexdigest() for name in names}
    held = set(sorted(ranks, key=lambda name: ranks[name])[: max(1, round(_HELD_OUT * len(ranks)))])
    return pl.Series("split", ["development" if name in held else "train" for name in names])
