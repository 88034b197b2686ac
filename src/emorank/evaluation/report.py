"""Measures a model on an utterance table: features, captions and the pure tests of `emorank.evaluation` together."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import polars as pl

import emorank
from emorank.captions import Style, bundled, paired
from emorank.captions.bank import Split
from emorank.encoders.deferred import Deferred
from emorank.errors import AudioError, EmorankError
from emorank.evaluation.alignment import Alignment, alignment
from emorank.evaluation.ordinality import (
    LISTS,
    DescriptionList,
    Dimension,
    Ordinality,
    description_lists,
    oracle,
    ordinality,
)
from emorank.evaluation.retrieval import Retrieval, retrieval
from emorank.evaluation.zero_shot import PROMPTS, ZeroShot, zero_shot
from emorank.listening.store import Progress, recordings, texts
from emorank.model import EmotionRankCLAP

TestName = Literal["ordinality", "alignment", "retrieval", "zero-shot"]
_VARIED: dict[str, Dimension] = {"voc": "valence", "aoc": "arousal"}
_LIBRARIES = ("numpy", "scipy", "torch", "transformers")


@dataclass(frozen=True)
class Measured:
    """Utterances of a table as a model hears them.

    Args:
        model: what is measured.
        table: the utterances that have their labels and could be read.
        embeddings: (n, embedding_dim) of them, in the order of the table.
        split: which part of the table this is, None for all.
        broken: recordings that could not be read.
    """

    model: EmotionRankCLAP
    table: pl.DataFrame
    embeddings: np.ndarray
    split: str | None
    broken: tuple[AudioError, ...]

    @property
    def points(self) -> np.ndarray:
        """(n, 2) valence and arousal, 1..7."""
        return self.table.select("valence", "arousal").to_numpy()

    def about(self) -> dict[str, Any]:
        """What was measured and with which software: enough to repeat it."""
        data = hashlib.sha256(self.embeddings.tobytes() + np.ascontiguousarray(self.points).tobytes())
        return {
            "clips": len(self.table),
            "speakers": self.table["speaker"].n_unique() if "speaker" in self.table.columns else None,
            "corpora": _counts(self.table, "corpus"),
            "label_source": " and ".join(sorted(_counts(self.table, "label_source"))) or "unknown",
            "split": self.split,
            "broken": len(self.broken),
            "model": self.model.fingerprint,
            "audio_encoder": self.model.config.audio_encoder,
            "text_encoder": self.model.config.text_encoder,
            "data": data.hexdigest()[:16],
            "versions": {"emorank": emorank.__version__, "python": platform.python_version()}
            | {name: version(name) for name in _LIBRARIES},
        }


@dataclass(frozen=True)
class OrdinalityReport:
    """Result of the ordinality test.

    Args:
        voc: valence ordinal consistency.
        aoc: arousal ordinal consistency.
        oracle: mean of both for a retrieval that always gives the clip whose label is nearest.
        captions: where the descriptions come from.
    """

    voc: Ordinality
    aoc: Ordinality
    oracle: dict[str, float]
    captions: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        both = {
            name: {"mean": each.mean, "std": each.std, "taus": each.taus, "retrieved": each.retrieved}
            for name, each in (("voc", self.voc), ("aoc", self.aoc))
        }
        return {**both, "oracle": self.oracle, "lists": len(self.voc.taus), "captions": self.captions}


def listen(
    model: EmotionRankCLAP, table: pl.DataFrame, split: str | None = "test", progress: Progress | None = None
) -> Measured:
    """The utterances of a split, as the model hears them.

    Args:
        model: what is to be measured.
        table: utterances with path, valence and arousal.
        split: only these; None, or a table without that column, is all.
        progress: called with recordings done and to do.

    Raises:
        EmorankError: labels are missing, or fewer than 14 clips are left.
    """
    missing = [name for name in ("valence", "arousal") if name not in table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; every test needs it.")
    split = split if "split" in table.columns else None
    chosen = table if split is None else table.filter(pl.col("split") == split)
    chosen = chosen.drop_nulls(["valence", "arousal"])
    encoder = Deferred(model.config.audio_encoder, model.audio.encoder_dim)
    features, errors = recordings(chosen["path"].to_list(), encoder, progress=progress)
    good = np.array([error is None for error in errors], bool)
    chosen = chosen.filter(pl.Series(good, dtype=pl.Boolean))
    if len(chosen) < 14:
        where = "the table" if split is None else f"split {split!r}"
        raise EmorankError(f"The tests need at least 14 clips with labels, {where} has {len(chosen)}.")
    broken = tuple(error for error in errors if error is not None)
    return Measured(model, chosen, model.audio(features[good]), split, broken)


def measure_ordinality(measured: Measured, part: Split = "test") -> OrdinalityReport:
    """The ordinality test (paper section 4.2.2) with captions of the bank.

    Args:
        measured: the utterances.
        part: of the bank; the captions of `development` are there to choose by.
    """
    cells = bundled(part).cells()
    lists = {name.upper(): description_lists(cells, varied, LISTS) for name, varied in _VARIED.items()}
    return measure_lists(measured, lists, f"emorank bank, {part} part")


def measure_lists(
    measured: Measured, lists: Mapping[str, Sequence[DescriptionList]], whence: str = "lists of one's own"
) -> OrdinalityReport:
    """The ordinality test (paper section 4.2.2) with any lists.

    Args:
        measured: the utterances.
        lists: of VOC and of AOC, see `emorank.evaluation.lists`.
        whence: where the descriptions come from.
    """
    captions = list(dict.fromkeys(text for each in lists.values() for one in each for text in one.texts))
    row = {text: index for index, text in enumerate(captions)}
    similarity = measured.model.similarity(measured.embeddings, _encoded(measured.model, captions)).T
    results, best = {}, {}
    for name, varied in _VARIED.items():
        own = lists[name.upper()]
        labels = measured.points[:, 0 if varied == "valence" else 1]
        results[name] = ordinality(own, lambda asked: similarity[[row[text] for text in asked]], labels)
        best[name] = oracle(own, measured.points, labels).mean
    return OrdinalityReport(**results, oracle=best, captions=whence)


def measure_alignment(measured: Measured, style: Style = "bank", seed: int = 0) -> Alignment:
    """The alignment test (paper section 4.2.1) between the utterances and their captions.

    Args:
        measured: the utterances.
        style: whose captions.
        seed: of the trials' draws.
    """
    audio, text, _ = _pairs(measured, style)
    return alignment(audio, text, seed=seed)


def measure_retrieval(measured: Measured, style: Style = "bank") -> Retrieval:
    """Utterances by their captions and captions by their utterances; by category too where the table has them."""
    audio, text, table = _pairs(measured, style)
    known = "emotion" in table.columns and not table["emotion"].null_count()
    return retrieval(audio, text, table["emotion"].to_list() if known else None)


def measure_zero_shot(measured: Measured) -> ZeroShot:
    """Classification into the categories of the table by a description of each.

    Raises:
        EmorankError: the table has fewer than two categories.
    """
    table = measured.table
    known = table["emotion"].is_in(list(PROMPTS)).fill_null(False) if "emotion" in table.columns else None
    names = sorted(table.filter(known)["emotion"].unique()) if known is not None else []
    if known is None or len(names) < 2:
        raise EmorankError("Zero-shot classification needs a column emotion with at least two categories.")
    text = _encoded(measured.model, [PROMPTS[name] for name in names])
    similarity = measured.model.similarity(measured.embeddings[known.to_numpy()], text)
    return zero_shot(similarity, names, table.filter(known)["emotion"].to_list())


def measure(
    measured: Measured,
    tests: Sequence[TestName],
    style: Style = "bank",
    lists: Mapping[str, Sequence[DescriptionList]] | None = None,
) -> dict[str, Any]:
    """Several tests, as one document for JSON with what it takes to repeat them.

    Args:
        measured: the utterances.
        tests: which tests.
        style: whose captions alignment and retrieval take.
        lists: of the ordinality test, see `measure_lists`; None takes the bank's.
    """
    document: dict[str, Any] = {"about": measured.about()}
    for test in tests:
        if test == "ordinality":
            report = measure_ordinality(measured) if lists is None else measure_lists(measured, lists)
            document[test] = report.as_dict()
        elif test == "alignment":
            document[test] = measure_alignment(measured, style).as_dict() | {"captions": style}
        elif test == "retrieval":
            document[test] = measure_retrieval(measured, style).as_dict() | {"captions": style}
        else:
            document[test] = measure_zero_shot(measured).as_dict() | {"prompts": PROMPTS}
    return document


def _pairs(measured: Measured, style: Style) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    """Embeddings of the utterances that have a caption, of the captions, and the rows."""
    captions = paired(measured.table, style)
    have = np.array([caption is not None for caption in captions], bool)
    text = _encoded(measured.model, [caption for caption in captions if caption is not None])
    return measured.embeddings[have], text, measured.table.filter(pl.Series(have))


def _encoded(model: EmotionRankCLAP, descriptions: Sequence[str]) -> np.ndarray:
    return model.text(texts(descriptions, model.text_encoder))


def _counts(table: pl.DataFrame, column: str) -> dict[str, int]:
    if column not in table.columns:
        return {}
    counts = table.drop_nulls(column)[column].value_counts().sort(column)
    return dict(zip(counts[column].to_list(), counts["count"].to_list(), strict=True))
