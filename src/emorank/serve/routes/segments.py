"""Single segments: what is known of them, their waveform, and the timeline of their recording."""

import os
from typing import Annotated

from fastapi import APIRouter, Query, Request

from emorank.affect import DIMENSIONS
from emorank.index.segments import recording_id
from emorank.search.query import Hit
from emorank.search.rank import hit
from emorank.serve.errors import Refused, documented
from emorank.serve.requests import Filter, Offset, SegmentId, Top
from emorank.serve.responses import Page, Segment, Timeline, TimelineSegment, Waveform
from emorank.serve.snapshots import ServedIndex, Snapshot

router = APIRouter(prefix="/api/segments", tags=["segments"], responses=documented(401, 403, 422))


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
        percentile=found.percentile,
        score=found.score,
        distance=found.distance,
        loudness=found.loudness,
        speech=found.speech,
        caution=found.caution,
        channel=found.channel,
        damage=found.damage,
        date=found.date,
        labels=found.labels,
        recording=recording_id(collection.segments.paths[found.row]),
        moments=len(collection.recording_of(found.row)),
        others=found.others,
        **_places(found),
    )


def row_of(request: Request, id: str) -> tuple[Snapshot, int]:
    """The latest snapshot, and the row that a segment has in it.

    Raises:
        Refused: there is no such segment.
    """
    snapshot: Snapshot = request.app.state.index.snapshot
    row = snapshot.collection.rows.get(id)
    if row is None:
        raise Refused(404, "not_found", f"There is no segment {id} in the index.")
    return snapshot, row


@router.get("", responses=documented(400))
def segments(
    request: Request, where: Annotated[Filter | None, Query()] = None, offset: Offset = 0, limit: Top = 50
) -> Page:
    """Segments by path and start, those that pass a filter if there is one."""
    snapshot: Snapshot = request.app.state.index.snapshot
    collection = snapshot.collection
    rows, total = collection.listed(where, offset, limit)
    page = [segment_of(snapshot, hit(collection, row)) for row in rows.tolist()]
    return Page(index_version=snapshot.version, total=total, segments=page)


@router.get("/{id}", responses=documented(404))
def segment(request: Request, id: SegmentId) -> Segment:
    """A segment by its id."""
    snapshot, row = row_of(request, id)
    return segment_of(snapshot, hit(snapshot.collection, row))


@router.get("/{id}/waveform", responses=documented(404))
def waveform(request: Request, id: SegmentId) -> Waveform:
    """The loudest sample of each of 96 stretches of a segment, its loudest 1."""
    snapshot, row = row_of(request, id)
    index: ServedIndex = request.app.state.index
    kept = index.named.reading.peaks(snapshot.collection.segments.paths[row])
    place = row - snapshot.collection.recording_of(row).start
    peaks = kept[place] if place < len(kept) else None
    return Waveform(peaks=[round(peak / 255, 3) for peak in peaks or b""])


@router.get("/{id}/timeline", responses=documented(404))
def timeline(request: Request, id: SegmentId) -> Timeline:
    """Valence, arousal and dominance over the whole recording of a segment."""
    snapshot, row = row_of(request, id)
    collection = snapshot.collection
    found = [hit(collection, at) for at in collection.recording_of(row)]
    course = [
        TimelineSegment(id=one.id, row=one.row, start=one.start, end=one.end, channel=one.channel, **_places(one))
        for one in found
    ]
    shown = segment_of(snapshot, hit(collection, row))
    seconds = max(one.end for one in course)
    return Timeline(file=shown.file, path=shown.path, seconds=seconds, segments=course)


def _places(found: Hit) -> dict[str, float | None]:
    return {name: getattr(found, name) for name in DIMENSIONS}
