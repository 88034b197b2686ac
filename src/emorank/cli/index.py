"""emorank index: make, update and follow an index that lasts."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank.cli.console import clock, name_broken, name_damaged, name_passed_over, name_unspoken, print_table, say
from emorank.cli.hearing import as_json, hearing, tell
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.index.named import NamedIndex
    from emorank.types import Hearing


def index(
    *roots: str,
    name: str | None = None,
    table: list[Path] | None = None,
    watch: Annotated[bool, Parameter(negative="")] = False,
    prune: Annotated[bool, Parameter(negative="")] = False,
    repair: Annotated[bool, Parameter(negative="")] = False,
    model: str | None = None,
    channels: str | None = None,
    wide: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Make or update an index that lasts; without a name, list those there are.

    Recordings that were moved, copied or touched are recognised by their content and not listened to again. What lies
    in folders that are not there, cannot be read or are suddenly empty stays in the index. An index is of one audio
    encoder; for a model on another one make another index.

    Examples:

        emorank index recordings/ more/ --name calls

        emorank index --name calls --watch

        emorank index recordings/ --name calls --table speakers.csv

        emorank index calls --repair

    Args:
        roots: Folders or recordings to follow from now on, beside those that the index follows already.
        name: Of the index: letters, digits, dots, dashes, underscores.
        table: A .csv or .parquet file with `path` and any columns to show and to filter by. May be given several
            times; goes over what earlier tables said of the same recordings.
        watch: Stay, and follow the folders until interrupted.
        prune: Remove also what the index knows of folders that are empty now.
        repair: Look through all files of the index and of the feature store, name what is damaged, and make that again
            from the recordings; without a name, of all indexes.
        model: The model that listens; by default emorank-base, or the one that the index was made with.
        channels: Which channels of a recording are heard: by default auto (one where they hold the same, each where
            they hold different speech), mix, each, or a number from 1.
        wide: List the indexes with all columns, also where the terminal is too narrow for them.
        json: Say on standard output what an update does, while it does it, as lines of JSON for programs.
    """
    from emorank.audio import parse_policy
    from emorank.index.named import NamedIndex, names

    if repair:
        given = [*roots, *([name] if name else [])]
        if len(given) > 1 or watch or prune or table or model or channels or json:
            raise EmorankError("--repair takes the name of one index at most: emorank index calls --repair")
        for each in given or names():
            _repair(each)
        _repair_features()
        return
    if name is None:
        if roots or watch or prune or table or model or json:
            raise EmorankError("Name the index: emorank index DIR --name calls")
        _list(names(), wide)
        return
    named = NamedIndex.made(name, roots, model, None if channels is None else parse_policy(channels))
    for file in table or ():
        from emorank.corpora import read_table

        fit = named.keep_labels(read_table(file), file.parent)
        by_name = f", {fit.by_name} of them by their file name alone" if fit.by_name else ""
        say(f"{file}: {len(fit.labels)} of {fit.rows} rows fit a recording{by_name}.")
    _update(named, prune, json)
    if watch:
        from emorank.index.watch import changes

        say("Following the folders; press Ctrl-C to stop.")
        for _ in changes(named.roots):
            _update(named, json=json)


def _update(named: "NamedIndex", prune: bool = False, json: bool = False) -> None:
    with ExitStack() as bars:

        def bar(root: str) -> "Hearing":
            bars.close()
            folder = os.path.basename(root) or root
            return bars.enter_context(as_json(folder) if json else hearing(f"listening to {folder}"))

        done, missing = named.update(bar, prune)
    if json:
        numbers = {name: getattr(done, name) for name in ("added", "changed", "moved", "removed", "kept", "missing")}
        for error in done.broken:
            tell("skipped", path=named.shown(error.path), reason=error.reason)
        absent = [os.path.basename(root) or root for root in missing]
        tell("done", **numbers, skipped=done.skipped, absent=absent)
    name_broken(done.broken)
    name_damaged(done.damaged)
    name_passed_over(done.passed_over)
    name_unspoken(done.unspoken)
    for root in missing:
        say(f"{root} is not there now; what is known of it stays.")
    if done.missing:
        say(
            f"{done.missing} recordings are missing, their folders are empty now; they stay. "
            f"If they are gone for good: emorank index --name {named.name} --prune"
        )
    moved = f" ({done.moved} of them known by their content)" if done.moved else ""
    skipped = f", {done.skipped} skipped" if done.skipped else ""
    counts = f"{done.added} added, {done.changed} changed{moved}, {done.removed} removed, {done.kept} kept{skipped}."
    say(f"{named.name}: {counts}")


def _repair(name: str) -> None:
    from emorank.index.mend import mended

    named, found = mended(name)
    for file in found.damaged:
        say(f"damaged: {named.folder / file}")
    for path in sorted(found.recordings):
        say(f"damaged: what was kept of {path}")
    _update(named)
    known = named.index.recordings()
    for path in sorted(found.recordings - known.keys()):
        if not os.path.exists(path):
            say(f"{path} is not there now; run emorank index --name {name} when it is, to have it in the index again.")
    if found.damaged or found.rows:
        say(f"{name}: {len(found.damaged)} files and {found.rows} rows were damaged, and are made again.")
    else:
        say(f"{name}: nothing is damaged.")


def _repair_features() -> None:
    from emorank.listening.kept import path_of, repaired

    found = repaired()
    if found.structure:
        say(f"damaged: {path_of()}: {found.structure}. The {found.kept} features that are sound are written anew.")
    elif found.damaged:
        say(f"damaged: {found.damaged} features in {path_of()}; they are computed again when they are needed.")


def _list(known: list[str], wide: bool) -> None:
    from emorank.index.named import NamedIndex
    from emorank.search.opened import named_collection

    if not known:
        say("There is no index yet; make one: emorank index DIR --name calls")
        return
    rows = []
    for name in known:
        try:
            named = NamedIndex.open(name)
            collection = named_collection(named)
        except EmorankError as error:  # the others are fine
            say(str(error))
            continue
        rows.append(
            (
                name,
                str(collection.recording_count),
                str(len(collection)),
                clock(collection.seconds),
                named.model_name,
                ", ".join(named.roots),
            )
        )
    print_table(
        ("index", "recordings", "segments", "length", "model", "folders"),
        rows,
        left=frozenset({"index", "folders"}),
        first=("segments", "length", "model", "recordings"),
        wide=wide,
    )
