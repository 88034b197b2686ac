"""Batches side by side give what they give one after the other, and leave the number of threads as it was."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from emorank.encoders import audio_encoder
from emorank.encoders.cores import cores_of, side_by_side


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_order_is_kept(count: int, cores: int) -> None:
    assert list(side_by_side(lambda number: number * number, list(range(count)), cores)) == [
        n * n for n in range(count)
    ]
    assert torch.get_num_threads() == 3


def test_each_computes_alone_and_few_results_wait() -> None:
    threads: list[int] = []
    begun: list[int] = []

    def compute(number: int) -> int:
        begun.append(number)
        threads.append(torch.get_num_threads())
        return number

    results = side_by_side(compute, list(range(50)), 3)
    assert next(results) == 0
    assert len(begun) <= 5
    assert list(results) == list(range(1, 50))
    assert set(threads) == {1}


def test_an_error_ends_it_and_the_rest_is_not_computed() -> None:
    begun: list[int] = []

    def compute(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("the third")
        return number

    with pytest.raises(ValueError, match="the third"):
        list(side_by_side(compute, list(range(100)), 3))
    assert len(begun) < 10
    assert torch.get_num_threads() == 3


def test_a_thread_that_begins_later_may_use_all_cores() -> None:
    list(side_by_side(lambda _: torch.get_num_threads(), [0, 1, 2, 3], 3))
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [3]


def test_clips_are_the_same_on_any_number_of_cores(tiny_whisper: str) -> None:
    rng = np.random.default_rng(0)
    waves = [rng.normal(0, 0.1, int(16_000 * seconds)).astype(np.float32) for seconds in (35, 0.3, 8, 8, 21, 1, 12)]
    assert cores_of(torch.device("cpu")) == 3
    several = audio_encoder(tiny_whisper)(waves)
    torch.set_num_threads(1)
    alone = audio_encoder(tiny_whisper)(waves)
    np.testing.assert_allclose(several, alone, atol=2e-5)
