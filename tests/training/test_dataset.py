"""Batches: every utterance once, drawn alike whoever asks, and no number that is none."""

import dataclasses

import numpy as np
import pytest
import torch

from emorank.errors import EmorankError
from emorank.training.dataset import Batch, Modality, Split, draw, seed_of
from emorank.training.processes import ALONE, Processes
from tests.training.synthetic import split


def batches(data: Split, epoch: int = 0, size: int = 16, processes: Processes = ALONE) -> list[Batch]:
    return list(draw(data, size, 20, seed=3, epoch=epoch, processes=processes))


@pytest.mark.parametrize(("clips", "sizes"), [(64, [16] * 4), (65, [13] * 5), (5, [5]), (33, [11] * 3), (17, [9, 8])])
def test_every_utterance_once_an_epoch_in_batches_as_equal_as_can_be(clips: int, sizes: list[int]) -> None:
    data = split(0, clips=clips)
    drawn = batches(data)
    assert [len(batch.audio) for batch in drawn] == sizes
    seen = torch.cat([batch.audio for batch in drawn])
    assert torch.equal(seen.sort(0).values, data.audio.features.sort(0).values)
    for batch in drawn:
        assert len(batch.text) == len(batch.targets.text_labels) == 20
        assert batch.shape == (len(batch.audio), 20)


@pytest.mark.parametrize("sizes", [(40, 9, 16), (5, 1), (30,)])
def test_groups_share_no_batch(sizes: tuple[int, ...]) -> None:
    mixed = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(0))
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[mixed]
    data = dataclasses.replace(split(0, clips=sum(sizes)), groups=groups)
    drawn = batches(data)
    seen = torch.cat([batch.audio for batch in drawn])
    assert torch.equal(seen.sort(0).values, data.audio.features.sort(0).values)
    of = {tuple(row.tolist()): int(group) for row, group in zip(data.audio.features, groups, strict=True)}
    inside = [{of[tuple(row.tolist())] for row in batch.audio} for batch in drawn]
    assert all(len(each) == 1 for each in inside)
    assert len(drawn) == sum(-(-size // 16) for size in sizes)
    again, other = batches(data), batches(data, epoch=1)
    assert all(torch.equal(a.audio, b.audio) for a, b in zip(drawn, again, strict=True))
    assert not torch.equal(drawn[0].text, other[0].text)


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    data = split(0, clips=64)
    one, again, other = batches(data), batches(data), batches(data, epoch=1)
    assert all(torch.equal(a.text, b.text) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[0].audio, other[0].audio)
    assert not torch.equal(one[0].text, one[1].text)
    many = {seed_of(seed, epoch, step) for seed in (0, 1, 2**62) for epoch in (-1, 0, 1) for step in range(100)}
    assert len(many) == 900
    assert max(many) < 2**32


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_shares_of_several_processes_are_the_batches_of_one(paired: bool, count: int) -> None:
    data = split(0, clips=35, paired=paired)
    if count == 3:
        data = dataclasses.replace(data, groups=torch.arange(35) % 2)
    whole = batches(data, size=6)
    shares = [batches(data, size=6, processes=Processes(rank, count)) for rank in range(count)]
    for batch, *parts in zip(whole, *shares, strict=True):
        for mine, theirs in (
            (batch.audio, [part.audio for part in parts]),
            (batch.text, [part.text for part in parts]),
            (batch.targets.audio_labels, [part.targets.audio_labels for part in parts]),
            (batch.targets.text_labels, [part.targets.text_labels for part in parts]),
        ):
            assert torch.equal(mine, torch.cat(theirs))
        assert {part.shape for part in parts} == {batch.shape}
        assert not paired or all(len(part.audio) == len(part.text) for part in parts)


@pytest.mark.parametrize("count", [1, 3])
def test_half_of_the_utterances_are_drawn_as_one_of_their_damaged_copies(count: int) -> None:
    clean = split(0, clips=400)
    copies = torch.stack([clean.audio.features + 100 * copy for copy in (1, 2)])
    data = dataclasses.replace(clean, damaged=copies)
    drawn = batches(data, size=50)
    seen = torch.cat([batch.audio for batch in drawn])
    versions = (seen.mean(1) / 100).round()
    shares = [float((versions == version).float().mean()) for version in (0, 1, 2)]
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.25], atol=0.08)
    own = torch.cdist(seen - 100 * versions[:, None], clean.audio.features).argmin(1)
    assert torch.equal(clean.audio.labels[own], torch.cat([batch.targets.audio_labels for batch in drawn]))
    shares_of = [batches(data, size=50, processes=Processes(rank, count)) for rank in range(count)]
    for whole, *parts in zip(drawn, *shares_of, strict=True):
        assert torch.equal(whole.audio, torch.cat([part.audio for part in parts]))


def test_a_copy_that_is_not_finite_is_refused() -> None:
    copies = torch.zeros(2, 20, 24)
    copies[1, 3, 3] = torch.nan
    with pytest.raises(EmorankError, match="from these damaged copies: 1 of 40"):
        dataclasses.replace(split(0, clips=20), damaged=copies)


def test_numbers_that_are_none_are_counted_and_placed() -> None:
    features, labels = np.ones((5, 3)), np.full((5, 2), 4.0)
    features[2, 1], features[4, 0], features[4, 2] = np.nan, np.inf, -np.inf
    with pytest.raises(
        EmorankError, match="these features: 2 of 5 rows hold NaN or infinity, the first is row 2, column 1"
    ):
        Modality.of(features, labels)
    labels[3, 0] = np.nan
    with pytest.raises(
        EmorankError, match="these labels: 1 of 5 rows hold NaN or infinity, the first is row 3, column 0"
    ):
        Modality.of(np.ones((5, 3)), labels)
    assert len(Modality.of(np.full((5, 3), 3e38), np.full((5, 2), 4.0))) == 5  # large is not infinite
