"""The index that is meant: one with a name as it is, or a folder or recording that is listened to first."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from emorank import DEFAULT_MODEL
from emorank.cli.asked import allowed
from emorank.cli.console import as_typed, late_progress
from emorank.cli.listen import updated
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.index.named import NamedIndex
    from emorank.index.plan import Indexed
    from emorank.model import EmotionRankCLAP
    from emorank.search.rank import Searched


@dataclass(frozen=True)
class Place:
    """What is searched.

    Args:
        collection: its segments.
        model: that placed them.
        named: the index by its name; None where it is a folder or a recording.
    """

    collection: "Searched"
    model: "EmotionRankCLAP"
    named: "NamedIndex | None" = None

    @cached_property
    def recordings(self) -> "Mapping[str, Indexed] | None":
        """What a named index knows of its recordings; None of a folder, which was looked at just now."""
        from emorank.search.mapped import MappedCollection

        if self.named and isinstance(self.collection, MappedCollection):
            return self.collection.recordings
        return self.named.reading.recordings() if self.named else None

    @cached_property
    def by_content(self) -> "Mapping[str, Sequence[str]]":
        """The paths of a named index's recordings by what is in them."""
        from emorank.search.mapped import MappedCollection

        if isinstance(self.collection, MappedCollection):
            return self.collection.by_content
        from emorank.taking.picked import by_content

        return by_content(self.recordings or {})


def opened(
    place: str,
    where: str | None,
    model: str | None = None,
    index: Path | None = None,
    channels: str | None = None,
    memory: str | None = None,
) -> Place:
    """A named index as it is, or a folder or recording that is listened to first.

    Raises:
        EmorankError: there is nothing of this name, or the filter cannot be understood.
    """
    named = _named(place, model, index, channels)
    from emorank.search.opened import folder_collection, named_collection

    if where:
        from emorank.search.columns import column_types
        from emorank.search.filter import where as understood

        understood(where, column_types(named.labels() if named else None))  # before a model is loaded
    if named:
        with late_progress(f"reading {named.name}") as bar:
            return Place(named_collection(named, allowed(memory), bar), named.model, named)
    from emorank.model import EmotionRankCLAP

    clap = EmotionRankCLAP.from_pretrained(model or DEFAULT_MODEL)
    kept = updated(place, clap, index, channels or "auto")
    with late_progress(f"reading the index of {place}") as bar:
        collection = folder_collection(kept, place, lambda path: as_typed(path, place), allowed(memory), bar)
    if not len(collection):
        raise EmorankError(f"{place}: there are no recordings that can be searched.")
    return Place(collection, clap)


def _named(place: str, model: str | None, index: Path | None, channels: str | None) -> "NamedIndex | None":
    """The named index that is searched; None where it is a folder or a recording."""
    from emorank.index.named import NamedIndex, is_named

    if not is_named(place):
        if not os.path.exists(place):
            raise EmorankError(f"{place}: there is no such file or folder, and no index of this name.")
        return None
    if model is not None or index is not None or channels is not None:
        raise EmorankError(
            f"{place} is a named index with its own model, place and channels; leave --model, --index, --channels out."
        )
    return NamedIndex.open(place)
