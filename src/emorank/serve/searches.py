"""Searching: by descriptions, segments and places, or by an uploaded recording."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from fastapi import APIRouter, Query, Request

from emorank.affect import DIMENSIONS
from emorank.audio import SAMPLE_RATE, TooLong, blocks
from emorank.search import find
from emorank.search import query as queries
from emorank.serve.answers import Filter, Hits, Offset, Place, Search, Top
from emorank.serve.errors import Refused, documented
from emorank.serve.library import Library, Snapshot
from emorank.serve.limits import Limits
from emorank.serve.moments import segment_of

_AT_ONCE = 10_000  # segments that are searched faster than a thread takes the question over

Answer = TypeVar("Answer")

router = APIRouter(prefix="/api", tags=["search"], responses=documented(400, 401, 403, 422, 503))

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a recording, in any format that emorank reads.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/search", responses=documented(404))
async def search(request: Request, asked: Search) -> Hits:
    """Segments that fit a query, best first."""
    state = request.app.state
    begun = time.perf_counter()
    texts = await state.together.embeddings([text.text for text in asked.texts])
    snapshot = state.library.snapshot
    if len(snapshot.collection) <= _AT_ONCE:
        return _searched(snapshot, asked, texts, begun)
    async with state.turns.turn():
        return await anyio.to_thread.run_sync(_searched, snapshot, asked, texts, begun)


@router.post("/search/clip", responses=documented(408, 413, 415), openapi_extra=_UPLOAD)
async def search_clip(
    request: Request,
    where: Annotated[Filter | None, Query()] = None,
    group: bool = False,
    top: Top = 20,
    offset: Offset = 0,
) -> Hits:
    """Segments that sound like an uploaded recording, best first."""
    state = request.app.state

    def found(clip: Path) -> Hits:
        begun = time.perf_counter()
        embedding = _embedding(clip, state.library, state.limits)[0]
        query = queries.Query((queries.Direction(embedding),), where=where, group=group, top=top, offset=offset)
        return _hits(state.library.snapshot, query, begun)

    return await _with_upload(request, found)


@router.post("/locate", responses=documented(408, 413, 415), openapi_extra=_UPLOAD)
async def locate(request: Request) -> Place:
    """Valence, arousal and dominance of an uploaded recording."""
    state = request.app.state

    def located(clip: Path) -> Place:
        embedding, seconds = _embedding(clip, state.library, state.limits)
        point = state.library.model.locate(embedding[None])[0]
        return Place(
            seconds=round(seconds, 2), **dict(zip(DIMENSIONS, (round(float(x), 2) for x in point), strict=True))
        )

    return await _with_upload(request, located)


def _searched(snapshot: Snapshot, asked: Search, texts: list[np.ndarray], begun: float) -> Hits:
    directions = [queries.Direction(text, part.weight) for text, part in zip(texts, asked.texts, strict=True)]
    liked = []
    for like in asked.likes:
        row = snapshot.collection.rows.get(like.id)
        if row is None:
            raise Refused(404, "not_found", f"There is no segment {like.id} in the index.")
        liked.append(row)
        directions.append(queries.Direction(snapshot.collection.segments.embeddings[row], like.weight))
    query = queries.Query(
        directions=tuple(directions),
        near=queries.Near(**asked.near.model_dump()) if asked.near else None,
        region=queries.Region(**asked.region.model_dump()) if asked.region else None,
        where=asked.where,
        without=tuple(liked),
        group=asked.group,
        top=asked.top,
        offset=asked.offset,
    )
    return _hits(snapshot, query, begun)


def _hits(snapshot: Snapshot, query: queries.Query, begun: float) -> Hits:
    found = find(snapshot.collection, query)
    return Hits(
        index_version=snapshot.version,
        total=found.total,
        milliseconds=round((time.perf_counter() - begun) * 1000, 1),
        hits=[segment_of(snapshot, hit) for hit in found.hits],
    )


async def _with_upload(request: Request, use: Callable[[Path], Answer]) -> Answer:
    """Take an upload in, no longer than allowed, and use it when it is its turn."""
    limits: Limits = request.app.state.limits
    with tempfile.TemporaryDirectory(prefix="emorank-") as folder:
        clip = Path(folder) / "clip"
        size = 0
        with open(clip, "wb") as file, anyio.move_on_after(limits.upload_seconds) as scope:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.upload_bytes:
                    raise Refused(413, "too_large", f"The recording is larger than {limits.upload_bytes} bytes.")
                file.write(chunk)
        if scope.cancelled_caught:
            raise Refused(408, "too_slow", f"The upload took longer than {limits.upload_seconds:g} s.")
        async with request.app.state.turns.turn():
            return await anyio.to_thread.run_sync(use, clip)


def _embedding(clip: Path, library: Library, limits: Limits) -> tuple[np.ndarray, float]:
    """(embedding_dim,) and the length in seconds; no more than the allowed length is ever decoded."""
    try:
        wave = np.concatenate(list(blocks(clip, longest=limits.upload_seconds)))
    except TooLong as error:
        raise Refused(413, "too_long", f"The recording is longer than {limits.upload_seconds:g} s.") from error
    return library.model.encode_audio([wave])[0], len(wave) / SAMPLE_RATE
