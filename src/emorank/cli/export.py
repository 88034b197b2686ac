"""emorank export: the segments of a named index, or what a search finds in it, as a list for other programs."""

import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank.cli.asked import Asked
from emorank.cli.asking import found
from emorank.cli.console import say
from emorank.cli.cutting import Cut, Selected, cut_into
from emorank.cli.opening import Place, opened
from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

    from emorank.search import Hit

Format = Literal["parquet", "csv", "jsonl", "m3u", "audacity", "elan", "textgrid", "datasets", "table"]
_TABLES = ("parquet", "csv", "jsonl")
_SUFFIXES = {"parquet": "parquet", "csv": "csv", "jsonl": "jsonl", "m3u": "m3u", "m3u8": "m3u"}


def export(
    name: str,
    /,
    *,
    query: list[str] | None = None,
    asked: Annotated[Asked | None, Parameter(name="*")] = None,
    collection: str | None = None,
    format: Format | None = None,
    out: Path | None = None,
    cut: Annotated[Cut | None, Parameter(name="*")] = None,
    spreadsheet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write the segments of a named index as a table: path, span, place on the plane, loudness, your own columns.

    With a query, what it finds, best first, with rank, id and fit. Parquet holds the embeddings too. Audacity, ELAN and
    TextGrid are a file for each recording, so --out is a folder for them; datasets is a folder that Hugging Face
    datasets loads, and needs --cut.

    Examples:

        emorank export calls --format csv > calls.csv

        emorank export calls --out calls.parquet --where "arousal > 6"

        emorank export calls --query "warm calm narration" --top 200 --cut warm/ --format audacity

        emorank export calls --collection warm --format table --cut rated/

    Args:
        name: The index.
        query: A description, as for emorank search. May be given several times.
        asked: What is looked for, beside the description.
        collection: What was picked instead, see emorank collection.
        format: parquet, csv, jsonl, m3u (a playlist), audacity (label tracks), elan (.eaf), textgrid (Praat), datasets,
            table (the labels of a collection, for emorank train); by default what the suffix of --out says, else csv.
        out: The file, or for formats of several files the folder; by default standard output.
        cut: Where clips go; the list goes there too.
        spreadsheet: CSV that a spreadsheet may open: texts that it would run as formulas get an apostrophe.
    """
    asked, cut = asked or Asked(), cut or Cut()
    kind = _format(format, out, cut, spreadsheet)
    asks = bool(query or asked.ranks or asked.where or asked.group)
    if collection and asks:
        raise EmorankError("--collection is what was picked already; leave the query and the filters out.")
    if kind == "table" and not collection:
        raise EmorankError("--format table is of the labels of a collection; say which with --collection NAME.")
    from emorank.index.named import NamedIndex, is_named

    place = opened(name if is_named(name) else NamedIndex.open(name).name, asked.where, memory=asked.memory)
    if not (collection or query or asked.ranks or asked.top or asked.group or cut.cut) and kind in _TABLES:
        from emorank.search.export import tables_of

        total, tables = tables_of(place.collection, asked.where, embeddings=kind == "parquet")
        _put((_escaped(table, spreadsheet) for table in tables), kind, out, total)
        return
    if collection:
        from emorank.cli.collection import selected

        chosen = selected(place, collection, asked.top)
    else:
        chosen = Selected(place, _hits(place, query or (), asked))
    if cut.cut:
        cut_into(cut.cut, cut, chosen, kind, spreadsheet)
    else:
        _list(chosen, kind, out, spreadsheet)


def _list(chosen: Selected, kind: Format, out: Path | None, spreadsheet: bool) -> None:
    """The list alone, without clips."""
    from emorank.taking.lists import EACH, files

    rows = chosen.rows(kind, None, spreadsheet)
    if kind == "table":
        _put([rows], "parquet" if out and out.suffix.lower() == ".parquet" else "csv", out, len(rows))
    elif kind in _TABLES:
        _put([rows if kind != "parquet" else _embedded(chosen.place, chosen.hits, rows)], kind, out, len(rows))
    elif kind in EACH:
        from emorank.taking.folder import write_lists

        folder, listed = out or Path(), files(kind, chosen.moments, rows)
        write_lists(folder, listed)
        say(f"{len(chosen.moments)} moments of {len(listed)} recordings written to {folder}.")
    else:
        (content,) = files(kind, chosen.moments, rows).values()
        _put(content, kind, out, len(chosen.moments))


def _format(format: Format | None, out: Path | None, cut: Cut, spreadsheet: bool) -> Format:
    """What is written; everything that does not go together is said before anything is read."""
    from emorank.search.export import FORMATS

    kind = format or _SUFFIXES.get(out.suffix.lower().lstrip(".") if out else "csv")
    if kind is None:
        raise EmorankError(
            f"{out}: say which --format it shall have: {', '.join(FORMATS)}, m3u, audacity, elan, textgrid."
        )
    if spreadsheet and kind != "csv":
        raise EmorankError("--spreadsheet goes with --format csv; nothing in the others is taken for a formula.")
    if cut.cut and out:
        raise EmorankError("The list goes into the folder of --cut; leave --out out.")
    if kind == "datasets" and not cut.cut:
        raise EmorankError("--format datasets is a folder of clips; say which with --cut DIR.")
    if kind in ("audacity", "elan", "textgrid") and not (out or cut.cut):
        raise EmorankError(f"--format {kind} is a file for each recording; name a folder for them with --out DIR.")
    if kind == "parquet" and not (out or cut.cut) and sys.stdout.isatty():
        raise EmorankError("Parquet is not for the screen; name a file with --out, or send it to one with >.")
    return kind  # type: ignore[return-value]


def _hits(place: Place, descriptions: Sequence[str], asked: Asked) -> "Sequence[Hit]":
    """What is asked for; all segments, in the order of path and start, where nothing is."""
    if descriptions or asked.ranks or asked.where:
        return found(place, descriptions, asked, asked.top or max(1, len(place.collection))).hits
    from emorank.search.rank import hit

    return [hit(place.collection, row) for row in place.collection.listed(limit=asked.top)[0].tolist()]


def _escaped(table: "pl.DataFrame", spreadsheet: bool) -> "pl.DataFrame":
    from emorank.search.export import for_spreadsheets

    return for_spreadsheets(table) if spreadsheet else table


def _embedded(place: Place, hits: "Sequence[Hit]", rows: "pl.DataFrame") -> "pl.DataFrame":
    """Rows with the embeddings of their segments."""
    import numpy as np

    from emorank.search.export import embeddings_of

    return rows.with_columns(embeddings_of(place.collection, np.array([hit.row for hit in hits], np.int64)))


def _put(content: "Iterable[pl.DataFrame] | bytes", kind: str, out: Path | None, count: int) -> None:
    """To a file, whole or not at all, or to standard output."""
    from emorank.search.export import write
    from emorank.storage import written_whole

    if out is None:
        # Errors of what is held are polars' own; those of the pipe are ours.
        with tempfile.SpooledTemporaryFile(64_000_000) as held:
            held.write(content) if isinstance(content, bytes) else write(content, held, kind)
            held.seek(0)
            shutil.copyfileobj(held, sys.stdout.buffer)
        return
    try:
        with written_whole(out) as temporary, open(temporary, "wb") as file:
            file.write(content) if isinstance(content, bytes) else write(content, file, kind)
    except OSError as error:
        raise EmorankError(f"{out}: the table cannot be written ({error.strerror or error}).") from error
    say(f"{count} segments written to {out}.")
