"""Labels that are no numbers are counted and placed."""

import pytest
import torch

from emorank.losses import RankNContrast, Targets
from emorank.losses.targets import not_finite


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("side", ["audio", "text"])
def test_a_label_that_is_no_number_is_named(wrong: float, side: str) -> None:
    labels, others = torch.full((6, 3), 4.0), torch.full((4, 3), 4.0)
    labels[2, 1] = labels[5, 0] = labels[5, 2] = wrong
    pair = (labels, others) if side == "audio" else (others, labels)
    sentence = f"{side} labels: 2 of 6 rows hold NaN or infinity, the first is row 2, column 1"
    with pytest.raises(ValueError, match=sentence):
        RankNContrast()(torch.randn(len(pair[0]), 5), torch.randn(len(pair[1]), 5), Targets(*pair), 1.0)


def test_infinities_that_cancel_are_found_and_large_numbers_are_not() -> None:
    assert not_finite(torch.tensor([[torch.inf, -torch.inf]])).startswith("1 of 1 rows")
    assert not not_finite(torch.full((4, 2), 3e38))  # their sum is infinite
    assert not not_finite(torch.zeros(0, 2))
    assert not not_finite(torch.arange(6).reshape(3, 2))
