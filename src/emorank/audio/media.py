"""PyAV (FFmpeg): m4a, mp4, webm and the like, block by block."""

from collections.abc import Iterator

import numpy as np

from emorank.audio.decoder import BLOCK, Block, Decoder, check_header
from emorank.audio.formats import container
from emorank.errors import AudioError


def media(name: str) -> Decoder:
    """Open a container with an audio track.

    Raises:
        AudioError: it is none, or its header is absurd.
    """
    import av

    opened = open(name, "rb")  # noqa: SIM115  - by an open file, so that a name can mean no protocol
    try:
        kind = container(opened.read(512))
        opened.seek(0)
        if kind is None:
            raise ValueError("no known container")
        file = av.open(opened, format=kind)
    except (av.FFmpegError, OSError, ValueError) as error:
        opened.close()
        raise AudioError(name, "it is not audio, or damaged beyond decoding.") from error
    if not file.streams.audio:
        file.close()
        opened.close()
        raise AudioError(name, "it holds no audio track.")
    stream = file.streams.audio[0]
    rate, channels = stream.codec_context.sample_rate or 0, stream.codec_context.channels or 0
    try:
        check_header(name, rate, channels)
    except AudioError:
        file.close()
        opened.close()
        raise
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (file.duration or 0) / av.time_base

    def read(start: float, end: float | None) -> Iterator[Block]:
        # Seeking in compressed containers is not sample-exact, so a span is decoded from the beginning.
        first, last = round(start * rate), None if end is None else round(end * rate)
        at = 0
        pending: list[Block] = []
        try:
            planar = av.AudioResampler(format="fltp")
            for frame in file.decode(stream):
                for piece in planar.resample(frame):
                    mono = piece.to_ndarray().mean(axis=0, dtype=np.float32)
                    begin, at = at, at + len(mono)
                    kept = mono[max(0, first - begin) : None if last is None else max(0, last - begin)]
                    pending.append(kept)
                if sum(map(len, pending)) >= BLOCK * rate:
                    yield np.concatenate(pending)
                    pending = []
                if last is not None and at >= last:
                    break
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(name, f"decoding failed at {at / rate:.1f} s: it is truncated or damaged.") from error
        if pending:
            yield np.concatenate(pending)

    def close() -> None:
        file.close()
        opened.close()

    return Decoder(rate, seconds, read, close)
