"""Embedding: the moments of many recordings as a dataset, which is an index that lies where one wants it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank import objects
from emorank.audio import Policy, parse_policy
from emorank.errors import EmorankError
from emorank.index import Index, Update, guarded
from emorank.index.about import ABOUT_FILE, FORMAT, About, encoded, read
from emorank.index.labels import merged
from emorank.index.named import NamedIndex
from emorank.index.places import folder_of, refresh
from emorank.index.tables import LABELS_FILE
from emorank.listening.course import Told
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP
from emorank.scale.heard import Engine, heard
from emorank.scale.sources import Source
from emorank.types import Hearing

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Dataset:
    """Where moments are embedded, and by which model.

    Args:
        place: a folder or an address on object storage.
        model_name: a packaged name, an absolute folder or a hub id.
        model: of that name.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`.
        roots: the sources so far, from whose names on paths are shown.
    """

    place: str
    model_name: str
    model: EmotionRankCLAP
    channels: Policy
    roots: tuple[str, ...]

    @classmethod
    def at(cls, place: str, model: str | None, channels: Policy | None, default: str) -> "Dataset":
        """The dataset at a place, or a new one.

        Args:
            place: a folder or an address on object storage.
            model: its name; None is that of the dataset, or `default` for a new one.
            channels: None is those of the dataset, or auto for a new one.
            default: a model's name.

        Raises:
            EmorankError: another model or other channels made it, or what is there cannot be read.
        """
        place = place.rstrip("/") if objects.is_remote(place) else os.path.abspath(place)
        about = _about(place)
        if about is None:
            named = NamedIndex.absolute(model or default)
            return cls(place, named, EmotionRankCLAP.from_pretrained(named), channels or "auto", ())
        kept = EmotionRankCLAP.from_pretrained(about.model)
        if model and EmotionRankCLAP.from_pretrained(model).fingerprint != kept.fingerprint:
            raise EmorankError(f"{place}: made with the model {about.model}; embed with {model} at another place.")
        if channels and channels != parse_policy(about.channels):
            raise EmorankError(f"{place}: made with --channels {about.channels}; embed {channels} at another place.")
        return cls(place, about.model, kept, parse_policy(about.channels), tuple(about.roots))

    def update(self, source: Source, engine: Engine, progress: Hearing | None = None, prune: bool = False) -> Update:
        """Embed what is missing of a source, by content; a killed run loses half a minute, and the next goes on.

        Args:
            source: what is embedded.
            engine: hears units, see `emorank.scale.processes` and `emorank.scale.cluster`.
            progress: called at once, and then with every part that was heard.
            prune: remove what the dataset has of a source that is empty now.

        Raises:
            EmorankError: the place or the source cannot be used, or another process writes there.
        """
        index = Index(self.place, self.model, self.channels, aside=True)
        about = About(FORMAT, self.model_name, list(dict.fromkeys([*self.roots, source.root])), self.channels)
        if list(self.roots) != about.roots:  # before the first moment, so that what is there can be searched meanwhile
            self._write(ABOUT_FILE, encoded(about))

        def hear(files: Sequence[Recording], told: Told) -> Iterator[Any]:
            return heard(files, engine, self.model, told)

        done = index.follow(source.top, source.listed, hear, progress, prune)
        if source.labels is not None and len(source.labels.columns) > 1:
            self._write_labels(source.labels)
        return done

    def _write(self, name: str, content: bytes) -> None:
        if objects.is_remote(self.place):
            objects.write(self.place, name, content)
        else:
            guarded.write(Path(self.place) / name, lambda file: file.write_bytes(content))

    def _write_labels(self, new: "pl.DataFrame") -> None:
        """What a table says goes over what earlier ones said of the same recordings."""
        from io import BytesIO

        held = BytesIO()
        merged(NamedIndex.open(self.place).labels(), new).write_parquet(held)
        self._write(LABELS_FILE, held.getvalue())


def _about(place: str) -> About | None:
    """What the dataset at a place says of itself; None where there is none."""
    folder = folder_of(place) if objects.is_remote(place) else Path(place)
    try:
        refresh(place, folder)
        return read(folder)
    except FileNotFoundError:
        return None
