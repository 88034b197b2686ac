"""Searching by descriptions, segments and places."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from emorank.captions.familiar import Described
from emorank.captions.fit import BEST, fit
from emorank.captions.suggest import MOST, suggest
from emorank.search import find
from emorank.search import query as queries
from emorank.serve.admission import Turns
from emorank.serve.answers import Hits, Suggestion, Suggestions, hints_of, why
from emorank.serve.errors import Refused, documented
from emorank.serve.filtering import filtered
from emorank.serve.limits import Limits
from emorank.serve.requests import Search
from emorank.serve.routes.segments import segment_of
from emorank.serve.snapshots import Snapshot
from emorank.types import Array

_AT_ONCE = 10_000  # segments that are searched faster than a thread takes the question over

router = APIRouter(prefix="/api", tags=["search"], responses=documented(400, 401, 403, 408, 413, 422, 503))


@router.post("/search", responses=documented(404))
async def search(request: Request, asked: Search) -> Hits:
    """Segments that fit a query, best first."""
    begun = time.perf_counter()
    snapshot: Snapshot = request.app.state.index.snapshot
    texts = await snapshot.texts.described([text.text for text in asked.texts])
    if len(snapshot.collection) <= _AT_ONCE and not asked.why:
        return _searched(snapshot, asked, texts, begun)
    turns: Turns = request.app.state.turns
    return await turns.run(_searched, snapshot, asked, texts, begun)


@router.get("/suggestions")
def suggestions(
    response: Response,
    text: Annotated[str, Query(max_length=Limits().query_characters)],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 8,
) -> Suggestions:
    """Descriptions that go on from what is written so far, from those that the text encoder learnt from."""
    response.headers["Cache-Control"] = "private, max-age=3600"  # they change with the program alone
    return Suggestions(suggestions=[Suggestion(**asdict(one)) for one in suggest(text, limit)])


def answered(
    snapshot: Snapshot,
    asked: Search,
    query: queries.Query,
    begun: float,
    texts: Sequence[Described] = (),
    caution: str | None = None,
) -> Hits:
    """The answer to a query that came in at a time of `time.perf_counter`, with what there is to say of what it asks.

    Args:
        snapshot: the index.
        asked: by a client.
        query: the same of the index.
        begun: that time.
        texts: its descriptions.
        caution: what there is to say of an uploaded clip.
    """
    found = find(snapshot.collection, query)
    wanted = [text for text, part in zip(texts, asked.texts, strict=True) if part.weight > 0]
    best = snapshot.collection.segments.embeddings[[hit.row for hit in found.hits[:BEST]]]
    return Hits(
        index_version=snapshot.version,
        total=found.total,
        milliseconds=round((time.perf_counter() - begun) * 1000, 1),
        hits=[segment_of(snapshot, hit) for hit in found.hits],
        percentile_error=found.percentile_error,
        fit=None if query.offset else fit(snapshot.model, wanted, best),
        caution=caution,
        hints=hints_of(texts),
        why=why(snapshot.model, texts, _clips(asked, query, len(texts)), found.hits) if asked.why else None,
    )


def _clips(asked: Search, query: queries.Query, texts: int) -> list[tuple[str | None, Array]]:
    """Id and embedding of what the answer shall sound like or not: what is uploaded comes first, without an id."""
    uploaded = len(query.directions) - texts - len(asked.likes)
    directions = [*query.directions[:uploaded], *query.directions[uploaded + texts :]]
    ids = [*[None] * uploaded, *(like.id for like in asked.likes)]
    return [(id, direction.embedding) for id, direction in zip(ids, directions, strict=True)]


def query_of(
    snapshot: Snapshot, asked: Search, texts: Sequence[Described], clips: Sequence[queries.Direction] = ()
) -> queries.Query:
    """What is asked of the index.

    Args:
        snapshot: the index.
        asked: by a client.
        texts: its descriptions, embedded.
        clips: what comes first, such as a recording that is uploaded.

    Raises:
        Refused: it asks for a place that the model does not know, or for a segment that is not there.
    """
    directions = [queries.Direction(text.embedding, part.weight) for text, part in zip(texts, asked.texts, strict=True)]
    directions = [*clips, *directions]
    liked = []
    for like in asked.likes:
        row = snapshot.collection.rows.get(like.id)
        if row is None:
            raise Refused(404, "not_found", f"There is no segment {like.id} in the index.")
        liked.append(row)
        directions.append(queries.Direction(snapshot.collection.segments.embeddings[row], like.weight))
    first = snapshot.collection.recording_rows.get(asked.recording) if asked.recording else None
    if asked.recording and first is None:
        raise Refused(404, "not_found", f"There is no recording {asked.recording} in the index.")
    return replace(
        filtered(snapshot, asked),
        directions=tuple(directions),
        without=tuple(liked),
        recording=None if first is None else snapshot.collection.segments.paths[first],
        group=asked.group,
        sort=asked.sort,
        order=asked.order,
        best=asked.best,
        top=asked.top,
        offset=asked.offset,
    )


def _searched(snapshot: Snapshot, asked: Search, texts: list[Described], begun: float) -> Hits:
    return answered(snapshot, asked, query_of(snapshot, asked, texts), begun, texts)
