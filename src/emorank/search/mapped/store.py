"""The files that a large index is searched by: arrays that only grow, mapped into memory, derived from the table.

They are a cache: what is missing, touched or of another table is made anew from the table, never believed. An array is
a file to which rows are appended; what counts is how long the manifest says it is, and the manifest is replaced whole.
So a reader that has it open keeps what it has, and a killed writer leaves bytes that nobody looks at. Small arrays that
change elsewhere than at their end are files of their own for each version.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from emorank.search.mapped.arrays import copied, mapped
from emorank.storage import written_whole

FORMAT = 3
MANIFEST = "manifest"
DIMS = 32  # leading directions, in which all rows are scored
FINER = 128  # in which the best of those are
PARTS = 254  # of a step
_GROWING: dict[str, tuple[str, str, tuple[int, ...]]] = {  # name -> what it grows with, kind, shape of an item
    "rowid": ("rows", "<u8", ()),  # in the table, but for those that moved
    "sum": ("rows", "<u8", ()),
    "id": ("rows", "<u8", ()),
    "recording": ("rows", "<u4", ()),
    "start": ("rows", "<f8", ()),
    "end": ("rows", "<f8", ()),
    "places": ("rows", "<f4", (3,)),
    "loudness": ("rows", "<f4", ()),
    "speech": ("rows", "<f4", ()),
    "channel": ("rows", "<i2", ()),
    "small": ("rows", "|i1", (-1,)),  # see `Store.reduced`
    "finer": ("rows", "|i1", (-1,)),
    "path": ("bytes", "|u1", ()),  # of all recordings, one after the other
    "path_end": ("recordings", "<i8", ()),
    "name": ("recordings", "<u8", ()),
    "first": ("recordings", "<u4", ()),
    "count": ("recordings", "<u4", ()),
    "size": ("recordings", "<i8", ()),
    "changed": ("recordings", "<i8", ()),
    "digest": ("recordings", "|u1", (16,)),  # zeros where it is not known
    "sample_row": ("sample", "<u4", ()),
    "sample": ("sample", "<f4", (-1,)),
}
_SCATTERED = ("finer", "rowid", "sum", "id")  # of which only some rows are read
#: What is written anew where it changes: rows that lie elsewhere in the table now, in order, and where; rows that are
#: no more, in order; ids of recordings that could not be heard; the recordings that are there in the order of their
#: paths; rows, from the first on, in the order of their names.
CHANGING = {"moved": "<u4", "moved_to": "<u8", "dead": "<u4", "unheard": "<u8", "order": "<u4", "by_id": "<u4"}


class Manifest(msgspec.Struct, frozen=True):
    """What the files are.

    Args:
        format: of the files.
        made: which table they are derived from.
        version: of the table.
        generation: the folder of the files that grow.
        dim: of embeddings.
        share: of the rows that are in the sample, about.
        began: how many rows there were when the leading directions were found.
        lengths: rows, recordings, bytes of paths, rows of the sample.
        changing: the file of each of `CHANGING`.
        states: size, times and inode of every file as they were left.
        damage: number of a recording -> what is missing of it.
    """

    format: int
    made: str
    version: int
    generation: str
    dim: int
    share: float
    began: int
    lengths: dict[str, int]
    changing: dict[str, str]
    states: dict[str, str]
    damage: dict[int, str]


@dataclass(frozen=True)
class Store:
    """The files at one version, open.

    Args:
        folder: that the manifest lies in.
        manifest: what they are.
        arrays: by name, read-only.
        basis: (embedding_dim, dims) leading directions.
        steps: (dims,) what 1 of a small integer is worth in each.
        middle: (embedding_dim,) what they count from.
    """

    folder: Path
    manifest: Manifest
    arrays: dict[str, np.ndarray]
    basis: np.ndarray
    steps: np.ndarray
    middle: np.ndarray

    @property
    def files(self) -> Path:
        """The folder of the arrays."""
        return self.folder / self.manifest.generation

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __len__(self) -> int:
        return self.manifest.lengths["rows"]

    def path(self, recording: int) -> bytes:
        """Of a recording, by its number."""
        ends = self.arrays["path_end"]
        return bytes(self.arrays["path"][int(ends[recording - 1]) if recording else 0 : int(ends[recording])])

    def whole(self, name: str) -> np.ndarray:
        """A copy of an array: read from one end to the other, also where single rows of it are read else."""
        return copied(self[name]) if name in _SCATTERED else self[name].copy()

    def places_in_table(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Where rows lie in the table, as its row ids."""
        if isinstance(rows, slice):
            every = self.whole("rowid")
            every[self["moved"]] = self["moved_to"]
            return np.asarray(every[rows])
        found = self["rowid"][rows]
        if len(self["moved"]):
            at = np.searchsorted(self["moved"], rows).clip(max=len(self["moved"]) - 1)
            found = np.where(self["moved"][at] == rows, self["moved_to"][at], found)
        return np.asarray(found)

    def reduced(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, embedding_dim) -> `small` and `finer`, both int8.

        `small`, (n, `DIMS`), is the first directions in whole steps. `finer`, (n, dims), is the others, and then what
        the first ones were rounded by, in `PARTS` of a step: they vary most, so their steps are the coarsest.
        """
        values = ((embeddings - self.middle) @ self.basis) / self.steps
        steps = np.rint(values).clip(-127, 127)
        rest = np.rint((values - steps)[:, :DIMS] * PARTS).clip(-127, 127)
        finer = np.concatenate([steps[:, DIMS:], rest], axis=1)
        return steps[:, :DIMS].astype(np.int8), finer.astype(np.int8)


def opened(folder: Path, thorough: bool = True) -> Store | None:
    """What lies in a folder; None where that is nothing, or not what was left there.

    Args:
        folder: of the manifest.
        thorough: whether the files have to be just as they were left; not while another process may append to them.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        digest, _, text = content.partition(b"\n")
        if digest != _digest(text):
            return None
        manifest = msgspec.json.decode(text, type=Manifest)
        if manifest.format != FORMAT:
            return None
        files = folder / manifest.generation
        if thorough and any(state(files / name) != known for name, known in manifest.states.items()):
            return None
        arrays = {name: _mapped(files / name, name, manifest) for name in _GROWING}
        arrays |= {name: _read(files / file, CHANGING[name]) for name, file in manifest.changing.items()}
        fixed = {name: _read(files / name, "<f4") for name in ("basis", "steps", "middle")}
        return Store(
            folder, manifest, arrays, fixed["basis"].reshape(manifest.dim, -1), fixed["steps"], fixed["middle"]
        )
    except (OSError, ValueError, KeyError, msgspec.MsgspecError):
        return None


def begun(folder: Path, made: str, share: float, sample: np.ndarray) -> Store:
    """A new generation without rows.

    Args:
        folder: that the manifest will lie in.
        made: which table it is derived from.
        share: of the rows that shall be in the sample.
        sample: (n, embedding_dim) that the leading directions are found from.
    """
    generation = f"generation-{os.urandom(4).hex()}"
    files = folder / generation
    files.mkdir(parents=True, mode=0o700)
    middle = sample.mean(0, dtype=np.float64).astype(np.float32)
    centred = sample - middle
    _, vectors = np.linalg.eigh(centred.T @ centred)
    basis = np.ascontiguousarray(vectors[:, ::-1][:, :FINER].astype(np.float32))
    reach = np.quantile(np.abs(centred @ basis), 0.9999, axis=0)
    steps = np.maximum(1.1 * reach / 127, 1e-9).astype(np.float32)
    for name, values in (("basis", basis), ("steps", steps), ("middle", middle)):
        values.tofile(files / name)
    for name in _GROWING:
        (files / name).touch()
    lengths = dict.fromkeys(("rows", "recordings", "bytes", "sample"), 0)
    manifest = Manifest(FORMAT, made, 0, generation, sample.shape[1], share, 0, lengths, {}, {}, {})
    arrays = {name: _mapped(files / name, name, manifest, basis.shape[1]) for name in _GROWING}
    arrays |= {name: np.zeros(0, kind) for name, kind in CHANGING.items()}
    return Store(folder, manifest, arrays, basis, steps, middle)


def appended(store: Store, values: dict[str, np.ndarray], lengths: dict[str, int]) -> dict[str, np.ndarray]:
    """Put items at the end of arrays; gives the arrays with them. Nothing counts before it is `committed`."""
    arrays = {}
    for name, new in values.items():
        grows, kind, _ = _GROWING[name]
        new = np.ascontiguousarray(new, kind)
        at = lengths[grows] * (new.nbytes // len(new) if len(new) else 0)
        with open(store.files / name, "r+b") as file:
            file.seek(at)
            file.write(new.data)
        arrays[name] = mapped(store.files / name, kind, (lengths[grows] + len(new), *new.shape[1:]), name in _SCATTERED)
    return arrays


def committed(folder: Path, manifest: Manifest, changing: dict[str, np.ndarray], before: Manifest | None) -> None:
    """Make what was appended count, with the arrays that change; what no version needs any more goes.

    Args:
        folder: of the manifest.
        manifest: without `changing` and `states`.
        changing: those that are not what they were; all of them in a new generation.
        before: the version so far.
    """
    files = folder / manifest.generation
    same = before.changing if before and before.generation == manifest.generation else {}
    names = same | {name: f"{name}-{os.urandom(4).hex()}" for name in changing}
    for name, values in changing.items():
        np.ascontiguousarray(values, CHANGING[name]).tofile(files / names[name])
    states = {}
    for name in (*_GROWING, *names.values(), "basis", "steps", "middle"):
        _sync(files / name)
        states[name] = state(files / name)
    text = msgspec.json.encode(msgspec.structs.replace(manifest, changing=names, states=states))
    with written_whole(folder / MANIFEST, private=True) as temporary:
        temporary.write_bytes(_digest(text) + b"\n" + text)
    _tidied(folder, manifest.generation, {*states})


def _tidied(folder: Path, generation: str, needed: set[str]) -> None:
    """Whoever has removed files mapped keeps them; where the system forbids to remove those, the next one will."""
    for place in folder.glob("generation-*"):
        for file in place.iterdir():
            if place.name != generation or file.name not in needed:
                with suppress(OSError):
                    file.unlink()
        if place.name != generation:
            with suppress(OSError):
                place.rmdir()


def state(file: Path) -> str:
    """Changes when a file is touched."""
    status = os.stat(file)
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _mapped(file: Path, name: str, manifest: Manifest, dims: int | None = None) -> np.ndarray:
    grows, kind, shape = _GROWING[name]
    if name in ("small", "finer"):
        width = dims or (file.parent / "steps").stat().st_size // 4
        shape = (min(width, DIMS) if name == "small" else width,)
    elif name == "sample":
        shape = (manifest.dim,)
    return mapped(file, kind, (manifest.lengths[grows], *shape), name in _SCATTERED)


def _read(file: Path, kind: str) -> np.ndarray:
    count = os.stat(file).st_size // np.dtype(kind).itemsize
    return mapped(file, kind, (count,))


def _sync(file: Path) -> None:
    from emorank.storage import sync

    sync(file)


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()
