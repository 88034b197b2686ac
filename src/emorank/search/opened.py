"""Opens an index for searching: in memory where it is small, from mapped files where it is not."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from emorank import memory as memories
from emorank.index import Index
from emorank.index.view import View
from emorank.search.collection import Collection
from emorank.search.mapped import MappedCollection
from emorank.search.mapped.columns import Shown
from emorank.search.mapped.follow import Progress, followed
from emorank.search.rank import Searched

if TYPE_CHECKING:
    from emorank.index.named import NamedIndex

#: Segments that are held in memory by default. More are searched as fast from files, and an update of those is not
#: followed by reading everything again.
HELD = 100_000
_BESIDE = 700  # bytes of a segment in memory beside its embedding


def view_of(index: Index, memory: int | None) -> View | None:
    """The index as it is now, to be searched from files; None where it is to be held in memory.

    Args:
        index: what is searched.
        memory: bytes that it may take; by default what `HELD` segments do, and not more than half of what is free.
    """
    view = index.view()
    if view is None:
        return None
    each, count = 4 * view.dim + _BESIDE, len(view)
    most = min(HELD * each, memories.free() // 2) if memory is None else memory
    return view if count * each > most else None


def named_collection(named: "NamedIndex", memory: int | None = None, progress: Progress | None = None) -> Searched:
    """What a named index holds, with its labels; paths are shown from the folder that was indexed on.

    Args:
        named: the index.
        memory: bytes that it may take, see `view_of`.
        progress: of what has to be read for the files, called with rows done and to do.
    """
    view = view_of(named.reading, memory)
    return Collection.of(named) if view is None else mapped_collection(named, view, progress)


def mapped_collection(named: "NamedIndex", view: View, progress: Progress | None = None) -> MappedCollection:
    """The same from files, of a view of the index."""
    return MappedCollection(followed(view, progress), named.labels(), Shown(named.shown, named.all_shown))


def folder_collection(
    index: Index, root: str, shown: Callable[[str], str], memory: int | None = None, progress: Progress | None = None
) -> Searched:
    """What the index of a folder holds of it.

    Args:
        index: of the folder, or of more.
        root: the folder or recording.
        shown: how an absolute path is shown.
        memory: bytes that it may take, see `view_of`.
        progress: see `named_collection`.
    """
    top, view = os.path.abspath(root), view_of(index, memory)
    if view is None:
        segments = index.segments().under(top)
        return Collection(segments, shown=[shown(path) for path in segments.paths])
    import polars as pl

    def all_shown(paths: "pl.Series") -> "pl.Series":
        return paths.map_elements(shown, pl.String)

    return MappedCollection(followed(view, progress), shown=Shown(shown, all_shown), under=top)
