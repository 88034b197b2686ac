"""emorank export: all segments of a named index as a table."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from emorank.cli.console import say
from emorank.errors import EmorankError


def export(
    name: str,
    /,
    *,
    format: Literal["parquet", "csv", "jsonl"] | None = None,
    out: Path | None = None,
    where: str | None = None,
    spreadsheet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write the segments of a named index as a table: path, span, place on the plane, loudness, your own columns.

    Parquet holds the embeddings too.

    Examples:

        emorank export calls --format csv > calls.csv

        emorank export calls --out calls.parquet --where "arousal > 6"

    Args:
        name: The index.
        format: parquet, csv or jsonl; by default what the suffix of --out says, else csv.
        out: The file; by default standard output.
        where: Only segments that pass this filter, see emorank search.
        spreadsheet: CSV that a spreadsheet may open: texts that it would run as formulas get an apostrophe.
    """
    from emorank.search.export import FORMATS, for_spreadsheets, table_of, write

    suffix = out.suffix.lower().lstrip(".") if out else "csv"
    kind = format or suffix
    if kind not in FORMATS:
        raise EmorankError(f"{out}: say which --format it shall have: parquet, csv or jsonl.")
    if spreadsheet and kind != "csv":
        raise EmorankError("--spreadsheet goes with --format csv; nothing in the others is taken for a formula.")
    if kind == "parquet" and out is None and sys.stdout.isatty():
        raise EmorankError("Parquet is not for the screen; name a file with --out, or send it to one with >.")

    from emorank.index.named import NamedIndex
    from emorank.search import Collection
    from emorank.storage import written_whole

    table = table_of(Collection.of(NamedIndex.open(name)), where, embeddings=kind == "parquet")
    table = for_spreadsheets(table) if spreadsheet else table
    if out is None:
        with tempfile.SpooledTemporaryFile(
            64_000_000
        ) as held:  # whose errors are polars' own; those of the pipe are ours
            write(table, held, kind)
            held.seek(0)
            shutil.copyfileobj(held, sys.stdout.buffer)
        return
    try:
        with written_whole(out) as temporary, open(temporary, "wb") as file:
            write(table, file, kind)
    except OSError as error:
        raise EmorankError(f"{out}: the table cannot be written ({error.strerror or error}).") from error
    say(f"{len(table)} segments written to {out}.")
