"""What is taken out: a segment as a clip, several as a zip with their list, or their list alone."""

import urllib.parse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from emorank.audio import TooLong
from emorank.errors import AudioError
from emorank.search.rank import hit
from emorank.serve.errors import Refused, busy, documented
from emorank.serve.ranges import unchanged
from emorank.serve.recordings import indexed
from emorank.serve.requests import PAD, Chosen, Clips, List, Pad, SegmentId
from emorank.serve.routes.segments import row_of
from emorank.serve.snapshots import Snapshot
from emorank.serve.streams import by_turns
from emorank.taking.archive import archive, packed
from emorank.taking.clips import MEDIA_TYPES, ClipFormat, encoded
from emorank.taking.cutting import Check, cut
from emorank.taking.lists import EACH, WHOLE, files
from emorank.taking.moments import Moment, moments_of, selection
from emorank.taking.names import clip_names

if TYPE_CHECKING:
    import polars as pl

router = APIRouter(prefix="/api", tags=["taking out"], responses=documented(401, 403, 422))

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_LISTS = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "m3u": "audio/x-mpegurl",
}
_ZIP = "application/zip"


@router.get(
    "/segments/{id}/clip",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(sorted(set(MEDIA_TYPES.values())), _BYTES)},
        304: {"description": "The client has it already."},
        **documented(400, 404, 410, 413, 503),
    },
)
async def clip(
    request: Request, id: SegmentId, pad: Annotated[Pad, Query()] = PAD, format: ClipFormat = "wav"
) -> Response:
    """A segment as a file: its recording's own samples, rate and channels; of a channel that was heard alone, that."""
    snapshot, row = row_of(request, id)
    (moment,) = moments_of(snapshot.collection, [hit(snapshot.collection, row)], absolute=False)
    known = snapshot.recordings[moment.hit.path]
    etag = f'W/"{known.digest}-{id}-{pad:g}-{format}"'
    (name,) = clip_names([moment], f".{format}").values()
    headers = {"Cache-Control": "private, no-cache", "ETag": etag, "Content-Disposition": _named(name)}
    if unchanged(request.headers, etag):
        return Response(None, 304, headers)
    state = request.app.state

    def made() -> bytes:
        ((_, sound),) = cut([moment], pad, _check(snapshot), state.limits.clip_samples)
        if isinstance(sound, _Refusal):
            raise sound.refused
        if isinstance(sound, AudioError):
            status, code = (413, "too_large") if isinstance(sound, TooLong) else (410, "not_cut")
            raise Refused(status, code, f"No clip can be cut: {sound.reason}")
        return encoded(sound, format)

    content = await state.turns.run(made)
    return Response(content, 200, headers, MEDIA_TYPES[format])


@router.post(
    "/clips",
    response_class=Response,
    responses={200: {"content": {_ZIP: _BYTES}}, **documented(400, 404, 408, 413, 503)},
)
async def clips(request: Request, asked: Clips) -> Response:
    """A zip of clips with moments.csv and moments.jsonl, sent while it is made; skipped.txt names what is missing."""
    state = request.app.state
    if not state.archives.value:
        raise busy("As many zips as allowed are being made already; try again in a minute.")
    snapshot, moments = _chosen(request, asked)

    def rows(cut: dict[str, str]) -> "pl.DataFrame":
        return selection(snapshot.collection, moments, cut, absolute=False)

    pieces = archive(moments, rows, asked.format, asked.pad, asked.lists, _check(snapshot), state.limits.clip_samples)

    async def sent() -> AsyncIterator[bytes]:
        async with state.archives:
            async for piece in by_turns(state.turns, pieces):
                yield piece

    return StreamingResponse(sent(), 200, {"Content-Disposition": _named("moments.zip")}, _ZIP)


@router.post(
    "/lists",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys([*(kind.partition(";")[0] for kind in _LISTS.values()), _ZIP], _BYTES)},
        **documented(400, 404, 408, 413, 503),
    },
)
async def lists(request: Request, asked: List) -> Response:
    """Segments as a list for other programs, on the timelines of their recordings."""
    state = request.app.state

    def made() -> dict[str, bytes]:
        snapshot, moments = _chosen(request, asked)
        return files(asked.format, moments, selection(snapshot.collection, moments, absolute=False))

    listed = await state.turns.run(made)
    if asked.format in EACH:
        return Response(packed(listed), 200, {"Content-Disposition": _named(f"{asked.format}.zip")}, _ZIP)
    name = WHOLE[asked.format]
    return Response(listed[name], 200, {"Content-Disposition": _named(name)}, _LISTS[asked.format])


def _chosen(request: Request, asked: Chosen) -> tuple[Snapshot, list[Moment]]:
    """The latest snapshot, and the segments of it that are asked for, each once.

    Raises:
        Refused: one of them is not there.
    """
    snapshot: Snapshot = request.app.state.index.snapshot
    rows = []
    for id in dict.fromkeys(asked.ids):
        row = snapshot.collection.rows.get(id)
        if row is None:
            raise Refused(404, "not_found", f"There is no segment {id} in the index.")
        rows.append(row)
    hits = [hit(snapshot.collection, row) for row in rows]
    return snapshot, moments_of(snapshot.collection, hits, absolute=False)


class _Refusal(AudioError):
    """A recording that is not what was indexed, as the server says it."""

    def __init__(self, path: str, refused: Refused) -> None:
        super().__init__(path, refused.detail)
        self.refused = refused


def _check(snapshot: Snapshot) -> Check:
    """That a recording has the content that was indexed."""

    def check(path: str) -> None:
        try:
            indexed(path, snapshot.recordings[path]).close()
        except Refused as error:
            raise _Refusal(path, error) from error

    return check


def _named(name: str) -> str:
    """A download by its name, in any script (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(name)}"
