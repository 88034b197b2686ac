"""The LanceDB tables of an index: their schema, how they are opened, and how older ones are brought up to date.

One table an encoder, so that models on different encoders share a folder and none takes the other's work away. One row
a segment; a recording that could not be read is one row with the reason. A row keeps the encoder's output beside the
embedding, so that another model on the same encoder needs no audio.
"""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.digest import known_digest
from emorank.errors import EmorankError
from emorank.listening import encode
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP

SCHEMA_VERSION = 3
SUFFIX = ".lance"  # of the folder of a table
_FIRST = "segments"  # what the only table was called up to version 2
_ROWS_AT_ONCE = 20_000  # held while a table is rewritten

logger = logging.getLogger(__name__)


def table_name(model: EmotionRankCLAP, channels: Policy = "auto") -> str:
    """The table that keeps what this model's encoder gave of these channels."""
    heard = "" if channels == "auto" else f"-{channels}"
    return f"{_FIRST}-{model.encoder_fingerprint}{heard}"


def schema(model: EmotionRankCLAP) -> Any:
    """The columns of a table that holds this model's embeddings, and what the table says of itself."""
    import pyarrow as pa

    heard = encode.schema(model.audio.encoder_dim)
    about = {"schema": SCHEMA_VERSION, "encoder": model.config.audio_encoder, "model": model.fingerprint}
    return pa.schema(
        [
            *(field for field in heard if field.name not in ("feature", "reason")),
            *(pa.field(name, pa.float32()) for name in DIMENSIONS),
            pa.field("feature", pa.list_(pa.float16(), model.audio.encoder_dim), nullable=False),
            pa.field("embedding", pa.list_(pa.float32(), model.embedding_dim), nullable=False),
            heard.field("reason"),
        ],
        metadata={b"emorank": json.dumps(about).encode()},
    )


def about(table: Any) -> dict[str, Any]:
    """What a table says of itself: schema, encoder, model."""
    stated: dict[str, Any] = json.loads((table.schema.metadata or {}).get(b"emorank", b"{}"))
    return stated


def opened(folder: Path, model: EmotionRankCLAP, channels: Policy, lock: Any) -> Any:
    """The table of a model's encoder, made or brought up to this emorank and this model where it is not.

    Args:
        folder: of the index.
        model: whose embeddings the table shall hold.
        channels: which of the recordings' channels it holds.
        lock: held by whoever writes; taken only where something has to be written, so that readers never wait.

    Raises:
        EmorankError: a newer emorank made the table.
    """
    import lancedb

    database = lancedb.connect(folder)
    name = table_name(model, channels)
    if _begun(folder, name):
        table = database.open_table(name)
        if _current(table, model):
            return table
    with lock:
        if _begun(folder, name):
            table = database.open_table(name)
            if about(table).get("schema", 0) > SCHEMA_VERSION:
                raise EmorankError(f"{folder}: the index was made by a newer emorank; upgrade this one to use it.")
            return table if _current(table, model) else _rewritten(database, name, table, model)
        # A process that was killed while it made the table may have left a part of it.
        shutil.rmtree(folder / f"{name}{SUFFIX}", ignore_errors=True)
        old = database.open_table(_FIRST) if _begun(folder, _FIRST) else None
        if old is not None and channels == "auto" and _same_weights(old, model, folder):
            table = _rewritten(database, name, old, model)
            database.drop_table(_FIRST)
            return table
        return database.create_table(name, schema=schema(model))


def rows(batch: Any, model: EmotionRankCLAP) -> Any:
    """What was heard, as rows of the table."""
    columns = {name: batch[name] for name in batch.schema.names if name != "feature"}
    return _placed(columns, encode.matrix(batch["feature"]).astype(np.float16), model)


def _begun(folder: Path, name: str) -> bool:
    versions = folder / f"{name}{SUFFIX}" / "_versions"
    return versions.is_dir() and any(file.suffix == ".manifest" for file in versions.iterdir())


def _current(table: Any, model: EmotionRankCLAP) -> bool:
    stated = about(table)
    return stated.get("schema") == SCHEMA_VERSION and stated.get("model") == model.fingerprint


def _same_weights(old: Any, model: EmotionRankCLAP, folder: Path) -> bool:
    """Whether a table of version 1 or 2, which knew its encoder by name alone, holds what this encoder gives."""
    stated = about(old)
    if stated.get("schema", 0) > SCHEMA_VERSION:
        raise EmorankError(f"{folder}: the index was made by a newer emorank; upgrade this one to use it.")
    if stated.get("encoder") != model.config.audio_encoder:
        return False
    if stated["encoder"].startswith("whisper-base/"):  # packaged, so of the same weights under the same name
        return True
    logger.warning(
        "%s: the index is of an older emorank, which did not note the weights of %s; its recordings are heard again.",
        folder,
        stated["encoder"],
    )
    return False


def _placed(columns: dict[str, Any], features: np.ndarray, model: EmotionRankCLAP) -> Any:
    """Rows with the embedding and the place that a model gives them."""
    import pyarrow as pa

    embeddings = model.audio(features.astype(np.float32))
    places = model.places(embeddings)
    columns |= {name: pa.array(places[:, i], from_pandas=True) for i, name in enumerate(DIMENSIONS)}  # NaN is null
    columns |= {"feature": encode.fixed_size_list(features), "embedding": encode.fixed_size_list(embeddings)}
    layout = schema(model)
    return pa.table([columns[field.name] for field in layout], schema=layout)


def _rewritten(database: Any, name: str, table: Any, model: EmotionRankCLAP) -> Any:
    """The same recordings with this schema and this model's embeddings, in one transaction, without decoding."""
    import pyarrow as pa

    layout = schema(model)
    made = (*DIMENSIONS, "embedding")
    kept = [column for column in layout.names if column in table.schema.names and column not in made]

    lacking = [column for column in layout.names if column not in (*kept, *made, "digest")]  # up to version 2

    def batches() -> Iterator[Any]:
        for batch in table.search().select(kept).to_batches(_ROWS_AT_ONCE):
            columns = {column: batch[column] for column in kept if column != "feature"}
            if "digest" not in kept:  # version 1
                columns["digest"] = _digests(batch)
            columns |= {column: pa.nulls(len(batch), layout.field(column).type) for column in lacking}
            yield from _placed(columns, encode.matrix(batch["feature"]), model).to_batches()

    reader = pa.RecordBatchReader.from_batches(layout, batches())
    return database.create_table(name, data=reader, schema=layout, mode="overwrite")


def _digests(batch: Any) -> Any:
    """Of recordings that are still what they were; None of the others."""
    import pyarrow as pa

    digests: dict[str, str | None] = {}
    for path, size, changed in zip(*(batch[name].to_pylist() for name in ("path", "size", "changed")), strict=True):
        if path not in digests:
            try:
                digests[path] = known_digest(path) if Recording.now(path) == Recording(path, size, changed) else None
            except OSError:
                digests[path] = None
    return pa.array([digests[path] for path in batch["path"].to_pylist()], pa.string())
