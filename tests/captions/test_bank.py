"""The bank: complete, clean, and its splits are strangers to each other."""

import re
from collections import Counter

import numpy as np
import polars as pl
import pytest

from emorank.affect import STEPS
from emorank.captions import bank, bundled
from emorank.captions.bank import Split

SPLITS: list[Split] = ["train", "development", "test"]
LEAST: dict[Split, int] = {"train": 8, "development": 2, "test": 4}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


@pytest.mark.parametrize("split", SPLITS)
def test_every_cell_has_its_captions(split: Split) -> None:
    cells = bundled(split).cells()
    assert set(cells) == {(v, a) for v in STEPS for a in STEPS}
    assert min(map(len, cells.values())) >= LEAST[split]
    dominance = bundled(split).points[:, 2]
    assert dominance.min() >= 1
    assert dominance.max() <= 7


@pytest.mark.parametrize("split", SPLITS)
def test_every_caption_says_how_little_was_foreseen(split: Split) -> None:
    captions = bundled(split)
    known = captions.labels(["unpredictability"])[:, 0]
    assert ((known >= 1) & (known <= 7)).all()
    startled = np.array([bool(re.search(r"startled|astonish|shock", text.lower())) for text in captions.texts])
    routine = np.array([bool(re.search(r"\bbored|routine|monoton|humdrum", text.lower())) for text in captions.texts])
    assert known[startled].mean() > 4.5
    assert known[routine].mean() < 3


def test_labels_come_in_the_order_that_is_asked_for() -> None:
    captions = bundled("development")
    swapped = captions.labels(("dominance", "unpredictability", "valence"))
    np.testing.assert_array_equal(swapped[:, [2, 0]], captions.points[:, [0, 2]])
    np.testing.assert_array_equal(swapped[:, 1], captions.unpredictability)
    with pytest.raises(KeyError, match="unpredictability"):
        bank.Captions(captions.texts, captions.points).labels(["unpredictability"])


@pytest.mark.parametrize("split", SPLITS)
def test_captions_never_give_numbers_or_the_name_of_an_axis(split: Split) -> None:
    for text in bundled(split).texts:
        assert not re.search(r"\d|\"|valence|arousal|dominance|\bscore\b", text, re.IGNORECASE), text
        assert 1 <= len(words(text)) <= 32, text


def test_where_it_is_bad_and_loud_there_are_masters_and_victims() -> None:
    for split in SPLITS:
        points = bundled(split).points
        corner = points[(points[:, 0] <= 2.5) & (points[:, 1] >= 5)]
        assert (corner[:, 2] >= 5).mean() > 0.25
        assert (corner[:, 2] <= 3).mean() > 0.25


def test_no_caption_of_one_split_is_in_another_nor_with_a_word_swapped() -> None:
    """A swap leaves all words but one in place, so two captions that share a pattern with one gap are caught."""
    owner: dict[tuple[str, ...], tuple[Split, str]] = {}
    for split in SPLITS:
        for text in bundled(split).texts:
            tokens = tuple(words(text))
            patterns = [tokens]
            if len(tokens) >= 4:  # short queries share patterns as any two people's would
                patterns += [(*tokens[:i], "*", *tokens[i + 1 :]) for i in range(len(tokens))]
            for pattern in patterns:
                other = owner.setdefault(pattern, (split, text))
                assert other[0] == split, f"{split}: {text!r} is nearly {other[0]}: {other[1]!r}"


def test_captions_are_of_many_shapes() -> None:
    for split in SPLITS:
        texts = bundled(split).texts
        openings = Counter(" ".join(words(text)[:2]) for text in texts)
        assert openings.most_common(1)[0][1] < 0.05 * len(texts)
        lengths = np.array([len(words(text)) for text in texts])
        assert lengths.std() > 1.5


def test_captions_fit_dominance_and_gender_where_that_is_asked_for() -> None:
    power = dict(zip(bundled("train").texts, bundled("train").points[:, 2].tolist(), strict=True))
    women = {"she", "her", "woman"}
    places = [(valence, arousal) for valence in STEPS[:3] for arousal in STEPS[-4:]]  # both masters and victims
    table = pl.DataFrame(places * 60, ["valence", "arousal"], orient="row")
    rows = len(table)
    table = table.with_columns(path=pl.Series(map(str, range(rows))), gender=pl.lit("male"))
    weak, strong = (
        [text or "" for text in bank.assign(table.with_columns(dominance=pl.lit(level)), dominance=True, gender=True)]
        for level in (1.5, 6.5)
    )
    assert max(power[text] for text in weak) < 4 < min(power[text] for text in strong)
    assert not any(women & set(words(text)) for text in weak + strong)
    assert any(women & set(words(text or "")) for text in bank.assign(table))
