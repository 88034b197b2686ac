"""A folder is listened to, and its segments come back: what search and locate share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.cli.console import name_broken, progress
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.index import Segments
    from emorank.model import EmotionRankCLAP


def listened(root: str, model: "EmotionRankCLAP", index: Path | None) -> "Segments":
    """Bring the index of a folder up to date, name what is broken in it, and give its segments.

    Raises:
        EmorankError: there is nothing at `root`, or nothing that can be searched.
    """
    from emorank.index import Index

    kept = Index(index, model) if index is not None else Index.of(root, model)
    with progress("listening") as bar:
        update = kept.update(root, bar)
    name_broken(update.broken)
    return _some(kept.segments().under(os.path.abspath(root)), root)


def located(root: str, encoder: str) -> "Segments":
    """The segments of a folder where the regression head of an audio encoder puts them; what is broken is named.

    Raises:
        EmorankError: the encoder has no such head, or there is nothing at `root` that can be heard.
    """
    from emorank.encoders import Locates, audio_encoder
    from emorank.index.locate import locate

    head = audio_encoder(encoder)
    if not isinstance(head, Locates):
        raise EmorankError(
            f"Audio encoder {encoder!r} has no regression head of its own; name one such as wavlm-ser/mean."
        )
    with progress("listening") as bar:
        segments, broken = locate(root, head, bar)
    name_broken(broken)
    return _some(segments, root)


def _some(segments: "Segments", root: str) -> "Segments":
    if not segments.paths:
        raise EmorankError(f"{root}: there are no recordings that can be searched.")
    return segments
