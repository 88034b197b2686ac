"""The utterances of a table as a model embeds them: what every test starts from."""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

import emorank
from emorank.corpora.agreement import with_agreement, with_categories
from emorank.encoders.deferred import Deferred
from emorank.errors import AudioError, EmorankError
from emorank.listening.store import features, text_features
from emorank.model import EmotionRankCLAP
from emorank.types import Progress

LABELS = ("valence", "arousal")  # columns of the table, whatever dimensions the model has
_LIBRARIES = ("numpy", "scipy", "torch", "transformers")


@dataclass(frozen=True)
class Embedded:
    """Utterances of a table and their embeddings.

    Args:
        model: what is measured.
        table: the utterances that could be read, their categories as `emorank.affect.category_of` writes them.
        embeddings: (n, embedding_dim) of them, in the order of the table.
        split: which part of the table this is, None for all.
        broken: recordings that could not be read.
        no_agreement: how many utterances were left out by `emorank.corpora.agreement.with_agreement`.
        renamed: names of categories that were synonyms -> what they are called now.
    """

    model: EmotionRankCLAP
    table: pl.DataFrame
    embeddings: np.ndarray
    split: str | None
    broken: tuple[AudioError, ...]
    no_agreement: int
    renamed: dict[str, str]

    def text(self, descriptions: Sequence[str]) -> np.ndarray:
        """(n, embedding_dim) of descriptions, in their order."""
        return self.model.text(text_features(descriptions, self.model.text_encoder))

    def labelled(self) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings and (n, 2) valence and arousal, 1..7, of the utterances that have both labels.

        Raises:
            EmorankError: the table lacks a column, or fewer than 14 utterances are left, the length of a list.
        """
        missing = [name for name in LABELS if name not in self.table.columns]
        if missing:
            raise EmorankError(f"The table has no column {', '.join(missing)}; the test needs it.")
        points = self.table.select(LABELS).to_numpy()
        known = ~np.isnan(points).any(1)
        if known.sum() < 14:
            where = "the table" if self.split is None else f"split {self.split!r}"
            raise EmorankError(f"The tests need at least 14 clips with labels, {where} has {known.sum()}.")
        return self.embeddings[known], points[known]

    def about(self) -> dict[str, Any]:
        """What was measured and with which software: enough to repeat it."""
        labels = self.table.select(name for name in LABELS if name in self.table.columns)
        data = hashlib.sha256(self.embeddings.tobytes() + np.ascontiguousarray(labels.to_numpy()).tobytes())
        return {
            "clips": len(self.table),
            "speakers": self.table["speaker"].n_unique() if "speaker" in self.table.columns else None,
            "corpora": counts(self.table, "corpus"),
            "label_source": " and ".join(counts(self.table, "label_source")) or "unknown",
            "split": self.split,
            "broken": len(self.broken),
            "no_agreement": self.no_agreement,
            "renamed": self.renamed,
            "model": self.model.fingerprint,
            "audio_encoder": self.model.config.audio_encoder,
            "text_encoder": self.model.config.text_encoder,
            "data": data.hexdigest()[:16],
            "versions": {"emorank": emorank.__version__, "python": platform.python_version()}
            | {name: version(name) for name in _LIBRARIES},
        }


def embed(
    model: EmotionRankCLAP,
    table: pl.DataFrame,
    split: str | None = "test",
    progress: Progress | None = None,
    window: float | None = None,
) -> Embedded:
    """Embed the utterances of a split, without those that listeners did not agree on.

    Args:
        model: what is to be measured.
        table: utterances with path.
        split: only these; None, or a table without that column, is all.
        progress: called with recordings done and to do.
        window: seconds that recordings are cropped or zero-padded to; None hears them whole.

    Raises:
        EmorankError: the table has no utterance of that split, or none of its recordings can be read.
    """
    split = split if "split" in table.columns else None
    chosen = table if split is None else table.filter(pl.col("split") == split)
    if split is not None and chosen.is_empty():
        raise EmorankError(f"The table has no split {split!r}; it has {', '.join(counts(table, 'split')) or 'none'}.")
    chosen, no_agreement = with_agreement(chosen)
    chosen, renamed = with_categories(chosen)
    encoder = Deferred(model.config.audio_encoder, model.audio.encoder_dim)
    vectors, errors = features(chosen["path"].to_list(), encoder, progress=progress, window=window)
    good = np.array([error is None for error in errors], bool)
    broken = tuple(error for error in errors if error is not None)
    if not good.any():
        first = f" ({broken[0]})" if broken else ""
        raise EmorankError(f"None of the {len(chosen)} recordings can be measured{first}.")
    chosen = chosen.filter(pl.Series(good, dtype=pl.Boolean))
    return Embedded(model, chosen, model.audio(vectors[good]), split, broken, no_agreement, renamed)


def counts(table: pl.DataFrame, column: str) -> dict[str, int]:
    """How many utterances have each value of a column, in the order of the values; empty without the column."""
    if column not in table.columns:
        return {}
    found = table.drop_nulls(column)[column].value_counts().sort(column)
    return dict(zip(found[column].to_list(), found["count"].to_list(), strict=True))
