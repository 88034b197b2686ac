"""The index of folders: it follows them, survives kills and full disks, and never hears the same content twice."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.errors import AudioError
from emorank.index import table
from emorank.index.failures import reported
from emorank.index.plan import Indexed, Plan, Update, plan
from emorank.index.rows import chunks, quoted
from emorank.index.segments import Segments
from emorank.index.tables import FILE, Tables, recordings_of
from emorank.index.view import View
from emorank.listening.caution import caution
from emorank.listening.course import Told
from emorank.listening.encode import listen
from emorank.listening.recordings import Listing, Recording, recordings, within
from emorank.model import EmotionRankCLAP
from emorank.storage import cache_folder
from emorank.types import Hearing, SoFar

_MOMENT = ("path", "start", "end", "channel", "loudness", "speech")
_SEARCHED = (*_MOMENT, "embedding", *DIMENSIONS, "damage", "reason", "changed")
_COPIED_AT_ONCE = 500  # moved recordings in one transaction

#: Recordings, and what is told how far it is -> rows of the table, whole recordings at a time.
Hear = Callable[[Sequence[Recording], Told], Iterator[Any]]


class Index:
    """The searchable segments of recordings, on disk, in LanceDB tables.

    Models on different audio encoders keep their own table in the same folder. A table whose embeddings another model
    on the same encoder made is brought up to this one when it is opened, without listening.

    Args:
        folder: where the index lies, a folder or an address on object storage; made when it is not there.
        model: gives the embeddings.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`; each policy has its own table.
        readonly: nothing is written, not even where the table is of an older emorank or another model.
        aside: recordings that cannot be heard go into a table of their own, see `emorank.index.aside`.

    Raises:
        DamagedIndex: what is there is not what was written.
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        model: EmotionRankCLAP,
        channels: Policy = "auto",
        readonly: bool = False,
        aside: bool = False,
    ) -> None:
        self.model = model
        self.channels = channels
        self._tables = Tables(folder, model, channels, readonly, aside)
        self._rows = self._tables.rows
        self.folder = self._tables.place

    @classmethod
    def of(cls, root: str | os.PathLike[str], model: EmotionRankCLAP, channels: Policy = "auto") -> "Index":
        """The index of a folder in the user's cache."""
        digest = hashlib.sha256(os.path.abspath(root).encode("utf8", "surrogateescape")).hexdigest()[:16]
        return cls(cache_folder() / "index" / digest, model, channels)

    @property
    def version(self) -> int:
        """Grows with every transaction of any process."""
        with reported(self.folder, "read"):
            return self._rows.refresh()

    def update(self, root: str | os.PathLike[str], progress: Hearing | None = None, prune: bool = False) -> Update:
        """Bring the index up to what a folder (or one recording) holds now.

        Every few minutes of audio are written in one transaction, so a killed update loses only those and the next
        goes on from there. Content that the index knows under another path is copied, not encoded. Recordings that
        cannot be read are kept with their reason, and read again once they change. One update runs at a time,
        another process waits for it.

        Args:
            root: the folder, or the recording.
            progress: called at once, and then every few seconds.
            prune: remove what the index has of a folder that is empty now; without it an unmounted disk loses nothing.

        Raises:
            EmorankError: there is nothing at `root`, or the disk is full.
        """
        return self.follow(os.path.abspath(root), lambda: recordings(root), self._heard, progress, prune)

    def follow(
        self,
        top: str,
        listed: Callable[[], Listing],
        hear: Hear,
        progress: Hearing | None = None,
        prune: bool = False,
    ) -> Update:
        """The same, where what is there and how it is heard are functions.

        Args:
            top: a folder, recording or address: what lies under it and is not listed any more is removed.
            listed: gives what is there now.
            hear: gives the rows of recordings, each recording's in one table; every table is one transaction.
            progress: as for `update`.
            prune: as for `update`.
        """
        with self._tables.written():
            listing = listed()
            indexed = self.recordings()
            todo = plan(top, listing, indexed, prune)
            damaged, unspoken = self._write(todo, indexed, hear, progress)
            self._tables.remove(todo.remove)
            if todo.hear or todo.copy or todo.remove:
                self._rows.optimize()
            self._rows.note()
            there = {file.path for file in listing.recordings}
            left_out = [(path, why) for path, why in self._tables.broken() if within(path, top) or path in there]
            broken = [*listing.broken, *(AudioError(path, why) for path, why in left_out)]
        new = [*todo.hear, *(file for file, _ in todo.copy)]
        skipped = {error.path for error in broken}
        heard = [file for file in new if file.path not in skipped]
        changed = sum(file.path in indexed for file in heard)
        seen = {file.path for file in listing.recordings} - {file.path for file in new}
        return Update(
            added=len(heard) - changed,
            changed=changed,
            moved=len(todo.copy),
            removed=len(todo.remove),
            kept=len(seen - skipped),
            missing=todo.missing,
            broken=tuple(sorted(broken, key=lambda error: error.path)),
            damaged=damaged,
            passed_over=listing.passed_over,
            unspoken=unspoken,
        )

    def segments(self) -> Segments:
        """Everything that can be searched."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            return _segments(self._rows.read(list(_SEARCHED), ["searched", "file"]))

    def view(self) -> View | None:
        """The latest version, to be read in pieces; None where nothing was written yet."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            return self._rows.view()

    def recordings(self) -> dict[str, Indexed]:
        """Every recording of the index by its absolute path, also those that cannot be searched."""
        with reported(self.folder, "read"):
            return self._tables.recordings()

    def contents(self) -> tuple[Segments, dict[str, Indexed]]:
        """Both of one version: every segment has its recording, whatever another process writes meanwhile."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            rows = self._rows.read(list(dict.fromkeys((*_SEARCHED, *FILE))), ["searched", "file"])
            return _segments(rows.select(_SEARCHED)), recordings_of(rows.select(FILE))

    def features(self) -> Iterator[Any]:
        """What the encoder gave, as batches with path, start, channel and feature, of the version that was read last.

        Another model on the same encoder makes its embeddings of them.
        """
        with reported(self.folder, "read"):
            yield from self._rows.batches(["path", "start", "channel", "feature"], "heard")

    def peaks(self, path: str) -> list[bytes | None]:
        """The waveforms of a recording's segments as they are drawn, in the order of their start and channel."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            rows = self._rows.read(
                ["start", "channel", "peaks"], ["drawn"], f"path = {quoted(path)} AND reason IS NULL"
            )
            rows = rows.sort_by([("start", "ascending"), ("channel", "ascending")])
            peaks: list[bytes | None] = rows["peaks"].to_pylist()
            return peaks

    def _write(
        self, todo: Plan, indexed: dict[str, Indexed], hear: Hear, progress: Hearing | None
    ) -> tuple[dict[str, str], int]:
        """New rows of recordings in place of the old ones.

        Gives what is missing of those that were heard, and how many of their moments hold hardly any speech.
        """
        damaged: dict[str, str] = {}
        unspoken = 0
        size = sum(file.size for file in todo.hear)
        course = SoFar(0, len(todo.hear) + len(todo.copy), 0, 0.0, 0.0 if size else 1.0)

        def tell(**now: Any) -> None:
            nonlocal course
            course = replace(course, **now)
            if progress:
                progress(course)

        def heard(seconds: float, read: float) -> None:
            tell(seconds=seconds, part=min(1.0, read / max(size, 1)))

        def add(rows: Any, paths: Sequence[str]) -> None:
            self._tables.replace([path for path in paths if path in indexed], rows)
            skipped = len(rows) - rows["reason"].null_count
            tell(done=course.done + len(paths), skipped=course.skipped + skipped)

        tell()
        for some in chunks(todo.copy, _COPIED_AT_ONCE):
            add(self._tables.copies(some), [file.path for file, _ in some])
        # The encoder is loaded only where there is something to encode.
        for rows in hear(todo.hear, heard) if todo.hear else ():
            paths = rows["path"].to_pylist()
            add(rows, list(dict.fromkeys(paths)))
            damaged |= {path: note for path, note in zip(paths, rows["damage"].to_pylist(), strict=True) if note}
            unspoken += sum(caution(speech) is not None for speech in rows["speech"].to_pylist())
        return damaged, unspoken

    def _heard(self, files: Sequence[Recording], told: Told) -> Iterator[Any]:
        batches = listen(files, self.model.audio_encoder, channels=self.channels, progress=told)
        return (table.rows(batch, self.model) for batch in batches)


def _segments(rows: Any) -> Segments:
    import pyarrow.compute as pc

    if rows["reason"].null_count < len(rows):  # some could not be heard
        rows = rows.filter(pc.is_null(rows["reason"]))
    return Segments.of(rows)
