"""Any recording -> mono float32 at 16 kHz. The only code that decodes or resamples.

What a file holds decides how it is read, not its name: PCM as it lies there, FLAC by libsndfile, all else by FFmpeg
(PyAV). A length is a number only where it is known; else the end is where the samples end. What cannot be decoded is
named (`Damage`) and silence stands in its place. docs/recordings.md says what is done with every kind of file.

Everything is read in blocks, so a long recording is never held whole unless `load` is asked for the whole of it, and a
header that promises ten hours costs nothing before the samples are there.

`Reading` is the way in for whoever wants to know of channels and damage. The functions are for those who want one mono
stream: the channels mixed, aligned first, so that opposite ones do not silence each other.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from emorank.audio.channels import Channel, Policy, parse_policy
from emorank.audio.damage import Damage
from emorank.audio.files import check_file
from emorank.audio.formats import SUFFIXES
from emorank.audio.reading import Reading, TooLong
from emorank.audio.resample import SAMPLE_RATE

__all__ = [
    "SAMPLE_RATE",
    "SUFFIXES",
    "Channel",
    "Damage",
    "Policy",
    "Reading",
    "TooLong",
    "blocks",
    "channels_of",
    "check_file",
    "duration",
    "length",
    "load",
    "parse_policy",
]

Block = np.ndarray[Any, np.dtype[np.float32]]


def load(
    path: str | os.PathLike[str], start: float = 0.0, end: float | None = None, channel: Channel | None = None
) -> Block:
    """Decode a recording, or a span of it.

    Args:
        path: the file.
        start: where the span begins, in seconds.
        end: where it ends, in seconds; None is the end of the recording.
        channel: one of `channels_of`; None is a mix of all.

    Returns:
        (samples,) mono float32 at 16 kHz.

    Raises:
        AudioError: the file cannot be read as audio; the message says why.
    """
    return Reading(path, "mix").load(channel, start, end)


def blocks(
    path: str | os.PathLike[str],
    start: float = 0.0,
    end: float | None = None,
    channel: Channel | None = None,
    *,
    longest: float | None = None,
) -> Iterator[Block]:
    """The same as `load`, in pieces of at most about 30 s that follow each other without a gap.

    Args:
        path: the file.
        start: where the span begins, in seconds.
        end: where it ends, in seconds; None is the end of the recording.
        channel: one of `channels_of`; None is a mix of all.
        longest: refuse a longer recording, in seconds, before much more of it is decoded.

    Yields:
        (samples,) mono float32 at 16 kHz; at least one piece that is not empty.

    Raises:
        AudioError: nothing can be decoded of it; the message says why.
        TooLong: it is longer than `longest`.
    """
    return Reading(path, "mix", longest=longest).blocks(channel, start, end)


def channels_of(path: str | os.PathLike[str], policy: Policy = "auto") -> tuple[Channel, ...]:
    """Which channels of a recording are heard, and how; see `Reading`. The same file always gives the same.

    Raises:
        AudioError: it cannot be read as audio, or has no such channel.
    """
    return Reading(path, policy).channels


def duration(path: str | os.PathLike[str]) -> float | None:
    """Length in seconds, where the file tells it and bears it out; None where only decoding can tell: see `length`.

    Raises:
        AudioError: the file cannot be read as audio.
    """
    return Reading(path).duration


def length(path: str | os.PathLike[str]) -> float:
    """Length in seconds of what is heard of it: as `duration` knows it, else counted by decoding it.

    Raises:
        AudioError: nothing can be decoded of it.
    """
    return Reading(path).length()
