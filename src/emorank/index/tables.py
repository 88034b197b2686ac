"""What an index keeps, wherever it lies: its tables, and whose turn it is to write them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from emorank.audio import Policy
from emorank.errors import EmorankError
from emorank.index import guarded, ledger, remote, table
from emorank.index.about import ABOUT_FILE
from emorank.index.aside import Aside
from emorank.index.documents import LOCK
from emorank.index.failures import reported
from emorank.index.picking import COLLECTIONS
from emorank.index.plan import Indexed
from emorank.index.rows import Rows, quoted
from emorank.index.searches import SEARCHES
from emorank.index.upgrade import prepared
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP
from emorank.objects import is_remote, lease
from emorank.storage import is_temporary, owner_only, private_folder, remove_stale

LABELS_FILE = "labels.parquet"  # of a named index, beside its tables
LOCK_FILE = ".lock"
FILE = ("path", "size", "changed", "digest", "reason")


class Tables:
    """The tables of a model's encoder at a place.

    Args:
        place: a folder, or an address on object storage; made when it is not there.
        model: gives the embeddings.
        channels: which channels of a recording are heard.
        readonly: nothing is written.
        aside: recordings that cannot be heard go into a table of their own.

    Raises:
        DamagedIndex: what is there is not what was written.
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(
        self, place: str | os.PathLike[str], model: EmotionRankCLAP, channels: Policy, readonly: bool, aside: bool
    ) -> None:
        self.place: Path | str = str(place) if is_remote(place) else Path(place).absolute()
        self._model, self._channels, self._readonly = model, channels, readonly
        self._check: Callable[[], None] = lambda: None  # that another writer has not taken over
        if isinstance(self.place, Path):
            _require_index(self.place)
        with reported(self.place, "read"):
            if isinstance(self.place, Path) and not readonly:
                private_folder(self.place)
            name = table.table_name(model, channels)
            self.rows = Rows(self.place, name, table.schema(model), self._open)
            with owner_only():
                self._aside = Aside(self.place, name) if aside else None

    def _open(self) -> Any:
        if isinstance(self.place, str):
            return (remote.opened if self._readonly else remote.prepared)(self.place, self._model, self._channels)
        if self._readonly:
            return table.opened(self.place, self._model, self._channels)
        with owner_only():
            return prepared(self.place, self._model, self._channels, lock_of(self.place))

    @contextmanager
    def written(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        with ExitStack() as held:
            held.enter_context(reported(self.place, "written"))
            if isinstance(self.place, str):
                self._check = held.enter_context(lease(self.place)).check
            else:
                held.enter_context(owner_only())
                held.enter_context(lock_of(self.place))
                remove_stale(self.place)
            yield

    def recordings(self) -> dict[str, Indexed]:
        """Every recording by its path, also those that cannot be searched."""
        self.rows.refresh()
        known = recordings_of(self.rows.read(list(FILE), ["file"]))
        return known | (recordings_of(self._aside.read()) if self._aside else {})

    def broken(self) -> Iterator[tuple[str, str]]:
        """Recordings that cannot be searched: path and reason."""
        tables = [self.rows.read(["path", "reason"], ["file"], "reason IS NOT NULL")]
        tables += [self._aside.read()] if self._aside else []
        for rows in tables:
            yield from zip(rows["path"].to_pylist(), rows["reason"].to_pylist(), strict=True)

    def remove(self, paths: Sequence[str]) -> None:
        """Take recordings out."""
        self._check()
        self.rows.delete(paths)
        if self._aside:
            self._aside.replace(paths, None)

    def replace(self, old: Sequence[str], rows: Any) -> None:
        """Put in the rows of recordings; those that cannot be searched go aside where there is a table for them.

        Args:
            old: those of the recordings that were there before.
            rows: whole recordings; one transaction.
        """
        import pyarrow.compute as pc

        self._check()
        self.rows.delete(old)
        if self._aside is None:
            self.rows.add(rows)
            return
        moments, broken = rows.filter(pc.is_null(rows["reason"])), rows.filter(pc.is_valid(rows["reason"]))
        if len(moments):
            self.rows.add(moments)
        self._aside.replace(old, broken)

    def copies(self, batch: Sequence[tuple[Recording, str]]) -> Any:
        """The rows of known recordings under the paths of files with the same content."""
        import pyarrow as pa

        sources = ", ".join(quoted(source) for source in {source for _, source in batch})
        rows = self.rows.whole(f"path IN ({sources})")
        at: dict[str, list[int]] = {}
        for index, path in enumerate(rows["path"].to_pylist()):
            at.setdefault(path, []).append(index)
        targets = [(file, index) for file, source in batch for index in at[source]]
        taken = rows.take(pa.array([index for _, index in targets]))
        for name in ("path", "size", "changed"):
            values = pa.array([getattr(file, name) for file, _ in targets], taken.schema.field(name).type)
            taken = taken.set_column(taken.schema.get_field_index(name), taken.schema.field(name), values)
        return table.summed(taken, table.schema(self._model))


def recordings_of(rows: Any) -> dict[str, Indexed]:
    """Rows with the columns `FILE` -> recordings by their path."""
    columns = (rows[name].to_pylist() for name in FILE)
    return {path: Indexed(*rest) for path, *rest in zip(*columns, strict=True)}


def lock_of(folder: Path) -> Any:
    """One writer at a time; the lock of a killed process is free."""
    from filelock import FileLock

    return FileLock(folder / LOCK_FILE, mode=0o600)


def _require_index(folder: Path) -> None:
    """That a folder is an index, or that one can be made there."""
    if folder.is_dir():
        names = [path.name for path in folder.iterdir()]
        ours = [name for name in names if name.endswith((table.SUFFIX, ledger.SUFFIX))]
        foreign = [name for name in names if name not in (*ours, LOCK_FILE) and not _is_ours(name)]
        if foreign and not ours:
            raise EmorankError(f"{folder}: no index, and not empty; name another folder for the index.")
    elif folder.exists():
        raise EmorankError(f"{folder}: a file, a folder for the index is needed.")


def _is_ours(name: str) -> bool:
    guards = any(guarded.belongs(name, file) for file in (ABOUT_FILE, LABELS_FILE, COLLECTIONS.file, SEARCHES.file))
    return guards or name == LOCK or is_temporary(name)
