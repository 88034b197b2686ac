"""An utterance table -> the parts that a training run learns from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from emorank.affect import DIMENSIONS
from emorank.captions import Captions, bundled, paired
from emorank.captions.bank import Split
from emorank.encoders import audio_encoder, text_encoder
from emorank.errors import AudioError, EmorankError
from emorank.listening.store import recordings, texts
from emorank.training.config import TrainConfig
from emorank.training.data import Part, Side
from emorank.types import Progress

_SPLITS: tuple[Split, ...] = ("train", "development")
_WHENCE = {
    "plane": "emorank bank, train and development parts",
    "bank": "emorank bank, by valence and arousal",
    "template": "template with the category",
    "clap4emo": "bundled CLAP4Emo captions of the category",
    "paraclap": "acoustic properties by Praat beside the category",
    "column": "the table's own",
}
_COPIES = 4  # of an utterance of a small corpus
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
        uncaptioned: how many have no caption of the kind that was asked for.
    """

    train: Part
    development: Part
    table: pl.DataFrame
    broken: tuple[AudioError, ...]
    unlabelled: int
    uncaptioned: int
    captions: str

    def about(self) -> dict[str, Any]:
        """What a model card has to say of the data: sizes by corpus and split, and where the labels come from."""
        columns = [name for name in ("corpus", "split", "label_source") if name in self.table.columns]
        counts = self.table.group_by(columns).len("utterances").sort(columns)
        return {"utterances": counts.to_dicts(), "captions": self.captions}


def prepare(
    table: pl.DataFrame, config: TrainConfig, progress: Progress | None = None, window: float | None = None
) -> Prepared:
    """Encode what is not known yet and put both sides together.

    Args:
        table: utterances with `path`, the dimensions of the config, and `split` (train, development, others are left
            out). Without `split`, about 15 % of the speakers become development data.
        config: the encoders and the dimensions.
        progress: called with recordings done and to do.
        window: seconds that recordings are cropped or zero-padded to; None hears them whole.

    Raises:
        EmorankError: a dimension is missing, or nothing is left to train or to develop on.
    """
    if config.captions == "plane" and config.loss != "rank_n_contrast":
        raise EmorankError(
            f"The loss {config.loss} needs a caption for every utterance; choose captions other than plane."
        )
    missing = [name for name in config.dimensions if name not in table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; it is needed for every utterance.")
    table = table if "split" in table.columns else table.with_columns(split_by_speaker(table))
    table = table.filter(pl.col("split").is_in(["train", "development"]))
    labelled = table.drop_nulls(list(config.dimensions))
    encoder = audio_encoder(config.audio_encoder)
    features, errors = recordings(labelled["path"].to_list(), encoder, progress=progress, window=window)
    good = np.array([error is None for error in errors], bool)
    usable = labelled.filter(pl.Series(good, dtype=pl.Boolean))
    features = features[good]
    captions = captions_for(usable, config, progress)
    captioned = np.array([caption is not None for caption in captions], bool)
    parts = {}
    for split in _SPLITS:
        chosen = (usable["split"] == split).to_numpy() & captioned
        if not chosen.any():
            raise EmorankError(
                f"The table has no utterance with split {split!r} that has its labels and a caption and can be read."
            )
        index = np.flatnonzero(chosen)
        if config.balance and split == "train":
            index = np.repeat(index, copies(usable[index]))
        own = [captions[i] or "" for i in index]
        parts[split] = _part(usable[index], features[index], own, split, config)
    return Prepared(
        parts["train"],
        parts["development"],
        usable.filter(pl.Series(captioned)),
        tuple(error for error in errors if error is not None),
        len(table) - len(labelled),
        int((~captioned).sum()),
        _WHENCE[config.captions],
    )


def captions_for(table: pl.DataFrame, config: TrainConfig, progress: Progress | None = None) -> list[str | None]:
    """The caption of every utterance; with `plane` they have none of their own, and it is empty."""
    if config.captions == "plane":
        return [""] * len(table)
    return paired(table, config.captions, progress)


def _part(rows: pl.DataFrame, features: np.ndarray, own: list[str], split: Split, config: TrainConfig) -> Part:
    """The utterances of a split and their captions, or the bank's from all over the plane."""
    labels = rows.select(config.dimensions).to_numpy()
    if config.captions == "plane":
        return Part(Side.of(features, labels), caption_side(bundled(split), config))
    category = _categories(rows) if config.loss == "supervised_contrastive" else None
    text = texts(own, text_encoder(config.text_encoder))
    return Part(Side.of(features, labels, category), Side.of(text, labels, category), paired=True)


def copies(rows: pl.DataFrame) -> np.ndarray:
    """How often every utterance is taken, so that smaller corpora come near the largest: (n,) 1 .. 4."""
    if "corpus" not in rows.columns:
        return np.ones(len(rows), np.int64)
    sizes = rows.select(pl.len().over("corpus")).to_series().to_numpy()
    result: np.ndarray = np.clip(np.round(sizes.max() / sizes), 1, _COPIES).astype(np.int64)
    return result


def caption_side(captions: Captions, config: TrainConfig) -> Side:
    """Captions as the text side of a part, with the dimensions of the config."""
    columns = [DIMENSIONS.index(name) for name in config.dimensions]
    return Side.of(texts(captions.texts, text_encoder(config.text_encoder)), captions.points[:, columns])


def _categories(rows: pl.DataFrame) -> np.ndarray:
    """(n,) ids of the categories, in the order of their names."""
    if "emotion" not in rows.columns or rows["emotion"].null_count():
        raise EmorankError("The supervised contrastive loss needs the column emotion for every utterance.")
    names = sorted(rows["emotion"].unique())
    return rows["emotion"].replace_strict(names, range(len(names))).to_numpy()


def split_by_speaker(table: pl.DataFrame) -> pl.Series:
    """A split for a table without one: a speaker (or, unknown, a recording) is in one part, the same in every run."""
    speakers = table["speaker"] if "speaker" in table.columns else pl.Series([None] * len(table), dtype=pl.String)
    names = [speaker if speaker is not None else path for speaker, path in zip(speakers, table["path"], strict=True)]
    ranks = {name: hashlib.sha256(name.encode("utf8", "surrogateescape")).hexdigest() for name in names}
    held = set(sorted(ranks, key=lambda name: ranks[name])[: max(1, round(_HELD_OUT * len(ranks)))])
    return pl.Series("split", ["development" if name in held else "train" for name in names])
