"""Updates of the index: begun from here, watched from here. Who may do so opens files of this computer."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from emorank.serve.errors import busy, documented
from emorank.serve.requests import Asked
from emorank.serve.snapshots import ServedIndex
from emorank.serve.updates import Updates
from emorank.serve.updating import UpdateNote

router = APIRouter(prefix="/api/update", tags=["update"], responses=documented(401, 403, 503))

_LOOK = 0.5  # seconds between two looks at how far it has come
_SILENCE = 15.0  # seconds after which something is sent in any case, so that no proxy takes the connection for dead
_WATCHERS = 16  # clients that watch at once


class Folders(Asked):
    """Folders or recordings to follow from now on, besides those that the index follows."""

    folders: list[Annotated[str, Field(max_length=4096)]] = Field([], max_length=20)


@router.get("")
async def update(request: Request) -> UpdateNote:
    """How far the latest update that was begun here has come."""
    return await _note(request)


@router.post("", status_code=202, responses=documented(400, 408, 409, 413, 422))
async def begin(request: Request, asked: Folders) -> UpdateNote:
    """Begin an update, which goes on whether anybody watches it or not."""
    state = request.app.state
    await state.turns.run(state.updates.begin, state.index.named, asked.folders)
    return await _note(request)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(request: Request) -> StreamingResponse:
    """The same as server-sent events, one for each step, until the update has ended."""
    watchers: anyio.Semaphore = request.app.state.watchers
    if not watchers.value:
        raise busy("As many clients as allowed are watching already; try again in a minute.")

    async def steps() -> AsyncIterator[str]:
        async with watchers:
            last, silent = "", 0.0
            while True:
                note = await _note(request)
                step = note.model_dump_json()
                if step != last:
                    yield f"data: {step}\n\n"
                    last, silent = step, 0.0
                elif silent >= _SILENCE:
                    yield ":\n\n"
                    silent = 0.0
                if note.state != "running":
                    return
                await anyio.sleep(_LOOK)
                silent += _LOOK

    return StreamingResponse(steps(), headers={"Cache-Control": "no-store"}, media_type="text/event-stream")


def watchers() -> anyio.Semaphore:
    """Of a server: how many more clients may watch."""
    return anyio.Semaphore(_WATCHERS)


async def _note(request: Request) -> UpdateNote:
    index: ServedIndex = request.app.state.index
    updates: Updates = request.app.state.updates

    def noted() -> dict[str, Any]:
        return {"folders": list(index.named.roots), **updates.state(index.named)}

    return UpdateNote(**await anyio.to_thread.run_sync(noted))
