"""What search and locate share: a folder is listened to, and its segments come back."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.cli.console import name_broken, progress
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.model import EmotionRankCLAP
    from emorank.search import Segments


def listened(root: str, model: "EmotionRankCLAP", index: Path | None) -> "Segments":
    """Bring the index of a folder up to date, name what is broken in it, and give its segments.

    Raises:
        EmorankError: there is nothing at `root`, or nothing that can be searched.
    """
    from emorank.search import Index

    kept = Index(index, model) if index is not None else Index.of(root, model)
    with progress("listening") as bar:
        update = kept.update(root, bar)
    name_broken(update.broken)
    segments = kept.segments().under(os.path.abspath(root))
    if not segments.paths:
        raise EmorankError(f"{root}: there are no recordings that can be searched.")
    return segments
