"""An utterance table -> the splits that a training run learns from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import torch

from emorank.affect import CATEGORIES, UNPREDICTABILITY, unpredictability
from emorank.captions import Captions, bundled, paired
from emorank.captions.bank import Split as BankSplit
from emorank.corpora.agreement import with_agreement, with_categories
from emorank.encoders import audio_encoder, text_encoder
from emorank.errors import AudioError, EmorankError
from emorank.listening.store import features as features_of
from emorank.listening.store import text_features
from emorank.training.config import TrainConfig
from emorank.training.damaged import Damaged, Voices
from emorank.training.dataset import Modality, Split
from emorank.training.unfrozen import require_whisper
from emorank.types import Array, Progress

_SPLITS: tuple[BankSplit, ...] = ("train", "development")
_CAPTIONS = {
    "plane": "emorank bank, train and development parts",
    "bank": "emorank bank, by valence and arousal",
    "template": "template with the category",
    "clap4emo": "bundled CLAP4Emo captions of the category",
    "paraclap": "acoustic properties by Praat beside the category",
    "column": "the table's own",
}
_SOURCE = "unpredictability_source"
_COPIES = 4  # of an utterance of a small corpus
_HELD_OUT = 0.15  # share of the speakers that become development data where a table has no split


@dataclass(frozen=True)
class Prepared:
    """What there is to learn from.

    Args:
        train: utterances and captions to learn from.
        development: utterances and captions that choose the epoch.
        table: the utterances of both that are learnt from, with their split.
        broken: recordings that could not be read.
        left_out: how many other utterances are not learnt from, by the reason, which ends a sentence: "lack ...".
        renamed: names of categories that were synonyms -> what they are called now.
        captions: where the captions come from.
        unheard: damaged copies of recordings that could not be heard; the recordings stand in as they are.
    """

    train: Split
    development: Split
    table: pl.DataFrame
    broken: tuple[AudioError, ...]
    left_out: dict[str, int]
    renamed: dict[str, str]
    captions: str
    unheard: int = 0

    @property
    def derived(self) -> int:
        """How many utterances have their unpredictability by their category alone."""
        return int((self.table[_SOURCE] == "derived").sum()) if _SOURCE in self.table.columns else 0

    def about(self) -> dict[str, Any]:
        """What a model card has to say of the data: sizes by corpus and split, and where the labels come from."""
        columns = [name for name in ("corpus", "split", "label_source", _SOURCE) if name in self.table.columns]
        counts = self.table.group_by(columns).len("utterances").sort(columns)
        return {"utterances": counts.to_dicts(), "captions": self.captions}


def prepare(
    table: pl.DataFrame, config: TrainConfig, progress: Progress | None = None, window: float | None = None
) -> Prepared:
    """Encode what is not known yet and put both modalities together.

    Args:
        table: utterances with `path`, the labels that the config needs, and `split` (train, development, others are
            not looked at). Without `split`, about 15 % of the speakers become development data.
        config: the encoders, the dimensions and the captions.
        progress: called with recordings done and to do.
        window: seconds that recordings are cropped or zero-padded to; None hears them whole.

    Raises:
        EmorankError: a column is missing, nothing is left to train or to develop on, or the encoder is to be trained
            and cannot.
    """
    if config.unfreeze:
        require_whisper(config.audio_encoder, config.unfreeze)
    table = table if "split" in table.columns else table.with_columns(split_by_speaker(table))
    table, renamed = with_categories(table.filter(pl.col("split").is_in(_SPLITS)))
    table = _with_derived(table, config)
    missing = [name for name in config.label_columns if name not in table.columns]
    if missing:
        derived = "" if missing != [UNPREDICTABILITY] else ", or emotion, which it is derived from"
        raise EmorankError(f"The table has no column {', '.join(missing)}{derived}; it is needed for every utterance.")
    used = _usable(table, config, progress, window)
    splits, unheard = {}, 0
    for split in _SPLITS:
        index = np.flatnonzero((used.table["split"] == split).to_numpy())
        if config.balance and split == "train":
            index = np.repeat(index, copies(used.table[index]))
        rows, captions = used.table[index], [used.captions[i] for i in index]
        splits[split] = split_of(rows, used.features[index], captions, split, config)
        if not config.mix and split == "train":
            splits[split] = replace(splits[split], groups=groups(rows, config.batch_size))
        if config.augment and split == "train":
            heard, unheard = damaged_features(rows, used.features[index], config, progress, window)
            splits[split] = replace(splits[split], damaged=torch.from_numpy(heard))
    where = _CAPTIONS[config.captions]
    told = used.broken, used.left_out, renamed, where, unheard
    return Prepared(splits["train"], splits["development"], used.table, *told)


def _with_derived(table: pl.DataFrame, config: TrainConfig) -> pl.DataFrame:
    """The table with unpredictability by `emorank.affect.unpredictability` where it is asked for and not stated.

    The column `_SOURCE` says of every utterance whether it is stated or derived. An utterance that states none and has
    none of the categories that are known has none.
    """
    if UNPREDICTABILITY not in config.dimensions or "emotion" not in table.columns:
        return table
    numbers = {category: unpredictability(category) for category in CATEGORIES}
    derived = pl.col("emotion").replace_strict(numbers, default=None, return_dtype=pl.Float64)
    nothing = pl.lit(None, dtype=pl.Float64)
    stated = pl.col(UNPREDICTABILITY).cast(pl.Float64).fill_nan(None) if UNPREDICTABILITY in table.columns else nothing
    source = pl.when(stated.is_null()).then(pl.lit("derived")).otherwise(pl.lit("stated"))
    return table.with_columns(pl.coalesce(stated, derived).alias(UNPREDICTABILITY), source.alias(_SOURCE))


@dataclass(frozen=True)
class _Usable:
    """Utterances that can be learnt from, with (n, encoder_dim) features and n captions, and what was left out."""

    table: pl.DataFrame
    features: Array
    captions: list[str]
    broken: tuple[AudioError, ...]
    left_out: dict[str, int]


def _usable(table: pl.DataFrame, config: TrainConfig, progress: Progress | None, window: float | None) -> _Usable:
    """The one place where utterances are left out. Another reason is another step here, with its count."""
    left_out: dict[str, int] = {}

    table, left_out["are of the classes other or no agreement"] = with_agreement(table)

    count, columns = len(table), config.label_columns
    table = table.filter(pl.all_horizontal(pl.col(name).is_not_null() & ~pl.col(name).is_nan() for name in columns))
    left_out[f"lack a label in {', '.join(columns)}"] = count - len(table)
    _require_both_splits(table)  # before hours of encoding

    encoder = audio_encoder(config.audio_encoder)
    features, errors = features_of(table["path"].to_list(), encoder, progress=progress, window=window)
    for row in np.flatnonzero(~np.isfinite(features).all(axis=1)):
        errors[row] = AudioError(table["path"][int(row)], f"{config.audio_encoder} gives NaN or infinity for it.")
    broken = tuple(error for error in errors if error is not None)
    good = np.array([error is None for error in errors], bool)
    table, features = table.filter(good), features[good]
    _require_both_splits(table, broken)

    captions = [""] * len(table) if config.captions == "plane" else paired(table, config.captions, progress)
    captioned = np.array([caption is not None for caption in captions], bool)
    table, features = table.filter(captioned), features[captioned]
    left_out[f"have no caption of the kind {config.captions}"] = int((~captioned).sum())
    _require_both_splits(table, broken)

    return _Usable(table, features, [caption for caption in captions if caption is not None], broken, left_out)


def _require_both_splits(table: pl.DataFrame, broken: Sequence[AudioError] = ()) -> None:
    for split in _SPLITS:
        if not (table["split"] == split).any():
            sentence = (
                f"The table has no utterance with split {split!r} that has its labels and a caption and can be read"
            )
            raise EmorankError(f"{sentence} ({len(broken)} cannot; {broken[0]})" if broken else f"{sentence}.")


def split_of(rows: pl.DataFrame, features: Array, own: list[str], split: BankSplit, config: TrainConfig) -> Split:
    """The utterances of a split and their captions, or the bank's from all over the plane."""
    labels = rows.select(config.dimensions).to_numpy()
    paths = rows["path"].to_list() if config.unfreeze else None
    if config.captions == "plane":
        return Split(Modality.of(features, labels, None, paths), from_plane(bundled(split), config))
    category = _categories(rows) if config.loss == "supervised_contrastive" else None
    text = text_features(own, text_encoder(config.text_encoder))
    return Split(Modality.of(features, labels, category, paths), Modality.of(text, labels, category), paired=True)


def damaged_features(
    rows: pl.DataFrame, features: Array, config: TrainConfig, progress: Progress | None, window: float | None
) -> tuple[Array, int]:
    """What the encoder gives for damaged copies of utterances; those of a corpus talk in each other's background.

    Args:
        rows: n utterances; some may be there more than once.
        features: (n, encoder_dim) as they are, which stands in where a copy cannot be heard.
        config: the encoder, and how many copies.
        progress: see `prepare`.
        window: see `prepare`.

    Returns:
        (copies, n, encoder_dim) float32, and how many copies of recordings could not be heard.
    """
    encoder, unheard = audio_encoder(config.audio_encoder), 0
    result = np.repeat(features[None], config.augment, axis=0)
    corpora = rows["corpus"] if "corpus" in rows.columns else pl.repeat("", len(rows), eager=True)
    for corpus in corpora.unique(maintain_order=True):
        index = np.flatnonzero((corpora.eq_missing(corpus)).to_numpy())
        paths = rows["path"].gather(index).to_list()
        voices = Voices.of(paths)
        for copy in range(config.augment):
            found, errors = features_of(paths, Damaged(encoder, copy, voices), progress=progress, window=window)
            good = np.array([error is None for error in errors], bool) & np.isfinite(found).all(axis=1)
            result[copy, index[good]] = found[good]
            unheard += len({path for path, heard in zip(paths, good.tolist(), strict=True) if not heard})
    return result, unheard


def copies(rows: pl.DataFrame) -> np.ndarray:
    """How often every utterance is taken, so that smaller corpora come near the largest: (n,) 1 .. 4."""
    if "corpus" not in rows.columns:
        return np.ones(len(rows), np.int64)
    sizes = rows.select(pl.len().over("corpus")).to_series().to_numpy()
    result: np.ndarray = np.clip(np.round(sizes.max() / sizes), 1, _COPIES).astype(np.int64)
    return result


def groups(rows: pl.DataFrame, batch_size: int) -> torch.Tensor | None:
    """Which utterances share a batch: those of a corpus, and all of corpora that would not fill one.

    Args:
        rows: n utterances.
        batch_size: of the training.

    Returns:
        (n,) numbers; None where all share batches.
    """
    if "corpus" not in rows.columns:
        return None
    sizes = rows.select(pl.len().over("corpus")).to_series().to_numpy()
    corpora = np.where(sizes < batch_size, "", rows["corpus"].fill_null("").to_numpy())
    names, numbers = np.unique(corpora.astype(str), return_inverse=True)
    return torch.from_numpy(numbers) if len(names) > 1 else None


def from_plane(captions: Captions, config: TrainConfig) -> Modality:
    """Captions with their own points, in the dimensions of the config."""
    features = text_features(captions.texts, text_encoder(config.text_encoder))
    return Modality.of(features, captions.labels(config.dimensions))


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
