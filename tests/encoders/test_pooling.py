"""Pooling by windows against pooling at once; batches that hold everything and stay within their limit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emorank.encoders.pooling import Moments, batches, pieces_of


@pytest.mark.parametrize("scale", [0.0, 1.0, 300.0])
def test_windows_in_any_order_give_the_statistics_of_the_whole(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    clips = [torch.randn(frames, 5, generator=generator) + 3 for frames in (1, 40, 77)]
    logits = [scale * torch.randn(len(frames), generator=generator) for frames in clips]
    moments = Moments(len(clips) + 1, 5)
    pieces = [(i, part) for i, frames in enumerate(clips) for part in torch.arange(len(frames)).tensor_split(4)]
    for index in np.random.default_rng(0).permutation(len(pieces)):
        clip, part = pieces[index]
        if len(part):
            moments.add(clip, clips[clip][part].numpy(), logits[clip][part].numpy())
    mean, std = moments.mean_std()
    for i, (frames, weights) in enumerate(zip(clips, logits, strict=True)):
        alpha = weights.double().softmax(0)[:, None]
        expected = (alpha * frames).sum(0)
        variance = (alpha * (frames - expected) ** 2).sum(0).clamp(min=1e-5)
        np.testing.assert_allclose(mean[i], expected.numpy(), rtol=1e-5)
        np.testing.assert_allclose(std[i], variance.sqrt().numpy(), rtol=1e-4)
    assert not mean[-1].any()  # nothing came of the last clip


def test_without_logits_all_frames_count_alike() -> None:
    frames = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    moments = Moments(1, 4)
    for part in (frames[10:], frames[:10]):
        moments.add(0, part.numpy())
    mean, std = moments.mean_std()
    np.testing.assert_allclose(mean[0], frames.mean(0).numpy(), atol=1e-6)
    np.testing.assert_allclose(std[0], frames.std(0, correction=0).numpy(), atol=1e-6)


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 120), st.booleans())
def test_batches_hold_everything_once_within_the_limit(lengths: list[int], limit: int, equal: bool) -> None:
    pieces = [(i, np.zeros(length)) for i, length in enumerate(lengths)]
    made = list(batches(pieces, lambda samples: samples // 10 + 1, limit, equal))
    assert sorted(clip for batch in made for clip, _ in batch) == list(range(len(lengths)))
    for batch in made:
        frames = [len(samples) // 10 + 1 for _, samples in batch]
        assert len(batch) == 1 or max(frames) * len(batch) <= limit
        assert not equal or len(set(frames)) == 1


@given(st.integers(0, 1000), st.integers(1, 300))
def test_pieces_are_equal_and_short_enough(samples: int, longest: int) -> None:
    wave = np.arange(samples)
    clips, pieces = zip(*pieces_of([wave, wave], longest), strict=True)
    assert list(clips) == [0] * (len(pieces) // 2) + [1] * (len(pieces) // 2)
    sizes = {len(piece) for piece in pieces}
    assert max(sizes) <= longest
    assert max(sizes) - min(sizes) <= 1
    np.testing.assert_array_equal(np.concatenate(pieces), [*wave, *wave])
