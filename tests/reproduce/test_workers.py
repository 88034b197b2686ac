"""Processes side by side."""

import os

import pytest

pytest.importorskip("torch")

from emorank.errors import EmorankError
from emorank.reproduce.workers import side_by_side


def test_answers_come_in_the_order_of_the_items() -> None:
    finished: list[int] = []
    with side_by_side(2) as run:
        assert run(abs, [-3, 2, -1], finished.append) == [3, 2, 1]
    assert sorted(finished) == [-3, -1, 2]


def test_a_worker_that_is_killed_is_one_sentence() -> None:
    with pytest.raises(EmorankError, match="for want of memory; try fewer jobs"), side_by_side(1) as run:
        run(os._exit, [9], print)
