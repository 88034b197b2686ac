"""The tests of `emorank.evaluation` on embedded utterances, and all of them as one document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from emorank.captions import Style, bundled, paired
from emorank.captions.bank import Split
from emorank.errors import EmorankError
from emorank.evaluation.alignment import FEWEST, PAIRS, TRIALS, Alignment, alignment
from emorank.evaluation.embedded import LABELS, Embedded, counts
from emorank.evaluation.ordinality import (
    LISTS,
    DescriptionList,
    Dimension,
    Ordinality,
    description_lists,
    oracle,
    ordinality,
)
from emorank.evaluation.prompts import PROMPTS
from emorank.evaluation.retrieval import Retrieval, retrieval
from emorank.evaluation.zero_shot import ZeroShot, ensembled, zero_shot

TestName = Literal["ordinality", "alignment", "retrieval", "zero-shot"]
_VARIED: dict[str, Dimension] = {"voc": "valence", "aoc": "arousal"}


@dataclass(frozen=True)
class OrdinalityReport:
    """Result of the ordinality test.

    Args:
        voc: valence ordinal consistency.
        aoc: arousal ordinal consistency.
        oracle: mean of both for a retrieval that always gives the clip whose label is nearest.
        captions: where the descriptions come from.
        clips: utterances with labels that could be retrieved.
    """

    voc: Ordinality
    aoc: Ordinality
    oracle: dict[str, float]
    captions: str
    clips: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        both = {
            name: {"mean": each.mean, "std": each.std, "taus": each.taus, "retrieved": each.retrieved}
            for name, each in (("voc", self.voc), ("aoc", self.aoc))
        }
        lists = len(self.voc.taus)
        return {**both, "oracle": self.oracle, "lists": lists, "captions": self.captions, "clips": self.clips}


@dataclass(frozen=True)
class ZeroShotReport:
    """Result of zero-shot classification.

    Args:
        scores: of the utterances whose category has a description.
        prompts: category -> its descriptions.
        left_out: categories without a description -> their utterances.
        unlabelled: utterances without a category.
        paths: of the classified utterances, in the order of the probabilities.
    """

    scores: ZeroShot
    prompts: dict[str, list[str]]
    left_out: dict[str, int]
    unlabelled: int
    paths: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the probabilities of every utterance."""
        rows = zip(self.paths, self.scores.probabilities.round(6).tolist(), strict=True)
        return {
            **self.scores.as_dict(),
            "prompts": self.prompts,
            "left_out": self.left_out,
            "unlabelled": self.unlabelled,
            "probabilities": [{"path": path, **dict(zip(self.prompts, row, strict=True))} for path, row in rows],
        }


def measure_ordinality(embedded: Embedded, part: Split = "test") -> OrdinalityReport:
    """The ordinality test (paper section 4.2.2) with captions of the bank.

    Args:
        embedded: the utterances.
        part: of the bank; the captions of `development` are there to choose by.
    """
    cells = bundled(part).cells()
    lists = {name.upper(): description_lists(cells, varied, LISTS) for name, varied in _VARIED.items()}
    return measure_lists(embedded, lists, f"emorank bank, {part} part")


def measure_lists(
    embedded: Embedded, lists: Mapping[str, Sequence[DescriptionList]], source: str = "lists of one's own"
) -> OrdinalityReport:
    """The ordinality test (paper section 4.2.2) with any lists.

    Args:
        embedded: the utterances.
        lists: of VOC and of AOC, see `emorank.evaluation.lists`.
        source: where the descriptions come from.
    """
    captions = list(dict.fromkeys(text for each in lists.values() for one in each for text in one.texts))
    row = {text: index for index, text in enumerate(captions)}
    audio, points = embedded.labelled()
    similarity = embedded.model.similarity(audio, embedded.text(captions)).T
    results, best = {}, {}
    for name, varied in _VARIED.items():
        own, labels = lists[name.upper()], points[:, LABELS.index(varied)]
        results[name] = ordinality(own, lambda asked: similarity[[row[text] for text in asked]], labels)
        best[name] = oracle(own, points, labels).mean
    return OrdinalityReport(**results, oracle=best, captions=source, clips=len(audio))


def measure_alignment(
    embedded: Embedded,
    style: Style = "bank",
    trials: int = TRIALS,
    pairs: int = PAIRS,
    seed: int = 0,
    jobs: int = 1,
) -> Alignment:
    """The alignment test (paper section 4.2.1) between the utterances and their captions.

    Args:
        embedded: the utterances.
        style: whose captions.
        trials: how many draws.
        pairs: in a trial.
        seed: of the trials' draws.
        jobs: trials side by side.
    """
    audio, text, caption_of, _ = _captioned(embedded, style)
    return alignment(audio, text[caption_of], trials, pairs, seed, jobs)


def measure_retrieval(embedded: Embedded, style: Style = "bank", jobs: int = 1) -> Retrieval:
    """Utterances by their captions and captions by their utterances; by category too where all have one."""
    audio, text, caption_of, table = _captioned(embedded, style)
    known = "emotion" in table.columns and not table["emotion"].null_count()
    return retrieval(audio, text, caption_of, table["emotion"].to_list() if known else None, jobs)


def measure_zero_shot(embedded: Embedded, prompts: Mapping[str, Sequence[str]] = PROMPTS) -> ZeroShotReport:
    """Classification into those categories of the table that have descriptions.

    Args:
        embedded: the utterances.
        prompts: category -> its descriptions, whose mean embedding stands for it.

    Raises:
        EmorankError: there are fewer than two such categories.
    """
    found = counts(embedded.table, "emotion")
    chosen = {name: list(prompts[name]) for name in found if name in prompts}
    if len(chosen) < 2:
        raise EmorankError(
            "Zero-shot classification needs a column emotion with at least two of the categories that are described: "
            f"{', '.join(prompts)}. The table has {', '.join(found) or 'none'}."
        )
    text = embedded.text([description for each in chosen.values() for description in each])
    means = ensembled(text, [len(each) for each in chosen.values()])
    known = embedded.table["emotion"].is_in(list(chosen)).fill_null(False)
    table = embedded.table.filter(known)
    similarity = embedded.model.similarity(embedded.embeddings[known.to_numpy()], means)
    return ZeroShotReport(
        zero_shot(similarity, list(chosen), table["emotion"].to_list(), embedded.model.scale),
        chosen,
        {name: count for name, count in found.items() if name not in chosen},
        embedded.table["emotion"].null_count(),
        tuple(table["path"]),
    )


def measure(
    embedded: Embedded,
    tests: Sequence[TestName],
    style: Style = "bank",
    lists: Mapping[str, Sequence[DescriptionList]] | None = None,
    prompts: Mapping[str, Sequence[str]] | None = None,
    trials: int = TRIALS,
    pairs: int = PAIRS,
    jobs: int = 1,
) -> dict[str, Any]:
    """Several tests, as one document for JSON with what it takes to repeat them.

    Args:
        embedded: the utterances.
        tests: which tests.
        style: whose captions alignment and retrieval take.
        lists: of the ordinality test, see `measure_lists`; None takes the bank's.
        prompts: of zero-shot classification; None takes ours.
        trials: of the alignment test.
        pairs: in each of them.
        jobs: threads of alignment and retrieval.
    """
    document: dict[str, Any] = {"about": embedded.about()}
    for test in tests:
        if test == "ordinality":
            report = measure_ordinality(embedded) if lists is None else measure_lists(embedded, lists)
            document[test] = report.as_dict()
        elif test == "alignment":
            document[test] = measure_alignment(embedded, style, trials, pairs, jobs=jobs).as_dict() | {
                "captions": style
            }
        elif test == "retrieval":
            document[test] = measure_retrieval(embedded, style, jobs).as_dict() | {"captions": style}
        else:
            document[test] = measure_zero_shot(embedded, prompts or PROMPTS).as_dict()
    return document


def _captioned(embedded: Embedded, style: Style) -> tuple[np.ndarray, np.ndarray, np.ndarray, pl.DataFrame]:
    """Embeddings of the utterances with a caption, of the different captions, whose is which, and the rows.

    Raises:
        EmorankError: fewer than 4 utterances have one.
    """
    missing = [name for name in LABELS if style == "bank" and name not in embedded.table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; captions of style 'bank' need it.")
    captions = paired(embedded.table, style)
    have = np.array([caption is not None for caption in captions], bool)
    if have.sum() < FEWEST:
        raise EmorankError(
            f"{have.sum()} of {len(have)} utterances have a caption of style {style!r}; at least {FEWEST} are needed."
        )
    row: dict[str, int] = {}
    caption_of = np.array([row.setdefault(caption, len(row)) for caption in captions if caption is not None])
    return embedded.embeddings[have], embedded.text(list(row)), caption_of, embedded.table.filter(pl.Series(have))
