"""One track of an open container, and what is known of it before it is decoded."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emorank.audio.files import Bytes


@dataclass(frozen=True)
class Source:
    """One track of an open container, and what is known of it.

    Args:
        container: of PyAV.
        track: its stream that is heard.
        bytes: what the container reads.
        zero: the earliest timestamp of any track, in seconds; None where there is none.
        timed: whether timestamps count; else packets follow each other.
        promise: seconds that it should have; None where nothing says.
        whole: whether nothing tells that its end is missing.
        complained: whether FFmpeg complained while it opened it.
        block: samples of a FLAC block where frames of raw FLAC say their own place, else None.
    """

    container: Any
    track: Any
    bytes: Bytes
    zero: float | None = None
    timed: bool = False
    promise: float | None = None
    whole: bool = True
    complained: bool = False
    block: int | None = None

    @cached_property
    def tick(self) -> float:
        """Seconds of one unit of its timestamps."""
        return float(self.track.time_base)
