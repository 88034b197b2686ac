"""Searching by descriptions, segments and places."""

import time
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request

from emorank.captions.familiar import Described
from emorank.search import find
from emorank.search import query as queries
from emorank.serve.admission import Turns
from emorank.serve.errors import Refused, documented
from emorank.serve.filtering import filtered
from emorank.serve.routes.segments import segment_of
from emorank.serve.schemas import Hint, Hits, Search
from emorank.serve.snapshots import Snapshot

_AT_ONCE = 10_000  # segments that are searched faster than a thread takes the question over

router = APIRouter(prefix="/api", tags=["search"], responses=documented(400, 401, 403, 408, 413, 422, 503))


@router.post("/search", responses=documented(404))
async def search(request: Request, asked: Search) -> Hits:
    """Segments that fit a query, best first."""
    begun = time.perf_counter()
    snapshot: Snapshot = request.app.state.index.snapshot
    texts = await snapshot.texts.described([text.text for text in asked.texts])
    if len(snapshot.collection) <= _AT_ONCE:
        return _searched(snapshot, asked, texts, begun)
    turns: Turns = request.app.state.turns
    return await turns.run(_searched, snapshot, asked, texts, begun)


def hits_of(snapshot: Snapshot, query: queries.Query, begun: float, texts: Sequence[Described] = ()) -> Hits:
    """The answer to a query that came in at a time of `time.perf_counter`, with hints on what it is made of."""
    found = find(snapshot.collection, query)
    return Hits(
        index_version=snapshot.version,
        total=found.total,
        milliseconds=round((time.perf_counter() - begun) * 1000, 1),
        hits=[segment_of(snapshot, hit) for hit in found.hits],
        hints=[
            Hint(text=hint.text, familiarity=round(hint.familiarity, 3), message=hint.message)
            for hint in dict.fromkeys(text.hint for text in texts)
            if hint
        ],
    )


def _searched(snapshot: Snapshot, asked: Search, texts: list[Described], begun: float) -> Hits:
    directions = [queries.Direction(text.embedding, part.weight) for text, part in zip(texts, asked.texts, strict=True)]
    liked = []
    for like in asked.likes:
        row = snapshot.collection.rows.get(like.id)
        if row is None:
            raise Refused(404, "not_found", f"There is no segment {like.id} in the index.")
        liked.append(row)
        directions.append(queries.Direction(snapshot.collection.segments.embeddings[row], like.weight))
    query = replace(
        filtered(snapshot, asked),
        directions=tuple(directions),
        without=tuple(liked),
        group=asked.group,
        sort=asked.sort,
        order=asked.order,
        best=asked.best,
        top=asked.top,
        offset=asked.offset,
    )
    return hits_of(snapshot, query, begun, texts)
