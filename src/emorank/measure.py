"""Measures a model on an utterance table: features, captions and the pure tests of `emorank.evaluation` together."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

import emorank
from emorank.captions import bank
from emorank.errors import AudioError, EmorankError
from emorank.evaluation.ordinality import LISTS, Dimension, Ordinality, description_lists, oracle, ordinality
from emorank.features import Progress, recordings, texts
from emorank.model import EmotionRankCLAP

_VARIED: dict[str, Dimension] = {"voc": "valence", "aoc": "arousal"}


@dataclass(frozen=True)
class OrdinalityReport:
    """Result of the ordinality test on a table, with what is needed to repeat it.

    Args:
        voc: valence ordinal consistency: mean and standard deviation of Kendall's tau-b over the lists.
        aoc: arousal ordinal consistency.
        oracle: mean of both for a retrieval that always gives the clip whose label is nearest.
        clips: how many clips were there to retrieve.
        speakers: how many speakers they have, None if the table does not say.
        corpora: how many clips of each corpus.
        label_source: "rated", "derived", both, or "unknown".
        split: the split that was measured.
        lists: lists of each kind.
        captions: where the descriptions come from.
        model: fingerprint of the model.
        emorank: version of this software.
    """

    voc: dict[str, float]
    aoc: dict[str, float]
    oracle: dict[str, float]
    clips: int
    speakers: int | None
    corpora: dict[str, int]
    label_source: str
    split: str | None
    lists: int
    captions: str
    model: str
    emorank: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def measure_ordinality(
    model: EmotionRankCLAP, table: pl.DataFrame, split: str | None = "test", progress: Progress | None = None
) -> tuple[OrdinalityReport, list[AudioError]]:
    """The ordinality test (paper section 4.2.2) with the test captions of the bank.

    Args:
        model: what is measured.
        table: utterances with path, valence and arousal.
        split: only these; None, or a table without that column, is all.
        progress: called with recordings done and to do.

    Returns:
        The report, and the recordings that could not be read.

    Raises:
        EmorankError: labels are missing, or fewer than 14 clips are left.
    """
    missing = [name for name in ("valence", "arousal") if name not in table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; the ordinality test needs it.")
    split = split if "split" in table.columns else None
    chosen = table if split is None else table.filter(pl.col("split") == split)
    chosen = chosen.drop_nulls(["valence", "arousal"])
    features, errors = recordings(chosen["path"].to_list(), model.audio_encoder, progress=progress)
    good = np.array([error is None for error in errors], bool)
    chosen = chosen.filter(pl.Series(good, dtype=pl.Boolean))
    if len(chosen) < 14:
        where = "the table" if split is None else f"split {split!r}"
        raise EmorankError(f"The ordinality test needs at least 14 clips with labels, {where} has {len(chosen)}.")
    points = chosen.select("valence", "arousal").to_numpy()
    results, best = ordinality_of(model, model.audio(features[good]), points)
    return (
        OrdinalityReport(
            **{name: {"mean": result.mean, "std": result.std} for name, result in results.items()},
            oracle={name: result.mean for name, result in best.items()},
            clips=len(chosen),
            speakers=chosen["speaker"].n_unique() if "speaker" in chosen.columns else None,
            corpora=_counts(chosen, "corpus"),
            label_source=" and ".join(sorted(_counts(chosen, "label_source"))) or "unknown",
            split=split,
            lists=LISTS,
            captions="emorank bank, test part",
            model=model.fingerprint,
            emorank=emorank.__version__,
        ),
        [error for error in errors if error is not None],
    )


def ordinality_of(
    model: EmotionRankCLAP, embeddings: np.ndarray, points: np.ndarray
) -> tuple[dict[str, Ordinality], dict[str, Ordinality]]:
    """VOC and AOC of audio embeddings whose labels are known, and of the oracle.

    Args:
        model: encodes the descriptions.
        embeddings: (clips, embedding_dim).
        points: (clips, 2) valence and arousal.
    """
    captions = bank("test")
    similarity = model.similarity(embeddings, model.text(texts(captions.texts, model.text_encoder))).T
    row = {text: index for index, text in enumerate(captions.texts)}
    results, best = {}, {}
    for name, varied in _VARIED.items():
        lists = description_lists(captions.cells(), varied)
        labels = points[:, 0 if varied == "valence" else 1]
        results[name] = ordinality(lists, lambda asked: similarity[[row[text] for text in asked]], labels)
        best[name] = oracle(lists, points, labels)
    return results, best


def _counts(table: pl.DataFrame, column: str) -> dict[str, int]:
    if column not in table.columns:
        return {}
    counts = table.drop_nulls(column)[column].value_counts().sort(column)
    return dict(zip(counts[column].to_list(), counts["count"].to_list(), strict=True))
