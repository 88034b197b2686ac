"""Types that every floor shares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[int, int], None]  # done, to do
Listening = Callable[[int, int, int], None]  # done, to do, and of those done how many were skipped


@dataclass(frozen=True)
class SoFar:
    """How far listening has come.

    Args:
        done: recordings that are in the index, or cannot be.
        total: recordings to do.
        skipped: of those done, how many cannot be searched.
        seconds: of audio that were heard; nothing of what was skipped, or known by its content.
        part: of what has to be heard, 0 to 1 by size.
    """

    done: int
    total: int
    skipped: int
    seconds: float
    part: float


Hearing = Callable[[SoFar], None]
