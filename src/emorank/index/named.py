"""Indexes with a name: they last, know the folders that they follow, and keep a table of the user's beside them."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from emorank import DEFAULT_MODEL
from emorank.audio import Policy, parse_policy
from emorank.errors import EmorankError
from emorank.index import guarded, places
from emorank.index.about import ABOUT_FILE, FORMAT, About, read, write
from emorank.index.failures import DamagedIndex, reported
from emorank.index.labels import Fit, beside_own, fitted, labels_of, merged
from emorank.index.places import folder_of, is_named, names
from emorank.index.plan import Update
from emorank.index.segments import Segments
from emorank.index.tables import LABELS_FILE, lock_of
from emorank.index.update import Index
from emorank.listening.recordings import Recording, recordings, within
from emorank.model import EmotionRankCLAP
from emorank.objects import is_remote
from emorank.storage import private_folder
from emorank.types import Hearing

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NamedIndex", "folder_of", "is_named", "names"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NamedIndex:
    """An index by its name.

    Args:
        name: letters, digits, dot, dash and underscore; or the folder or address where a dataset was embedded.
        folder: where it lies; of one on object storage, where what is picked of it and copies of its small files lie.
        model_name: the model that listens: a packaged name, an absolute folder or a hub id.
        roots: the folders and recordings that it follows, absolute.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`.
    """

    name: str
    folder: Path
    model_name: str
    roots: tuple[str, ...]
    channels: Policy = "auto"

    @cached_property
    def model(self) -> EmotionRankCLAP:
        """The model, loaded when first asked for."""
        return EmotionRankCLAP.from_pretrained(self.model_name)

    @cached_property
    def index(self) -> Index:
        """The segments on disk, to be written."""
        return Index(self._place, self.model, self.channels)

    @property
    def _place(self) -> str | Path:
        return self.name if is_remote(self.name) else self.folder

    @property
    def reading(self) -> Index:
        """The segments on disk; nothing is written, so a place that cannot be written will do."""
        opened: Index | None = self.__dict__.get("index")
        return opened or self._reading

    @cached_property
    def _reading(self) -> Index:
        return Index(self._place, self.model, self.channels, readonly=True)

    def update(self, progress: Callable[[str], Hearing] | None = None, prune: bool = False) -> tuple[Update, list[str]]:
        """Bring the index up to what its folders hold now.

        Args:
            progress: gives a function for the root that is being read.
            prune: remove what is known of folders that are empty now.

        Returns:
            What was done, over all roots, and the roots that are not there now; what is known of those stays.
        """
        done, missing = [], []
        for root in self.roots:
            if os.path.exists(root):
                done.append(self.index.update(root, progress(root) if progress else None, prune))
            else:
                missing.append(root)
        return Update.total(done), missing

    def segments_of(self, path: str) -> Segments | None:
        """Those of one recording, by its absolute path; None where the index does not hold it as it is now."""
        if not any(within(path, root) for root in self.roots):
            return None
        segments, known = self.reading.contents()
        entry = known.get(path)
        try:
            now = Recording.now(path) if entry else None
        except OSError:
            now = None
        if entry is None or entry.reason or (now and (now.size, now.changed) != (entry.size, entry.changed)):
            return None
        return segments.under(path)

    def labels(self) -> "pl.DataFrame | None":
        """The user's table, None where there is none."""
        import polars as pl

        file = self.folder / LABELS_FILE
        try:
            guarded.check(file)
            return beside_own(pl.read_parquet(file, glob=False)) if file.exists() else None
        except (pl.exceptions.PolarsError, OSError) as error:
            raise EmorankError(f"{file}: the labels cannot be read; give them anew with --table.") from error

    def keep_labels(self, table: "pl.DataFrame", folder: str | os.PathLike[str] = ".") -> Fit:
        """Keep a user's table, over what earlier ones said of the same recordings.

        Args:
            table: with `path` and any columns, see `emorank.corpora.read_table`.
            folder: of the table.

        Raises:
            EmorankError: no row fits a recording, or two different rows fit one.
        """
        there = (file.path for root in self.roots if os.path.exists(root) for file in recordings(root).recordings)
        every = dict.fromkeys([*there, *self.index.recordings()])
        fit = fitted(table, os.path.abspath(folder), self.roots, every)
        with reported(self.folder, "written"), lock_of(self.folder):
            try:
                before = self.labels()
            except DamagedIndex:
                raise
            except EmorankError as error:
                logger.warning("%s What it said is lost.", error)
                before = None
            labels = merged(before, labels_of(fit.labels))
            guarded.write(self.folder / LABELS_FILE, labels.write_parquet)
        return fit

    def shown(self, path: str) -> str:
        """An absolute path as it is shown to others: from the name of the indexed folder on."""
        for root in self.roots:
            if within(path, root):
                return os.path.relpath(path, os.path.dirname(root))
        return os.path.basename(path)

    def all_shown(self, paths: "pl.Series") -> "pl.Series":
        """The same of many paths."""
        import polars as pl

        path = pl.col("path")
        shown = path.str.split(os.sep).list.last()
        for root in reversed(self.roots):
            inside = (path == root) | path.str.starts_with(root.rstrip(os.sep) + os.sep)
            above = os.path.dirname(root).rstrip(os.sep) + os.sep
            shown = pl.when(inside).then(path.str.strip_prefix(above)).otherwise(shown)
        return paths.alias("path").to_frame().select(shown.alias("path"))["path"]

    @classmethod
    def open(cls, name: str) -> "NamedIndex":
        """An index that is there.

        Raises:
            EmorankError: there is none of this name, or it cannot be read.
        """
        folder = folder_of(name)
        try:
            places.refresh(name, folder)
            about = read(folder)
        except FileNotFoundError as error:
            if is_remote(name):
                raise EmorankError(f"{name}: there is no dataset; make it: emorank embed DIR --out {name}") from error
            known = ", ".join(names())
            there = f"there are {known}" if known else "there are none yet"
            raise EmorankError(
                f"There is no index {name!r} ({there}); make it: emorank index DIR --name {name}"
            ) from error
        return cls(name, folder, about.model, tuple(about.roots), parse_policy(about.channels))

    @staticmethod
    def absolute(model: str) -> str:
        """A model's name as an index keeps it: that of a folder does not depend on where one stands."""
        return os.path.abspath(model) if os.path.isdir(model) else model

    @classmethod
    def made(
        cls, name: str, roots: Sequence[str], model: str | None = None, channels: Policy | None = None
    ) -> "NamedIndex":
        """An index that follows these folders, and those that it followed before; made where it is not there.

        Raises:
            EmorankError: there is nothing at a root, the name cannot be one, or another encoder made the index.
        """
        places.require_name(name)
        folder = folder_of(name)
        for root in roots:
            if not os.path.exists(root):
                raise EmorankError(f"{root}: there is no such file or folder.")
        there = cls.open(name) if guarded.is_known(folder / ABOUT_FILE) else None
        wanted = cls._wanted(name, roots, model, channels, there)
        if wanted == there:
            return there
        wanted.model  # noqa: B018  - a model that is not there must not make an index
        with reported(folder, "written"):
            private_folder(folder)
            with lock_of(folder):  # another process may have written meanwhile
                there = cls.open(name) if guarded.is_known(folder / ABOUT_FILE) else None
                made = cls._wanted(name, roots, model, channels, there)
                write(folder, About(FORMAT, made.model_name, list(made.roots), made.channels))
        return made

    @classmethod
    def _wanted(
        cls, name: str, roots: Sequence[str], model: str | None, channels: Policy | None, there: "NamedIndex | None"
    ) -> "NamedIndex":
        if there is None and not roots:
            return cls.open(name)  # says that there is none
        named = cls.absolute(model) if model else there.model_name if there else DEFAULT_MODEL
        if there and named != there.model_name:
            new = EmotionRankCLAP.from_pretrained(named)
            if there.model.encoder_fingerprint != new.encoder_fingerprint:
                old_encoder, new_encoder = there.model.config.audio_encoder, new.config.audio_encoder
                other = "other weights of it" if old_encoder == new_encoder else f"the encoder {new_encoder}"
                raise EmorankError(
                    f"Index {name!r} was made with the encoder {old_encoder}, {named} needs {other}; make another "
                    f"index for it: emorank index DIR --name {name}-2 --model {named}"
                )
        every = _outermost([*(there.roots if there else ()), *map(os.path.abspath, roots)])
        heard = channels or (there.channels if there else "auto")
        if there and heard != there.channels:
            raise EmorankError(
                f"Index {name!r} was made with --channels {there.channels}; make another index for {heard}."
            )
        return cls(name, folder_of(name), named, tuple(every), heard)


def _outermost(roots: Sequence[str]) -> list[str]:
    """Without those that lie within others."""
    unique = list(dict.fromkeys(roots))
    return [root for root in unique if not any(root != other and within(root, other) for other in unique)]
