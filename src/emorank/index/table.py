"""The LanceDB tables of an index: their schema, and how they are opened.

One table an encoder, so that models on different encoders share a folder and none takes the other's work away. One row
a segment; a recording that could not be read is one row with the reason. A row keeps the encoder's output beside the
embedding, so that another model on the same encoder needs no audio, and checksums of both (`emorank.index.sums`).
"""

import json
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.errors import EmorankError
from emorank.index import ledger, sums
from emorank.index.failures import damaged
from emorank.listening import encode
from emorank.model import EmotionRankCLAP

SCHEMA_VERSION = 5  # the fourth lacks what is in `sums.LATER`, the third also sums; both can be read
SUFFIX = ".lance"  # of the folder of a table
FIRST = "segments"  # what the only table was called up to version 2
MAKING = "making-"  # before the name of a table that takes its place when it is whole


def table_name(model: EmotionRankCLAP, channels: Policy = "auto") -> str:
    """The table that keeps what this model's encoder gave of these channels."""
    heard = "" if channels == "auto" else f"-{channels}"
    return f"{FIRST}-{model.encoder_fingerprint}{heard}"


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
            pa.field(sums.COLUMN, pa.list_(pa.int64(), len(sums.GROUPS)), nullable=False),
        ],
        metadata={b"emorank": json.dumps(about).encode()},
    )


def made_now(layout: Any) -> Any:
    """A schema that says of the table which is made with it that it is none of those before it."""
    stated = json.loads(layout.metadata[b"emorank"]) | {"made": secrets.token_hex(8)}
    return layout.with_metadata({b"emorank": json.dumps(stated).encode()})


def stored(names: Collection[str], columns: Sequence[str]) -> list[str]:
    """Of some columns those among the names of a table's: version 4 lacks what came later, and version 3 sums."""
    return [name for name in dict.fromkeys(columns) if name in names or name not in (*sums.LATER, sums.COLUMN)]


def completed(rows: Any, columns: Sequence[str]) -> Any:
    """Rows with just these columns; what came after version 4 is null where the rows lack it."""
    import pyarrow as pa

    kinds = encode.schema(1)
    for name in columns:
        if name in sums.LATER and name not in rows.column_names:
            rows = rows.append_column(kinds.field(name), pa.nulls(len(rows), kinds.field(name).type))
    return rows.select(list(columns))


def fitting(rows: Any, table: Any) -> Any:
    """Rows as a table takes them in: one of version 4 on object storage goes on without what came later."""
    lacking = [name for name in sums.LATER if name not in table.schema.names]
    return summed(rows.drop_columns([*lacking, sums.COLUMN]), table.schema) if lacking else rows


def about(table: Any, folder: Path | str) -> dict[str, Any]:
    """What a table says of itself: schema, encoder, model.

    Raises:
        DamagedIndex: it says nothing.
        EmorankError: a newer emorank made it.
    """
    try:
        stated: dict[str, Any] = json.loads((table.schema.metadata or {})[b"emorank"])
        version, _ = int(stated["schema"]), stated["encoder"] + stated["model"]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(folder, f"{table.name}{SUFFIX} does not say what it holds") from error
    if version > SCHEMA_VERSION:
        raise EmorankError(f"{folder}: the index was made by a newer emorank; upgrade this one to use it.")
    return stated


def is_current(table: Any, model: EmotionRankCLAP, folder: Path | str) -> bool:
    """Whether a table is of this emorank and holds this model's embeddings."""
    stated = about(table, folder)
    return bool(stated["schema"] == SCHEMA_VERSION and stated["model"] == model.fingerprint)


def begun(folder: Path, name: str) -> bool:
    """Whether there is a table, be it without a row.

    Raises:
        DamagedIndex: there is what a table leaves that has lost its manifests.
    """
    table = folder / f"{name}{SUFFIX}"
    versions = table / "_versions"
    if versions.is_dir() and any(file.suffix == ".manifest" for file in versions.iterdir()):
        return True
    data = table / "data"
    if (data.is_dir() and any(data.iterdir())) or ledger_of(folder, name).exists():
        raise damaged(folder, f"{name}{SUFFIX} has lost its manifests")
    return False  # a process that was killed while it made the table leaves no more than folders


def ledger_of(folder: Path, name: str) -> Path:
    """The file that notes what the files of a table are."""
    return folder / f"{name}{ledger.SUFFIX}"


def verified(folder: Path, name: str) -> ledger.Ledger | None:
    """What is noted of a table's files, which are what it says; looked at before LanceDB, which trusts them, does.

    Raises:
        DamagedIndex: one of them is not what was written.
    """
    book, path = ledger_of(folder, name), folder / f"{name}{SUFFIX}"
    try:
        noted = ledger.read(book)
    except ledger.DamagedLedger as error:
        raise damaged(folder, f"{book.name} is not what was written") from error
    if noted and (bad := ledger.changed(noted, path)):
        raise damaged(folder, f"{path.name}/{bad[0]} is not what was written")
    return noted


def opened(folder: Path, model: EmotionRankCLAP, channels: Policy) -> Any | None:
    """The table of a model's encoder, for reading; nothing is written. None where there is none yet.

    Raises:
        DamagedIndex: it is not what was written.
        EmorankError: another emorank, another model or another encoder made it.
    """
    import lancedb

    name = table_name(model, channels)
    if not begun(folder, name):
        if begun(folder, FIRST):
            raise _outdated(folder)
        if any(begun(folder, other.stem) for other in folder.glob(f"{FIRST}-*{SUFFIX}")):
            raise EmorankError(
                f"{folder}: the recordings were heard with another encoder than {model.config.audio_encoder}, which "
                f"the model has now; have them heard again: emorank index --name {folder.name}"
            )
        return None
    verified(folder, name)
    table = lancedb.connect(folder).open_table(name)
    stated = about(table, folder)
    if stated["schema"] < 3 or stated["model"] != model.fingerprint:
        raise _outdated(folder)
    return table


def _outdated(folder: Path) -> EmorankError:
    return EmorankError(
        f"{folder}: the index was made by an older emorank or another model; bring it up to date, which takes no "
        f"listening: emorank index --name {folder.name}"
    )


def rows(batch: Any, model: EmotionRankCLAP) -> Any:
    """What was heard, as rows of the table."""
    columns = {name: batch[name] for name in batch.schema.names if name != "feature"}
    return placed(columns, encode.matrix(batch["feature"]).astype(np.float16), model)


def placed(columns: dict[str, Any], features: np.ndarray, model: EmotionRankCLAP) -> Any:
    """Rows with the embedding and the place that a model gives them, and their sums."""
    import pyarrow as pa

    embeddings = model.audio(features.astype(np.float32))
    places = model.places(embeddings)
    columns |= {name: pa.array(places[:, i], from_pandas=True) for i, name in enumerate(DIMENSIONS)}  # NaN is null
    columns |= {"feature": encode.fixed_size_list(features), "embedding": encode.fixed_size_list(embeddings)}
    layout = schema(model)
    return summed(pa.table({name: columns[name] for name in layout.names if name != sums.COLUMN}), layout)


def summed(rows: Any, layout: Any) -> Any:
    """Rows with their sums as a last column."""
    import pyarrow as pa

    columns = [rows[name] for name in layout.names if name != sums.COLUMN]
    return pa.table([*columns, sums.sums(rows)], schema=layout)
