"""Utterance tables -> clips to tune on, and clips to look at."""

from collections.abc import Sequence

import polars as pl
import torch

from emorank import audio
from emorank.affect import CATEGORIES, DIMENSIONS
from emorank.errors import AudioError, EmorankError
from emorank.training.lossy import KINDS, lossy
from emorank.tuning.sounds import Sounds
from emorank.tuning.speech import Speech
from emorank.types import Array

_NEEDED = ("path", "corpus", "emotion", *DIMENSIONS)


def speech_of(table: pl.DataFrame, from_lossy: bool = False) -> tuple[Speech, list[AudioError]]:
    """The clips of a table, decoded.

    Args:
        table: utterances with path, corpus, emotion (one of `emorank.affect.CATEGORIES`) and the three dimensions.
        from_lossy: with every clip a second time as it comes out of a small file.

    Returns:
        The clips that can be read, and why the others cannot.

    Raises:
        EmorankError: a column is missing, an emotion is none of the categories, or no recording can be read.
    """
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing or table.is_empty():
        raise EmorankError(f"Nothing can be tuned on: {', '.join(missing) or 'every utterance'} is missing.")
    strange = sorted(set(table["emotion"]) - set(CATEGORIES))
    if strange:
        raise EmorankError(f"Nothing can be tuned on {', '.join(map(str, strange))}; emotions are {CATEGORIES}.")
    heard = [_heard(path) for path in table["path"]]
    waves = [wave for wave in heard if not isinstance(wave, AudioError)]
    broken = [error for error in heard if isinstance(error, AudioError)]
    if not waves:
        raise EmorankError(f"Nothing can be tuned on: none of {len(broken)} recordings can be read ({broken[0]})")
    table = table.filter(pl.Series([not isinstance(wave, AudioError) for wave in heard]))
    if from_lossy:
        waves += [lossy(wave, index % len(KINDS)) for index, wave in enumerate(waves)]
    category = torch.tensor([CATEGORIES.index(name) for name in table["emotion"]])
    corpora = sorted(set(table["corpus"]))
    corpus = torch.tensor([corpora.index(name) for name in table["corpus"]])
    possible = torch.zeros(len(corpora), len(CATEGORIES), dtype=torch.bool)
    possible[corpus, category] = True
    labels = torch.from_numpy(table.select(DIMENSIONS).to_numpy()).float()
    return Speech(Sounds.of(waves), labels, category, corpus, possible), broken


def _heard(path: str) -> Array | AudioError:
    try:
        return audio.load(path)
    except AudioError as error:
        return error


def development(table: pl.DataFrame, corpora: Sequence[str]) -> tuple[dict[str, Speech], list[AudioError]]:
    """The development speakers of some corpora, who choose the step, each corpus counts alike; and what is broken."""
    groups: dict[str, Speech] = {}
    broken: list[AudioError] = []
    for corpus in corpora:
        chosen = table.filter(corpus=corpus, split="development")
        if len(chosen):
            groups[f"development {corpus}"], errors = speech_of(chosen)
            broken += errors
    return groups, broken
