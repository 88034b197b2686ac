"""The LanceDB table of an index: its schema, how it is opened, and how an older one is brought up to date.

One row a segment; a recording that could not be read is one row with the reason. A row keeps the encoder's output
beside the embedding, so that another model on the same encoder needs no audio.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.digest import content_digest
from emorank.errors import EmorankError
from emorank.listening.encode import PEAKS, Encoded
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP

SCHEMA_VERSION = 2
NAME = "segments"
DIRECTORY = f"{NAME}.lance"  # of the table, in the folder of the index
_ROWS_AT_ONCE = 20_000  # held while a table is rewritten


def schema(model: EmotionRankCLAP) -> Any:
    """The columns of a table that holds this model's embeddings, and what the table says of itself."""
    import pyarrow as pa

    about = {"schema": SCHEMA_VERSION, "encoder": model.config.audio_encoder, "model": model.fingerprint}
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("size", pa.int64(), nullable=False),
            pa.field("changed", pa.int64(), nullable=False),
            pa.field("digest", pa.string()),
            pa.field("start", pa.float64(), nullable=False),
            pa.field("end", pa.float64(), nullable=False),
            pa.field("loudness", pa.float32()),
            pa.field("peaks", pa.binary(PEAKS)),
            *(pa.field(name, pa.float32(), nullable=False) for name in DIMENSIONS),
            pa.field("feature", pa.list_(pa.float16(), model.audio.encoder_dim), nullable=False),
            pa.field("embedding", pa.list_(pa.float32(), model.embedding_dim), nullable=False),
            pa.field("reason", pa.string()),
        ],
        metadata={b"emorank": json.dumps(about).encode()},
    )


def about(table: Any) -> dict[str, Any]:
    """What a table says of itself: schema, encoder, model."""
    said: dict[str, Any] = json.loads((table.schema.metadata or {}).get(b"emorank", b"{}"))
    return said


def opened(folder: Path, model: EmotionRankCLAP, lock: Any) -> Any:
    """The table in a folder, made or brought up to this emorank and this model where it is not.

    Args:
        folder: of the index.
        model: whose embeddings the table shall hold.
        lock: held by whoever writes; taken only where something has to be written, so that readers never wait.

    Raises:
        EmorankError: a newer emorank made the table.
    """
    import lancedb

    database = lancedb.connect(folder)
    if _begun(folder):
        table = database.open_table(NAME)
        if _current(table, model):
            return table
    with lock:
        if not _begun(folder):  # a process that was killed while it made the table may have left a part of it
            shutil.rmtree(folder / DIRECTORY, ignore_errors=True)
            return database.create_table(NAME, schema=schema(model))
        table = database.open_table(NAME)
        said = about(table)
        if said.get("schema", 0) > SCHEMA_VERSION:
            raise EmorankError(f"{folder}: the index was made by a newer emorank; upgrade this one to use it.")
        if said.get("encoder") != model.config.audio_encoder or said.get("schema", 0) < 1:
            return database.create_table(NAME, schema=schema(model), mode="overwrite")
        if not _current(table, model):
            return _rewritten(database, table, model)
        return table


def rows(batch: Sequence[Encoded], model: EmotionRankCLAP) -> Any:
    """Encoded segments as rows of the table."""
    import pyarrow as pa

    columns = {
        "path": pa.array([row.recording.path for row in batch]),
        "size": pa.array([row.recording.size for row in batch]),
        "changed": pa.array([row.recording.changed for row in batch]),
        "digest": pa.array([row.digest for row in batch], pa.string()),
        "start": pa.array([row.start for row in batch], pa.float64()),
        "end": pa.array([row.end for row in batch], pa.float64()),
        "loudness": pa.array([row.loudness for row in batch], pa.float32()),
        "peaks": pa.array([row.peaks for row in batch], pa.binary(PEAKS)),
        "reason": pa.array([row.reason for row in batch], pa.string()),
    }
    return _placed(columns, np.stack([row.feature for row in batch]).astype(np.float16), model)


def matrix(column: Any) -> np.ndarray:
    """A fixed-size-list column -> (rows, width)."""
    width = column.type.list_size
    flat = column.combine_chunks().flatten() if hasattr(column, "combine_chunks") else column.flatten()
    values: np.ndarray = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return values


def _begun(folder: Path) -> bool:
    versions = folder / DIRECTORY / "_versions"
    return versions.is_dir() and any(name.suffix == ".manifest" for name in versions.iterdir())


def _current(table: Any, model: EmotionRankCLAP) -> bool:
    said = about(table)
    return said.get("schema") == SCHEMA_VERSION and said.get("model") == model.fingerprint


def _placed(columns: dict[str, Any], features: np.ndarray, model: EmotionRankCLAP) -> Any:
    """Rows with the embedding and the place on the plane that a model gives them."""
    import pyarrow as pa

    embeddings = model.audio(features.astype(np.float32))
    points = model.locate(embeddings)
    columns |= {name: pa.array(points[:, i]) for i, name in enumerate(DIMENSIONS)}
    columns |= {"feature": _fixed_size_list(features), "embedding": _fixed_size_list(embeddings)}
    layout = schema(model)
    return pa.table([columns[field.name] for field in layout], schema=layout)


def _rewritten(database: Any, table: Any, model: EmotionRankCLAP) -> Any:
    """The same recordings with this schema and this model's embeddings, in one transaction, without decoding."""
    import pyarrow as pa

    kept = [
        name for name in schema(model).names if name in table.schema.names and name not in (*DIMENSIONS, "embedding")
    ]

    def batches() -> Iterator[Any]:
        for batch in table.search().select(kept).to_batches(_ROWS_AT_ONCE):
            columns = {name: batch[name] for name in kept if name != "feature"}
            if "digest" not in kept:  # schema 1
                columns["digest"] = _digests(batch)
                columns["loudness"] = pa.nulls(len(batch), pa.float32())
                columns["peaks"] = pa.nulls(len(batch), pa.binary(PEAKS))
            yield from _placed(columns, matrix(batch["feature"]), model).to_batches()

    reader = pa.RecordBatchReader.from_batches(schema(model), batches())
    return database.create_table(NAME, data=reader, schema=schema(model), mode="overwrite")


def _digests(batch: Any) -> Any:
    """Of recordings that are still what they were; None of the others."""
    import pyarrow as pa

    known: dict[str, str | None] = {}
    for path, size, changed in zip(*(batch[name].to_pylist() for name in ("path", "size", "changed")), strict=True):
        if path not in known:
            try:
                known[path] = content_digest(path) if Recording.now(path) == Recording(path, size, changed) else None
            except OSError:
                known[path] = None
    return pa.array([known[path] for path in batch["path"].to_pylist()], pa.string())


def _fixed_size_list(values: np.ndarray) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])
