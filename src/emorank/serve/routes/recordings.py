"""Whole recordings: what is known of them, the course of valence, arousal and dominance, how they look."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from emorank.affect import DIMENSIONS
from emorank.search.course import Aggregate, aggregated, striking
from emorank.search.rank import hit
from emorank.serve.admission import Turns
from emorank.serve.errors import Refused, documented
from emorank.serve.outlines import Drawn, Outlines
from emorank.serve.ranges import unchanged
from emorank.serve.recorded import Bins, Course, Line, Moments, Recording, Seconds, Stretch, Voice, VoiceCourse
from emorank.serve.requests import RecordingId
from emorank.serve.responses import TimelineSegment
from emorank.serve.routes.segments import segment_of
from emorank.serve.snapshots import Snapshot

_AT_ONCE = 1_000  # segments

router = APIRouter(prefix="/api/recordings", tags=["recordings"], responses=documented(401, 403, 404, 422))

_SOUND: dict[str, Any] = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/{id}")
def recording(request: Request, id: RecordingId) -> Recording:
    """A recording by its id: its voices, and the stretches that stand out."""
    snapshot, rows = _rows(request, id)
    segments, first = snapshot.collection.segments, hit(snapshot.collection, rows.start)
    shown = segment_of(snapshot, first)
    return Recording(
        index_version=snapshot.version,
        id=id,
        path=shown.path,
        file=shown.file,
        seconds=float(segments.end[rows.start : rows.stop].max()),
        moments=len(rows),
        damage=first.damage,
        labels=first.labels,
        dimensions=list(snapshot.dimensions),
        voices=[_voice(snapshot, channel, own) for channel, own in _voices(snapshot, rows).items()],
    )


@router.get("/{id}/course")
def course(
    request: Request, id: RecordingId, start: Seconds = 0.0, end: Seconds | None = None, bins: Bins = 512
) -> Course:
    """Valence, arousal and dominance over a part of a recording, aggregated from its segments; nothing is decoded."""
    snapshot, rows = _rows(request, id)
    segments = snapshot.collection.segments
    end = float(segments.end[rows.start : rows.stop].max()) if end is None else end
    _check(start, end)
    voices = []
    for channel, own in _voices(snapshot, rows).items():
        lines = aggregated(segments.start[own], segments.end[own], segments.places[own], start, end, bins)
        known = {name: _line(lines[name]) if name in snapshot.dimensions else None for name in DIMENSIONS}
        voices.append(VoiceCourse(channel=channel or None, **known))
    return Course(start=start, end=end, voices=voices)


@router.get("/{id}/segments")
def segments(request: Request, id: RecordingId, start: Seconds = 0.0, end: Seconds | None = None) -> Moments:
    """The segments that reach into a part of a recording."""
    snapshot, rows = _rows(request, id)
    all_segments = snapshot.collection.segments
    if end is not None:
        _check(start, end)
    inside = all_segments.end[rows.start : rows.stop] > start
    if end is not None:
        inside &= all_segments.start[rows.start : rows.stop] < end
    found = (np.flatnonzero(inside) + rows.start).tolist()
    given = []
    for row in found[:_AT_ONCE]:
        one = hit(snapshot.collection, row)
        places = {name: getattr(one, name) for name in DIMENSIONS}
        given.append(TimelineSegment(id=one.id, row=row, start=one.start, end=one.end, channel=one.channel, **places))
    return Moments(total=len(found), segments=given)


@router.get(
    "/{id}/sound",
    response_class=Response,
    responses={200: _SOUND, 304: {"description": "The client has it already."}, **documented(410, 503)},
)
async def sound(
    request: Request,
    id: RecordingId,
    end: Annotated[Seconds, Query()],
    start: Seconds = 0.0,
    bins: Bins = 512,
    channel: Annotated[int | None, Query(ge=1, le=256)] = None,
) -> Response:
    """How a part of a recording looks: for each stretch its lowest and highest sample, then 64 levels of its spectrum.

    Peaks are little-endian int16 pairs, full scale 32767; levels are uint8 from -96 to 0 dB, from 60 Hz to 8 kHz, a
    mel apart. X-Ready says up to which second it is known; a long part is drawn while it is decoded, so ask again for
    the rest. X-Seconds is the length of the recording, once that is known.
    """
    snapshot, rows = _rows(request, id)
    _check(start, end)
    if channel and channel not in snapshot.collection.segments.channels[rows.start : rows.stop]:
        raise Refused(404, "not_found", f"No channel {channel} of this recording was heard on its own.")
    path = snapshot.collection.segments.paths[rows.start]
    known = snapshot.recordings[path]
    turns: Turns = request.app.state.turns
    outlines: Outlines = request.app.state.outlines
    drawn: Drawn = await turns.run(outlines.of, path, known, start, end, bins, channel)
    headers = {"X-Ready": f"{drawn.ready:.3f}"}
    if drawn.seconds is not None:
        headers["X-Seconds"] = f"{drawn.seconds:.3f}"
    if not drawn.whole:
        headers["Cache-Control"] = "no-store"
        return Response(drawn.outline.bytes(), 200, headers, "application/octet-stream")
    headers |= {"Cache-Control": "private, no-cache", "ETag": f'"{known.digest}-{channel}-{start}-{end}-{bins}"'}
    if unchanged(request.headers, headers["ETag"]):
        return Response(None, 304, headers)
    return Response(drawn.outline.bytes(), 200, headers, "application/octet-stream")


def _rows(request: Request, id: str) -> tuple[Snapshot, range]:
    """The latest snapshot, and the rows of a recording in it.

    Raises:
        Refused: there is no such recording.
    """
    snapshot: Snapshot = request.app.state.index.snapshot
    row = snapshot.collection.recording_rows.get(id)
    if row is None:
        raise Refused(404, "not_found", f"There is no recording {id} in the index.")
    return snapshot, snapshot.collection.recording_of(row)


def _check(start: float, end: float) -> None:
    if not start < end:
        raise Refused(422, "invalid", f"end: {end:g} s is not behind the start, {start:g} s.")


def _voices(snapshot: Snapshot, rows: range) -> dict[int, np.ndarray]:
    """The rows of each channel that was heard on its own; 0 where the recording was heard as one."""
    channels = snapshot.collection.segments.channels[rows.start : rows.stop]
    return {int(one): np.flatnonzero(channels == one) + rows.start for one in np.unique(channels)}


def _voice(snapshot: Snapshot, channel: int, rows: np.ndarray) -> Voice:
    segments = snapshot.collection.segments
    starts, ends = segments.start[rows], segments.end[rows]
    stretches = striking(starts, ends, segments.places[rows], snapshot.dimensions)
    first = int(rows[0])
    return Voice(
        channel=channel or None,
        speaker=_speaker(snapshot.collection.labels_at(first), channel),
        segment=snapshot.collection.id_of(first),
        moments=len(rows),
        speech=round(float((ends - starts).sum()), 1),
        stretches=[Stretch(name=one.name, start=one.start, end=one.end, **one.places) for one in stretches],
    )


def _speaker(labels: Mapping[str, Any], channel: int) -> str | None:
    """Who speaks: the column speaker where a recording was heard as one, speaker_1, speaker_2 where channels were."""
    said = labels.get(f"speaker_{channel}" if channel else "speaker")
    return None if said is None or said == "" else str(said)


def _line(one: Aggregate) -> Line:
    low, mean, high = (values.tolist() for values in (one.low, one.mean, one.high))
    return Line(low=low, mean=mean, high=high)
