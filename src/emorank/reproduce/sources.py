"""Where a study's utterances come from: recordings that the encoders hear, here, or a simulation."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import polars as pl

from emorank.evaluation.embedded import Embedded, embed
from emorank.model import EmotionRankCLAP
from emorank.training.config import TrainConfig
from emorank.training.prepare import Prepared, prepare


class Source(Protocol):
    """Utterances of the splits train, development and test; hashable, and small enough to go to another process."""

    def prepared(self, config: TrainConfig) -> Prepared:
        """What there is to learn from."""

    def embedded(self, model: EmotionRankCLAP, split: str) -> Embedded:
        """A split as a model embeds it."""


@dataclass(frozen=True)
class Recorded:
    """Recordings, whose features are kept.

    Args:
        table: Parquet file of the utterances.
        window: seconds that recordings are cropped or zero-padded to, None for none.
    """

    table: Path
    window: float | None

    def prepared(self, config: TrainConfig) -> Prepared:
        """See `Source`."""
        return _prepared(self.table, same_data(config), self.window)

    def embedded(self, model: EmotionRankCLAP, split: str) -> Embedded:
        """See `Source`."""
        return embed(model, _table(self.table), split, window=self.window)


def same_data(config: TrainConfig) -> TrainConfig:
    """The config without seed, learning rate and epochs, which do not change the data: trainings of a row share it."""
    return dataclasses.replace(config, seed=0, learning_rate=1.0, epochs=1, patience=1)


@lru_cache(maxsize=1)
def _prepared(table: Path, config: TrainConfig, window: float | None) -> Prepared:
    return prepare(_table(table), config, window=window)


@lru_cache(maxsize=1)
def _table(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)
