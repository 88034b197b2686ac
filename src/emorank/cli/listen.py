"""A folder is listened to, and its segments come back: what search, locate and timeline share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.cli.console import name_broken, name_damaged, name_passed_over, say
from emorank.cli.hearing import hearing
from emorank.errors import AudioError, EmorankError

if TYPE_CHECKING:
    import numpy as np

    from emorank.encoders import Locates
    from emorank.index import Index, Segments
    from emorank.model import EmotionRankCLAP


def listened(root: str, model: "EmotionRankCLAP", index: Path | None, channels: str = "auto") -> "Segments":
    """The segments of a folder, whose index is brought up to date; see `updated`.

    Raises:
        EmorankError: there is nothing at `root`, or nothing that can be searched.
    """
    return _some(updated(root, model, index, channels).segments().under(os.path.abspath(root)), root)


def updated(root: str, model: "EmotionRankCLAP", index: Path | None, channels: str = "auto") -> "Index":
    """Bring the index of a folder up to date, and name what is broken in it.

    Raises:
        EmorankError: there is nothing at `root`.
    """
    from emorank.audio import parse_policy
    from emorank.index import Index

    policy = parse_policy(channels)
    kept = Index(index, model, policy) if index is not None else Index.of(root, model, policy)
    with hearing("listening") as bar:
        update = kept.update(root, bar)
    name_broken(update.broken)
    name_damaged(update.damaged)
    if update.added or update.changed:
        name_passed_over(update.passed_over)
    if update.missing:
        raise EmorankError(f"{root}: there are no recordings now; its index keeps what it knows of {update.missing}.")
    return kept


def located(root: str, encoder: str, channels: str = "auto") -> "Segments":
    """The segments of a folder where the regression head of an audio encoder puts them; what is broken is named.

    Raises:
        EmorankError: the encoder has no such head, or there is nothing at `root` that can be heard.
    """
    import pyarrow as pa

    from emorank.affect import DIMENSIONS
    from emorank.audio import parse_policy
    from emorank.encoders import Locates, audio_encoder
    from emorank.index import Segments
    from emorank.listening.encode import listen, matrix, schema
    from emorank.listening.recordings import recordings
    from emorank.types import SoFar

    head = audio_encoder(encoder)
    if not isinstance(head, Locates):
        raise EmorankError(
            f"Audio encoder {encoder!r} has no regression head of its own; name one such as wavlm-ser/mean."
        )
    listing = recordings(root)
    broken = listing.broken
    size, count = sum(file.size for file in listing.recordings), len(listing.recordings)
    with hearing("listening") as bar:

        def tell(seconds: float, read: float) -> None:
            bar(SoFar(0, count, 0, seconds, min(1.0, read / max(size, 1))))

        batches = list(listen(listing.recordings, _Places(head), channels=parse_policy(channels), progress=tell))
    rows = pa.Table.from_batches(batches, schema(len(DIMENSIONS)))
    column = rows.select(["path", "reason"]).to_pydict()
    reasons = zip(column["path"], column["reason"], strict=True)
    name_broken([*broken, *(AudioError(path, reason) for path, reason in reasons if reason is not None)])
    name_passed_over(listing.passed_over)
    heard = rows.filter(pa.compute.is_null(rows["reason"]))
    for name, values in zip(DIMENSIONS, matrix(heard["feature"]).T, strict=True):
        heard = heard.append_column(name, pa.array(values))
    return _some(Segments.of(heard), root)


def clip(path: str | Path) -> "np.ndarray":
    """The samples of a recording that is asked about, (n,) mono at 16 kHz; it is said where hardly anybody speaks.

    Raises:
        AudioError: it cannot be read, or nobody speaks in it.
    """
    from emorank.audio import load
    from emorank.listening.caution import clip_caution
    from emorank.listening.segments import spoken

    wave = load(path)
    if doubt := clip_caution(str(path), spoken(str(path), wave)):
        say(doubt)
    return wave


class _Places:
    """A regression head as an encoder whose vectors are places."""

    name, dim, fingerprint, device = "places", 3, "", "cpu"

    def __init__(self, head: "Locates") -> None:
        self._head = head

    def __call__(self, waves: "list[np.ndarray]") -> "np.ndarray":
        return self._head.points(waves)


def _some(segments: "Segments", root: str) -> "Segments":
    if not segments.paths:
        raise EmorankError(f"{root}: there are no recordings that can be searched.")
    return segments
