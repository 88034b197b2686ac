"""Makes tables, and brings those of older emoranks and other models up to date: in one go, without listening."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.digest import known_digest
from emorank.index import sums
from emorank.index.failures import DamagedIndex, damaged
from emorank.index.table import (
    FIRST,
    MAKING,
    SUFFIX,
    about,
    begun,
    is_current,
    made_now,
    placed,
    schema,
    table_name,
    verified,
)
from emorank.listening import encode
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP

_ROWS_AT_ONCE = 20_000  # held while a table is rewritten

logger = logging.getLogger(__name__)


def prepared(folder: Path, model: EmotionRankCLAP, channels: Policy, lock: Any) -> Any:
    """The table of a model's encoder, made or brought up to this emorank and this model where it is not.

    Args:
        folder: of the index.
        model: whose embeddings the table shall hold.
        channels: which of the recordings' channels it holds.
        lock: held by whoever writes; taken only where something has to be written, so that readers never wait.

    Raises:
        DamagedIndex: it is not what was written.
        EmorankError: a newer emorank made the table.
    """
    import lancedb

    database = lancedb.connect(folder)
    name = table_name(model, channels)
    if begun(folder, name):
        verified(folder, name)
        table = database.open_table(name)
        if is_current(table, model, folder):
            return table
    with lock:
        for left in folder.glob(f"{MAKING}*{SUFFIX}"):  # by a process that was killed
            shutil.rmtree(left)
        if begun(folder, name):
            table = database.open_table(name)
            return table if is_current(table, model, folder) else _rewritten(database, name, table, model, folder)
        shutil.rmtree(folder / f"{name}{SUFFIX}", ignore_errors=True)
        old = database.open_table(FIRST) if begun(folder, FIRST) else None
        if old is not None and channels == "auto" and _same_weights(old, model, folder):
            _rewritten(database, MAKING + name, old, model, folder)
            os.rename(folder / f"{MAKING}{name}{SUFFIX}", folder / f"{name}{SUFFIX}")
            database.drop_table(FIRST)
            return database.open_table(name)
        return database.create_table(name, schema=made_now(schema(model)))


def _same_weights(old: Any, model: EmotionRankCLAP, folder: Path) -> bool:
    """Whether a table of version 1 or 2, which knew its encoder by name alone, holds what this encoder gives."""
    stated = about(old, folder)
    if stated["encoder"] != model.config.audio_encoder:
        return False
    if stated["encoder"].startswith("whisper-base/"):  # packaged, so of the same weights under the same name
        return True
    logger.warning(
        "%s: the index is of an older emorank, which did not note the weights of %s; its recordings are heard again.",
        folder,
        stated["encoder"],
    )
    return False


def _rewritten(database: Any, name: str, table: Any, model: EmotionRankCLAP, folder: Path) -> Any:
    """The same recordings with this schema and this model's embeddings, in one transaction, without decoding."""
    import pyarrow as pa

    layout = made_now(schema(model))
    made = (*DIMENSIONS, "embedding", sums.COLUMN)
    kept = [column for column in layout.names if column in table.schema.names and column not in made]
    lacking = [column for column in layout.names if column not in (*kept, *made, "digest")]  # up to version 2
    read = [*kept, sums.COLUMN] if sums.COLUMN in table.schema.names else kept

    wrong: list[DamagedIndex] = []  # LanceDB makes an error of its own of what a batch raises

    def batches() -> Iterator[Any]:
        for batch in table.search().select(read).to_batches(_ROWS_AT_ONCE):
            rows = pa.Table.from_batches([batch])
            if not all(sums.good(rows, group).all() for group in ("file", "drawn", "heard")):
                wrong.append(damaged(folder, f"rows of {table.name}{SUFFIX} are not what was written"))
                raise wrong[0]
            columns = {column: batch[column] for column in kept if column != "feature"}
            if "digest" not in kept:  # version 1
                columns["digest"] = _digests(batch)
            columns |= {column: pa.nulls(len(batch), layout.field(column).type) for column in lacking}
            yield from placed(columns, encode.matrix(batch["feature"]), model).to_batches()

    reader = pa.RecordBatchReader.from_batches(layout, batches())
    try:
        return database.create_table(name, data=reader, schema=layout, mode="overwrite")
    except Exception as error:
        raise (wrong[0] if wrong else error) from error


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
