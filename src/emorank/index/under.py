"""An index under another model than the one that it was made with: from what their common encoder gave of it."""

import dataclasses

import numpy as np

from emorank.errors import EmorankError
from emorank.index.plan import Indexed
from emorank.index.segments import Segments
from emorank.index.update import Index
from emorank.listening.encode import matrix
from emorank.model import EmotionRankCLAP


def contents_under(index: Index, model: EmotionRankCLAP) -> tuple[Segments, dict[str, Indexed]]:
    """As `Index.contents`, with the embeddings and places of another model; nothing is heard, and nothing written.

    Raises:
        EmorankError: the models have different encoders, or the index changes faster than it can be read.
    """
    if index.model.encoder_fingerprint != model.encoder_fingerprint:
        raise EmorankError(
            f"{index.folder}: heard with the encoder {index.model.config.audio_encoder}; {model.config.audio_encoder} "
            "needs an index of its own."
        )
    for _ in range(3):
        version = index.version
        segments, recordings = index.contents()
        rows = {key: row for row, key in enumerate(zip(segments.paths, segments.start, segments.channels, strict=True))}
        embeddings = np.zeros((len(rows), model.embedding_dim), np.float32)
        placed = np.zeros(len(rows), bool)
        for batch in index.features():
            keys = zip(*(batch[name].to_pylist() for name in ("path", "start", "channel")), strict=True)
            at = [rows.get((path, start, channel or 0), -1) for path, start, channel in keys]
            chosen = np.asarray(at) >= 0  # the others could not be heard
            made = model.audio(matrix(batch["feature"])[chosen].astype(np.float32))
            embeddings[np.asarray(at)[chosen]] = made
            placed[np.asarray(at)[chosen]] = True
        if placed.all() and index.version == version:
            return dataclasses.replace(segments, embeddings=embeddings, places=model.places(embeddings)), recordings
    raise EmorankError(f"{index.folder}: the index is written to faster than it can be read; try again.")
