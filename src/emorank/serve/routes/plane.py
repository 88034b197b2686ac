"""The plane of all segments: where they lie, which pass a filter, their colours, and who lies at a dot."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response

from emorank.search.rank import hit, passing
from emorank.serve.admission import Turns
from emorank.serve.colours import coloured
from emorank.serve.errors import Refused, documented
from emorank.serve.filtering import filtered
from emorank.serve.ranges import unchanged
from emorank.serve.requests import ColumnName, Filtered
from emorank.serve.responses import Segment
from emorank.serve.routes.segments import segment_of
from emorank.serve.seeing import Colours
from emorank.serve.snapshots import Snapshot

router = APIRouter(prefix="/api/plane", tags=["plane"], responses=documented(401, 403))

By = Annotated[ColumnName, Query(description="recording, day, or a column.")]
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("", response_class=Response, responses=_BYTES | {304: {"description": "The client has it already."}})
def plane(request: Request) -> Response:
    """Valence and arousal of all segments by row: little-endian uint16 pairs, value = 1 + 6 x / 65535.

    65535 stands for a place that is not known. Of an index that is larger than memory 200,000 of them at most, evenly.
    Nothing where the model does not know both dimensions.
    """
    snapshot: Snapshot = request.app.state.index.snapshot
    headers = {"X-Index-Version": str(snapshot.version), "Cache-Control": "no-cache", "ETag": snapshot.plane_etag}
    if unchanged(request.headers, snapshot.plane_etag):
        return Response(None, 304, headers)
    return Response(snapshot.plane, 200, headers, "application/octet-stream")


@router.post("", response_class=Response, responses=_BYTES | documented(400, 408, 413, 422, 503))
async def passes(request: Request, asked: Filtered) -> Response:
    """Which segments of the plane pass filters: a bit each, the first the highest of its byte."""
    snapshot: Snapshot = request.app.state.index.snapshot
    turns: Turns = request.app.state.turns
    mask = await turns.run(passing, snapshot.collection, filtered(snapshot, asked))
    if mask is None:
        mask = np.ones(len(snapshot.collection), bool)
    return _bytes(snapshot, np.packbits(_drawn(snapshot, mask)))


@router.get("/colours", responses=documented(400, 422, 503))
async def colours(request: Request, by: By) -> Colours:
    """What the colours of a column stand for: its most frequent values, or the lowest and highest of numbers."""
    snapshot: Snapshot = request.app.state.index.snapshot
    turns: Turns = request.app.state.turns
    _, values, low, high = await turns.run(coloured, snapshot.collection, by)
    return Colours(index_version=snapshot.version, numbers=low is not None, low=low, high=high, values=values)


@router.get("/codes", response_class=Response, responses=_BYTES | documented(400, 422, 503))
async def codes(request: Request, by: By) -> Response:
    """The colour of every segment of the plane, a byte each: 254 stands for all other values, 255 for none."""
    snapshot: Snapshot = request.app.state.index.snapshot
    turns: Turns = request.app.state.turns
    return _bytes(snapshot, _drawn(snapshot, (await turns.run(coloured, snapshot.collection, by))[0]))


@router.get("/{row}", responses=documented(404, 409, 422))
def dot(
    request: Request,
    row: Annotated[int, Path(ge=0, le=2**31 - 1)],
    version: Annotated[int | None, Query(description="Of the index that the row was taken from.")] = None,
) -> Segment:
    """The segment of a dot of the plane, by its place there."""
    snapshot: Snapshot = request.app.state.index.snapshot
    if version is not None and version != snapshot.version:
        raise Refused(409, "changed", "The index has changed since the plane was read; read it again.")
    if row >= (len(snapshot.collection) if snapshot.drawn is None else len(snapshot.drawn)):
        raise Refused(404, "not_found", f"There is no row {row} in the plane.")
    return segment_of(snapshot, hit(snapshot.collection, row if snapshot.drawn is None else int(snapshot.drawn[row])))


def _drawn(snapshot: Snapshot, values: np.ndarray) -> np.ndarray:
    return values if snapshot.drawn is None else values[snapshot.drawn]


def _bytes(snapshot: Snapshot, values: np.ndarray) -> Response:
    headers = {"X-Index-Version": str(snapshot.version), "Cache-Control": "no-store"}
    return Response(values.tobytes(), 200, headers, "application/octet-stream")
