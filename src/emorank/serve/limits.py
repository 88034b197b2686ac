"""What one client may ask for, and how much is done at once."""

import os
from dataclasses import dataclass

from emorank.search.filter import LONGEST as FILTER_CHARACTERS
from emorank.search.lasso import MOST_POINTS


@dataclass(frozen=True)
class Limits:
    """Bounds of requests and connections.

    Args:
        top: hits of one answer.
        offset: hits that may be skipped.
        query_characters: of one description.
        filter_characters: of a filter.
        parts: descriptions, clips, and columns with chosen values, of one query.
        values: of one column that are chosen.
        value_characters: of one of them.
        column_characters: of a column's name.
        corners: of a region.
        query_bytes: of the body of a request that uploads nothing.
        query_seconds: in which such a body has to arrive.
        upload_bytes: of an uploaded recording.
        upload_seconds: of an uploaded recording, and of its transfer.
        upload_samples: of an uploaded recording, over all channels.
        taken: segments that are taken out at once, as clips or as a list.
        clip_samples: of one clip, over all channels.
        archives: zips of clips that are made at once; further ones are told to come again.
        bins: stretches that a part of a recording is drawn in.
        outlining: recordings that wait for being drawn as a whole; further ones are told to come again.
        outline_bytes: of the drawn recordings that are kept.
        outline_parts: of recordings that are kept as they were drawn, 34 kB each as the page asks for them.
        uploads: that are received at once; further ones are told to come again.
        working: requests that compute at once.
        waiting: requests that wait for their turn; further ones are told to come again.
        patience: seconds that a request waits for its turn.
    """

    top: int = 200
    offset: int = 10_000
    query_characters: int = 500
    filter_characters: int = FILTER_CHARACTERS
    parts: int = 16
    values: int = 100
    value_characters: int = 4096
    column_characters: int = 256
    corners: int = MOST_POINTS
    query_bytes: int = 256 * 1024
    query_seconds: float = 10.0
    upload_bytes: int = 32 * 1024 * 1024
    upload_seconds: float = 60.0
    upload_samples: int = 24_000_000  # a minute of 8 channels at 48 kHz, and 100 MB once decoded
    taken: int = 500
    clip_samples: int = 4_000_000  # 40 s of stereo at 48 kHz, and 16 MB once decoded
    archives: int = 4
    bins: int = 1024
    outlining: int = 8
    outline_bytes: int = 96 * 1024 * 1024  # ten hours take 10 MB, and nothing takes more than twice that
    outline_parts: int = 512
    uploads: int = 8
    working: int = max(2, os.cpu_count() or 1)
    waiting: int = 64
    patience: float = 15.0
