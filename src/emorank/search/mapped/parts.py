"""Rows of the table as items of the files: whole recordings, in the order of path, start and channel."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.index.segments import recording_id, segment_id
from emorank.index.view import stated
from emorank.listening.encode import matrix
from emorank.search.mapped.store import Store

ROWS = ("rowid", "sum", "id", "start", "end", "places", "loudness", "speech", "channel", "small", "finer")
RECORDINGS = ("name", "size", "changed", "digest")
NEEDED = [
    "path",
    "start",
    "end",
    "embedding",
    *DIMENSIONS,
    "loudness",
    "speech",
    "channel",
    "damage",
    "size",
    "changed",
    "digest",
]


@dataclass(frozen=True)
class Part:
    """Some recordings.

    Args:
        paths: of the recordings, in order.
        counts: (recordings,) rows of each.
        rows: the arrays of `ROWS`, those of the recordings one after the other.
        recordings: the arrays of `RECORDINGS`.
        embeddings: (n, embedding_dim) of all rows.
        damage: what is missing of each recording, None where nothing is.
        unheard: ids in the table of recordings that could not be heard.
    """

    paths: list[bytes]
    counts: np.ndarray
    rows: dict[str, np.ndarray]
    recordings: dict[str, np.ndarray]
    embeddings: np.ndarray
    damage: list[str | None]
    unheard: np.ndarray


def part_of(store: Store, ids: np.ndarray, table: Any) -> Part:
    """What was read of the table.

    Args:
        store: that it will be put into.
        ids: of the rows in the table.
        table: with `NEEDED`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.append_column("id of row", pa.array(ids))
    heard = pc.is_null(table["reason"])
    unheard = table.filter(pc.invert(heard))["id of row"].to_numpy()
    table = table.filter(heard)
    table = table.sort_by([(name, "ascending") for name in ("path", "start", "channel")]).combine_chunks()
    texts = table["path"].to_pylist()
    starts, channels = table["start"].to_numpy(), table["channel"].fill_null(0).to_numpy()
    names = [segment_id(*which) for which in zip(texts, starts.tolist(), channels.tolist(), strict=True)]
    embeddings = matrix(table["embedding"])
    small, finer = store.reduced(embeddings)
    encoded = [text.encode("utf8", "surrogateescape") for text in texts]
    first = np.array([i for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]], np.int64)
    places = [table[name].to_numpy(zero_copy_only=False) for name in DIMENSIONS]
    rows = {
        "rowid": table["id of row"].to_numpy(),
        "sum": stated(table),
        "id": numbered(names),
        "start": starts,
        "end": table["end"].to_numpy(),
        "places": np.stack(places, 1).astype(np.float32) if len(texts) else np.zeros((0, len(DIMENSIONS)), np.float32),
        "loudness": table["loudness"].to_numpy(zero_copy_only=False).astype(np.float32),
        "speech": table["speech"].to_numpy(zero_copy_only=False).astype(np.float32),
        "channel": channels,
        "small": small,
        "finer": finer,
    }
    heads = table.take(pa.array(first))
    digests = [bytes.fromhex(digest) if digest else bytes(16) for digest in heads["digest"].to_pylist()]
    recordings = {
        "name": numbered([recording_id(texts[i]) for i in first]),
        "size": heads["size"].to_numpy(zero_copy_only=False),
        "changed": heads["changed"].to_numpy(zero_copy_only=False),
        "digest": np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16),
    }
    counts = np.diff([*first, len(texts)]) if len(texts) else np.zeros(0, np.int64)
    damage = heads["damage"].to_pylist()
    return Part([encoded[i] for i in first], counts, rows, recordings, embeddings, damage, unheard)


def numbered(names: list[str]) -> np.ndarray:
    """Short names of segments as numbers."""
    return np.frombuffer(bytes.fromhex("".join(names)), ">u8").astype(np.uint64)


def named(number: int) -> str:
    """A number as the short name of a segment."""
    return f"{number:016x}"
