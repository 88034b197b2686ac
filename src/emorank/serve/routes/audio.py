"""The recording of a segment, as browsers play it."""

from contextlib import ExitStack

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from emorank.serve.admission import Turns
from emorank.serve.errors import documented
from emorank.serve.middleware import HEAD
from emorank.serve.ranges import span, unchanged
from emorank.serve.recordings import Heard, playable
from emorank.serve.requests import SegmentId
from emorank.serve.routes.segments import row_of
from emorank.serve.streams import by_turns

router = APIRouter(prefix="/api/segments", tags=["segments"], responses=documented(401, 403, 422))

_AUDIO = {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}


@router.get(
    "/{id}/audio",
    response_class=Response,
    responses={
        200: _AUDIO,
        206: _AUDIO,
        304: {"description": "The client has it already."},
        **documented(404, 410, 416, 503),
    },
)
async def audio(request: Request, id: SegmentId) -> Response:
    """The whole recording of a segment, or ranges of it, of the channel that was heard.

    As WAV where browsers do not play its codec, and where a channel was heard on its own.
    """
    snapshot, row = row_of(request, id)
    segments, recording = snapshot.collection.segments, snapshot.collection.recording_of(row)
    path, seconds = segments.paths[row], float(segments.end[recording.start : recording.stop].max())
    heard = Heard(seconds, snapshot.channels, int(segments.channels[row]))
    turns: Turns = request.app.state.turns
    sound = await turns.run(playable, path, snapshot.recordings[path], heard)
    with ExitStack() as opened:
        opened.callback(sound.file.close)
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "ETag": sound.etag,
            "Last-Modified": sound.modified,
        }
        if unchanged(request.headers, sound.etag, sound.modified):
            return Response(None, 304, headers)
        asked = span(request.headers, sound.etag, sound.modified, sound.size)
        first, last = asked or (0, sound.size - 1)
        headers["Content-Length"] = str(last + 1 - first)
        if asked:
            headers["Content-Range"] = f"bytes {first}-{last}/{sound.size}"
        status = 206 if asked else 200
        if request.scope.get(HEAD):
            return Response(None, status, headers, sound.media_type)
        opened.pop_all()
        pieces = sound.pieces(first, last)
        streamed = pieces if sound.original else by_turns(turns, pieces)
        return StreamingResponse(streamed, status, headers, sound.media_type)
