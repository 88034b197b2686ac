"""Checksums of rows: what is read of an index is what was written, or it is said which rows are not.

A row has one sum for each set of columns that is read together, so that a search need not read what it does not show.
A sum is of the bits, as 64-bit words times odd constants, modulo 2^64: one flipped bit always changes it, anything else
goes unnoticed once in 2^64 times. A million rows take a fraction of a second.
"""

import zlib
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS

COLUMN = "sums"
_WHICH = ("path", "start", "channel")
GROUPS = {
    "searched": (*_WHICH, "end", "embedding", *DIMENSIONS, "loudness", "speech", "damage", "reason"),
    "file": ("path", "size", "changed", "digest", "reason"),
    "drawn": (*_WHICH, "peaks"),
    "heard": (*_WHICH, "feature"),
}
LATER = ("speech",)  # columns that rows of before do not have; null adds nothing, so that their sums stay right
_NULL = np.uint64(0x9E3779B97F4A7C15)  # stands for a text or waveform that is not there
_ROWS_AT_ONCE = 65_536  # held as words


def sums(rows: Any) -> Any:
    """The sums of rows that have all columns: (n,) lists of one number a group."""
    import pyarrow as pa

    values = np.stack([_of(rows, columns) for columns in GROUPS.values()], 1)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.view(np.int64).reshape(-1)), len(GROUPS))


def good(rows: Any, group: str) -> np.ndarray:
    """(n,) which rows have, in the columns of a group, what was written; all of them in an index without sums."""
    if COLUMN not in rows.column_names:
        return np.ones(len(rows), bool)
    column = rows[COLUMN].combine_chunks()
    if column.null_count or not len(rows):
        return np.asarray(column.is_valid().to_numpy(zero_copy_only=False) & False)
    stated = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(GROUPS))
    found: np.ndarray = stated[:, list(GROUPS).index(group)].view(np.uint64) == _of(rows, GROUPS[group])
    return found


def of_group(rows: Any, group: str) -> np.ndarray:
    """(n,) uint64 sums of rows that have the columns of a group."""
    return _of(rows, GROUPS[group])


def _of(rows: Any, columns: tuple[str, ...]) -> np.ndarray:
    total = np.zeros(len(rows), np.uint64)
    for name in columns:
        if name in rows.column_names:
            total += _column(name, rows[name])
        elif name not in LATER:
            raise KeyError(name)
    return total


def _column(name: str, column: Any) -> np.ndarray:
    """(n,) what a column adds to the sums of its rows."""
    import pyarrow as pa

    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        return _wide(name, column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), kind.list_size))
    if pa.types.is_string(kind) or pa.types.is_fixed_size_binary(kind):
        return np.asarray(_texts(column) * _odd(name, 1)[0])
    if pa.types.is_floating(kind):
        values = column.to_numpy(zero_copy_only=False)  # what is null is NaN
        added = _wide(name, values.reshape(-1, 1))
        return np.where(np.isnan(values), np.uint64(0), added + _odd(name, 2)[1]) if name in LATER else added
    numbers = column.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
    return np.asarray(numbers * _odd(name, 1)[0])


def _wide(name: str, values: np.ndarray) -> np.ndarray:
    """(n, width) numbers."""
    size = values.shape[1] * values.itemsize
    word = next(width for width in (8, 4, 2, 1) if size % width == 0)
    weights = _odd(name, size // word)
    words = np.ascontiguousarray(values).view(f"<u{word}")
    blocks = (words[start : start + _ROWS_AT_ONCE] for start in range(0, len(words), _ROWS_AT_ONCE))
    parts = [block.astype(np.uint64, copy=False) @ weights for block in blocks]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _texts(column: Any) -> np.ndarray:
    """Texts or bytes, many of them alike, as one number each."""
    import pyarrow as pa

    encoded = column.cast(pa.binary()).dictionary_encode()  # as bytes: damaged text may be no UTF-8
    numbers = [zlib.crc32(value) + (len(value) << 32) for value in encoded.dictionary.to_pylist()]
    known = np.array([*numbers, 0], np.uint64)
    known[-1] = _NULL
    found: np.ndarray = known[encoded.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)]
    return found


def _odd(name: str, count: int) -> np.ndarray:
    """Constants of a column, the same for ever."""
    drawn = np.random.PCG64(zlib.crc32(name.encode())).random_raw(count)
    return np.asarray(drawn, np.uint64) | np.uint64(1)
