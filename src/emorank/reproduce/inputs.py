"""The utterances that all rows are trained and tested on, and their features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from emorank.captions import bundled
from emorank.corpora.agreement import with_agreement, with_categories
from emorank.encoders import audio_encoder, text_encoder
from emorank.errors import AudioError, EmorankError
from emorank.evaluation.embedded import LABELS
from emorank.listening.store import features, text_features
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import Row
from emorank.training.prepare import prepare, split_by_speaker
from emorank.types import Progress


@dataclass(frozen=True)
class Inputs:
    """What there is to train and test on.

    Args:
        table: the utterances.
        left_out: reason -> how many of the user's utterances are not among them.
        broken: recordings that could not be read.
        renamed: names of categories that were synonyms -> what they are called now.
    """

    table: pl.DataFrame
    left_out: dict[str, int]
    broken: tuple[AudioError, ...]
    renamed: dict[str, str]


def read_inputs(
    table: pl.DataFrame, protocol: Protocol, rows: Sequence[Row], progress: Progress | None = None
) -> Inputs:
    """Leave out what cannot be used, the same for all rows, and encode recordings and captions.

    Args:
        table: utterances with path, valence, arousal, split or speaker, and emotion where a row needs it.
        protocol: the encoders.
        rows: which rows.
        progress: called with recordings done and to do.

    Raises:
        EmorankError: a column is missing, or nobody is left to train, develop or test on.
    """
    by_category = [row for row in rows if row.category]
    needed = [*LABELS, "emotion"] if by_category else LABELS
    missing = [name for name in needed if name not in table.columns]
    if missing:
        why = f" for {', '.join(row.key for row in by_category)}" if missing == ["emotion"] else ""
        raise EmorankError(f"The table has no column {', '.join(missing)}; it is needed{why}.")
    table = table if "split" in table.columns else table.with_columns(split_in_three(table))
    table = table.filter(pl.col("split").is_in(["train", "development", "test"]))
    agreed, without_agreement = with_agreement(table)
    named, renamed = with_categories(agreed)
    usable = named.drop_nulls(needed)
    left_out = {"with emotion other or without agreement": without_agreement}
    left_out[f"without {' or '.join(needed)}"] = len(named) - len(usable)
    if not (usable["split"] == "test").any():
        raise EmorankError(
            "The table has no utterance with split 'test': there is nobody to test on who was not heard."
        )
    encoder = audio_encoder(protocol.audio_encoder)
    _, errors = features(usable["path"].to_list(), encoder, progress=progress, window=protocol.window)
    broken = tuple(error for error in errors if error is not None)
    usable = usable.filter(np.array([error is None for error in errors], bool))
    left_out["whose recording cannot be read"] = len(broken)
    for row in rows:  # every training then finds all features in the store
        prepare(usable, protocol.config(row, 1.0, 0), progress, protocol.window)
    for part in ("development", "test"):
        text_features(bundled(part).texts, text_encoder(protocol.text_encoder))
    return Inputs(usable, {why: count for why, count in left_out.items() if count}, broken, renamed)


def split_in_three(table: pl.DataFrame) -> pl.Series:
    """A split for a table without one: about 15 % of the speakers are test, 15 % of the others development."""
    split = np.where(split_by_speaker(table) == "development", "test", "train").astype(object)
    rest = np.flatnonzero(split == "train")
    split[rest] = split_by_speaker(table[rest]).to_list()
    return pl.Series("split", split.tolist(), dtype=pl.String)
