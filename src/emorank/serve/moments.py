"""Single segments: what is known of them, how they sound, and the recording that they are of."""

import io
import os
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from emorank.affect import DIMENSIONS
from emorank.audio import SAMPLE_RATE, load
from emorank.search.query import Hit
from emorank.search.rank import hit
from emorank.serve.answers import Filter, Moment, Offset, Page, Segment, SegmentId, Timeline, Top, Waveform
from emorank.serve.errors import Refused, documented
from emorank.serve.library import Library, Snapshot
from emorank.serve.recording import indexed, media_type, read, span

router = APIRouter(prefix="/api/segments", tags=["segments"], responses=documented(401, 403, 422))

_AUDIO = {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}


def segment_of(snapshot: Snapshot, found: Hit) -> Segment:
    """A hit as clients see it: without the absolute path."""
    collection = snapshot.collection
    shown = collection.segments.paths[found.row] if collection.shown is None else collection.shown[found.row]
    return Segment(
        id=found.id,
        row=found.row,
        path=shown,
        file=os.path.basename(shown),
        start=found.start,
        end=found.end,
        duration=round(found.end - found.start, 2),
        audio_start=_audio_start(found.path, found.start),
        percentile=found.percentile,
        score=found.score,
        distance=found.distance,
        valence=found.valence,
        arousal=found.arousal,
        dominance=found.dominance,
        loudness=found.loudness,
        labels=found.labels,
        moments=len(collection.recording_of(found.row)),
        others=found.others,
    )


@router.get("", responses=documented(400))
def segments(
    request: Request, where: Annotated[Filter | None, Query()] = None, offset: Offset = 0, limit: Top = 50
) -> Page:
    """Segments by path and start, those that pass a filter if there is one."""
    snapshot: Snapshot = request.app.state.library.snapshot
    collection = snapshot.collection
    rows = range(len(collection)) if where is None else collection.passing(where).nonzero()[0].tolist()
    page = [segment_of(snapshot, hit(collection, row)) for row in rows[offset : offset + limit]]
    return Page(index_version=snapshot.version, total=len(rows), segments=page)


@router.get("/{id}", responses=documented(404))
def segment(request: Request, id: SegmentId) -> Segment:
    """A segment by its id."""
    snapshot, row = _row(request, id)
    return segment_of(snapshot, hit(snapshot.collection, row))


@router.get(
    "/{id}/audio",
    response_class=Response,
    responses={200: _AUDIO, 206: _AUDIO, **documented(404, 410, 416, 503)},
)
async def audio(request: Request, id: SegmentId, range: Annotated[str | None, Header()] = None) -> Response:
    """The recording of a segment, whole or by ranges; X-Audio-Start says where in it the segment begins, in seconds.

    Of a format that browsers do not play, the segment alone as WAV.
    """
    snapshot, row = _row(request, id)
    path = snapshot.collection.segments.paths[row]
    start, end = (float(times[row]) for times in (snapshot.collection.segments.start, snapshot.collection.segments.end))
    async with request.app.state.turns.turn():
        file = await anyio.to_thread.run_sync(indexed, path, snapshot.recordings[path])
        kind = media_type(path)
        if kind is None:
            with file:
                wav = await anyio.to_thread.run_sync(_wav, path, start, end)
            kind, size = "audio/wav", len(wav)
        else:
            wav, size = None, snapshot.recordings[path].size
    asked = span(range, size)
    first, last = asked or (0, size - 1)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(last + 1 - first),
        "X-Audio-Start": str(_audio_start(path, start)),
        "Cache-Control": "private, no-cache",
    }
    if asked:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    status = 206 if asked else 200
    if wav is not None:
        return Response(wav[first : last + 1], status, headers, kind)
    return StreamingResponse(read(file, first, last), status, headers, kind)


@router.get("/{id}/waveform", responses=documented(404))
def waveform(request: Request, id: SegmentId) -> Waveform:
    """The loudest sample of each of 96 stretches of a segment, its loudest 1."""
    snapshot, row = _row(request, id)
    library: Library = request.app.state.library
    path = snapshot.collection.segments.paths[row]
    place = row - snapshot.collection.recording_of(row).start
    kept = library.named.index.peaks(path)
    peaks = kept[place] if place < len(kept) else None
    return Waveform(peaks=[round(peak / 255, 3) for peak in peaks or b""])


@router.get("/{id}/timeline", responses=documented(404))
def timeline(request: Request, id: SegmentId) -> Timeline:
    """Valence, arousal and dominance over the whole recording of a segment."""
    snapshot, row = _row(request, id)
    collection = snapshot.collection
    moments = []
    for at in collection.recording_of(row):
        place = hit(collection, at)
        moments.append(
            Moment(
                id=place.id,
                row=at,
                start=place.start,
                end=place.end,
                **{name: getattr(place, name) for name in DIMENSIONS},
            )
        )
    one = segment_of(snapshot, hit(collection, row))
    return Timeline(file=one.file, path=one.path, seconds=moments[-1].end, segments=moments)


def _row(request: Request, id: str) -> tuple[Snapshot, int]:
    snapshot: Snapshot = request.app.state.library.snapshot
    row = snapshot.collection.rows.get(id)
    if row is None:
        raise Refused(404, "not_found", f"There is no segment {id} in the index.")
    return snapshot, row


def _audio_start(path: str, start: float) -> float:
    """Where a segment begins in what /audio gives."""
    return round(start, 2) if media_type(path) else 0.0


def _wav(path: str, start: float, end: float) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, load(path, start, end), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
