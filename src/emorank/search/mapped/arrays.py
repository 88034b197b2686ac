"""Arrays in files, mapped into memory: read where they are looked at, and given back when memory is short."""

import math
import mmap
from pathlib import Path

import numpy as np


def mapped(file: Path, kind: str, shape: tuple[int, ...], scattered: bool = False) -> np.ndarray:
    """The array at the beginning of a file, read-only.

    Args:
        file: may hold more.
        kind: of its numbers, as numpy names it.
        shape: of the array.
        scattered: whether rows of it are read here and there. Else each of them would bring 128 kB along, and where
            memory is short they push out what all searches need.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds less.
    """
    if not all(shape):
        return np.zeros(shape, kind)
    size = math.prod(shape) * np.dtype(kind).itemsize
    with open(file, "rb") as opened:
        memory = mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_READ)
    if scattered and hasattr(mmap, "MADV_RANDOM"):
        memory.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(memory, kind).reshape(shape)


def copied(array: np.ndarray) -> np.ndarray:
    """A copy of a scattered array of `mapped`, read from one end to the other."""
    behind: object = array
    while isinstance(behind, np.ndarray):
        behind = behind.base
    memory = behind.obj if isinstance(behind, memoryview) else None
    if not isinstance(memory, mmap.mmap) or not hasattr(mmap, "MADV_RANDOM"):
        return array.copy()
    memory.madvise(mmap.MADV_SEQUENTIAL)
    try:
        return array.copy()
    finally:
        memory.madvise(mmap.MADV_RANDOM)
