"""A simulated MSP-Podcast: what the paper's corpus has and open corpora lack, places that are continuous and rated.

Nobody speaks in it. Every utterance has a place on the plane, which five noisy raters hear; the label is their mean,
the category their vote. What an audio encoder would give is a fixed random network of a muffled place, the speaker and
noise. So it can show what the losses make of such labels, and nothing about speech.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from emorank.affect import HIGHEST, LOWEST, NEUTRAL, point
from emorank.captions import paired
from emorank.corpora.agreement import NO_AGREEMENT, with_agreement
from emorank.evaluation.embedded import Embedded
from emorank.model import EmotionRankCLAP
from emorank.reproduce.sources import same_data
from emorank.training.config import TrainConfig
from emorank.training.prepare import Prepared, split_of
from emorank.types import Array

ENCODER = "simulated"  # the name that its models give for their audio encoder
FULL = {"train": 90_022, "development": 25_258, "test": 34_963}  # utterances of the paper's splits
#: Category -> its share of the utterances, roughly as in spontaneous speech.
SHARES = {
    "neutral": 0.36,
    "happiness": 0.24,
    "anger": 0.11,
    "sadness": 0.10,
    "surprise": 0.06,
    "contempt": 0.05,
    "disgust": 0.05,
    "fear": 0.03,
}
RATERS = 5
AGREEMENT = 0.6  # chance that a rater names the category that was meant; else one by its share
SPREAD = 1.2  # standard deviation of the places, in points of the scale
MUFFLED = 0.8  # standard deviation of what the encoder adds to the place, in those of the places
UTTERANCES_A_SPEAKER = 60
SPEAKER_DIM, NOISE_DIM, HIDDEN, DIM = 8, 16, 256, 256


@dataclass(frozen=True)
class World:
    """One simulated corpus.

    Args:
        noise: standard deviation of one rater's answer, in points of the scale from 1 to 7.
        telling: share of the places' variance that lies between the categories: 0, a category says nothing of the
            place; 1, all utterances of a category have one place, as where labels are derived from categories.
        utterances: in the split train; the others are in proportion to the paper's.
        seed: of everything. Worlds that differ in noise or telling alone share all draws.
    """

    noise: float = 1.0
    telling: float = 0.4
    utterances: int = FULL["train"]
    seed: int = 0

    def prepared(self, config: TrainConfig) -> Prepared:
        """What there is to learn from, see `emorank.reproduce.sources.Source`."""
        return _prepared(self, same_data(config))

    def embedded(self, model: EmotionRankCLAP, split: str) -> Embedded:
        """A split as a model embeds it."""
        table, features, no_agreement = _agreed(self)
        rows = (table["split"] == split).to_numpy()
        return _Embedded(model, table.filter(rows), model.audio(features[rows]), split, (), no_agreement, {})


class _Embedded(Embedded):
    """The same without what there is to say of a real encoder."""

    def about(self) -> dict[str, object]:
        return {"clips": len(self.table), "label_source": "simulated", "no_agreement": self.no_agreement}


def simulate(world: World) -> tuple[pl.DataFrame, Array]:
    """The utterances, and (n, 256) what an encoder gives for them.

    The table has path, split, speaker, valence, arousal (means of the ratings), emotion, label_source, and as
    `true_valence` and `true_arousal` the places that were meant.
    """
    scale = world.utterances / FULL["train"]
    sizes = {split: max(20, round(count * scale)) for split, count in FULL.items()}
    total = sum(sizes.values())
    which, where, rated, heard, spoken = np.random.default_rng(world.seed).spawn(5)

    names = np.array(list(SHARES))
    meant = which.choice(len(names), total, p=list(SHARES.values()))
    apart, within = _centres()[meant], where.standard_normal((total, 2))
    places = NEUTRAL + SPREAD * (np.sqrt(world.telling) * apart + np.sqrt(1 - world.telling) * within)
    places = np.clip(places, LOWEST, HIGHEST)

    answers = places[:, None] + world.noise * rated.standard_normal((total, RATERS, 2))
    labels = np.clip(np.round(answers), LOWEST, HIGHEST).mean(1)
    others = rated.choice(len(names), (total, RATERS), p=list(SHARES.values()))
    votes = np.where(rated.random((total, RATERS)) < AGREEMENT, meant[:, None], others)

    speakers, begun = np.zeros(total, np.int64), 0
    for end in np.cumsum(list(sizes.values())):  # a speaker is in one split
        first = speakers[:begun].max() + 1 if begun else 0
        speakers[begun:end] = first + spoken.integers(0, max(2, (end - begun) // UTTERANCES_A_SPEAKER), end - begun)
        begun = end
    table = pl.DataFrame(
        {
            "path": [f"simulated/{number:06d}" for number in range(total)],
            "split": np.repeat(list(sizes), list(sizes.values())),
            "speaker": speakers.astype(str),
            **{name: labels[:, column] for column, name in enumerate(("valence", "arousal"))},
            "emotion": elected(votes, names),
            "label_source": ["simulated"] * total,
            **{f"true_{name}": places[:, column] for column, name in enumerate(("valence", "arousal"))},
        }
    )
    return table, _encoded((places - NEUTRAL) / SPREAD, speakers, heard)


def elected(votes: Array, names: Array) -> list[str]:
    """The category that most raters named, of each row of (n, raters); "no agreement" where two are first."""
    counts = (votes[:, :, None] == np.arange(len(names))).sum(1)
    ordered = np.sort(counts, axis=1)
    clear = ordered[:, -1] > ordered[:, -2]
    return [str(names[row.argmax()]) if good else NO_AGREEMENT for row, good in zip(counts, clear, strict=True)]


def _centres() -> Array:
    """(categories, 2) where they lie, with mean 0 and deviation 1 over the utterances."""
    centres = np.array([point(name)[:2] for name in SHARES])
    shares = np.array(list(SHARES.values()))
    centred = centres - shares @ centres
    result: Array = centred / np.sqrt(shares @ centred**2)
    return result


def _encoded(places: Array, speakers: np.ndarray, rng: np.random.Generator) -> Array:
    """A random network of two layers, the same for all utterances."""
    voices = rng.standard_normal((speakers.max() + 1, SPEAKER_DIM))
    muffled = places + MUFFLED * rng.standard_normal(places.shape)
    inputs = np.hstack([muffled, voices[speakers], rng.standard_normal((len(places), NOISE_DIM))]).astype(np.float32)
    for width in (HIDDEN, DIM):
        weights = rng.standard_normal((inputs.shape[1], width)) / np.sqrt(inputs.shape[1])
        inputs = np.tanh(inputs @ weights.astype(np.float32) + 0.3 * rng.standard_normal(width).astype(np.float32))
    result: Array = inputs
    return result


@lru_cache(maxsize=1)
def _agreed(world: World) -> tuple[pl.DataFrame, Array, int]:
    """Without utterances that the raters did not agree on, as in the paper."""
    table, features = simulate(world)
    kept, left_out = with_agreement(table)
    return kept, features[(table["emotion"] != NO_AGREEMENT).to_numpy()], left_out


@lru_cache(maxsize=1)
def _prepared(world: World, config: TrainConfig) -> Prepared:
    table, features, left_out = _agreed(world)
    captions = [""] * len(table) if config.captions == "plane" else paired(table, config.captions)
    splits = {}
    for split in ("train", "development"):
        rows = np.flatnonzero((table["split"] == split).to_numpy())
        own = [captions[row] or "" for row in rows]
        splits[split] = split_of(table[rows], features[rows], own, split, config)
    reasons = {"are of the classes other or no agreement": left_out}
    return Prepared(splits["train"], splits["development"], table, (), reasons, {}, config.captions)
