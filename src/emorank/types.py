"""Types that every floor shares."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[int, int], None]  # done, to do
Listening = Callable[[int, int, int], None]  # done, to do, and of those done how many were skipped
