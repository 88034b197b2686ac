"""The root of a server of several indexes: which there are, and a search of two of them side by side."""

import time
from collections.abc import Sequence

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response

from emorank import __version__
from emorank.captions.familiar import Described
from emorank.errors import EmorankError
from emorank.search.agreement import agreement
from emorank.search.rank import scores_of
from emorank.serve.answers import Hits
from emorank.serve.comparing import Agreed, Compared, Comparison, Elsewhere, Listed, Running
from emorank.serve.errors import Refused, documented
from emorank.serve.requests import Search
from emorank.serve.routes import health
from emorank.serve.routes.index import public
from emorank.serve.routes.page import entered
from emorank.serve.routes.search import answered, query_of
from emorank.serve.snapshots import ServedIndex, Snapshot

router = APIRouter(tags=["indexes"])
router.add_api_route(
    "/api/metrics", health.metrics, response_class=Response, responses=documented(401, 403), include_in_schema=False
)


@router.get("/", include_in_schema=False)
async def start(request: Request) -> Response:
    """The list of indexes; a token in its address goes into a cookie."""
    return entered(request, "indexes.html")


@router.get("/compare/", include_in_schema=False)
async def side_by_side(request: Request) -> Response:
    """Two indexes side by side."""
    return entered(request, "compare.html")


@router.get("/api/health", responses=documented(401, 403))
async def running(request: Request) -> Running:
    """Whether the server answers, and which indexes it has."""
    return Running(status="ok", version=__version__, indexes=request.app.state.names)


@router.get("/api/indexes", responses=documented(401, 403))
def indexes(request: Request) -> list[Listed]:
    """The indexes, in the order in which they were named."""
    served: dict[str, ServedIndex] = request.app.state.indexes
    return [_listed(one) for one in served.values()]


@router.post("/api/compare", responses=documented(400, 401, 403, 404, 408, 413, 422, 503))
async def compare(request: Request, asked: Comparison) -> Compared:
    """The same search of two indexes, and how far they agree on what both have."""
    begun = time.perf_counter()
    served: dict[str, ServedIndex] = request.app.state.indexes
    for name in asked.indexes:
        if name not in served:
            raise Refused(404, "not_found", f"There is no index {name!r} on this server.")
    snapshots = [served[name].snapshot for name in asked.indexes]
    texts = [text.text for text in asked.texts]
    described = [await snapshot.texts.described(texts) for snapshot in snapshots]
    compared: Compared = await request.app.state.turns.run(_compared, snapshots, asked, described, begun)
    return compared


def _compared(
    snapshots: Sequence[Snapshot], asked: Comparison, described: Sequence[Sequence[Described]], begun: float
) -> Compared:
    wanted = Search(**asked.model_dump(exclude={"indexes"}))
    hits, judged = [], []
    for name, snapshot, texts in zip(asked.indexes, snapshots, described, strict=True):
        query = query_of(snapshot, wanted, texts)
        try:
            hits.append(answered(snapshot, wanted, query, begun, texts))
            judged.append(scores_of(snapshot.collection, query))
        except EmorankError as error:
            raise Refused(400, "bad_query", f"{name}: {error}") from error
    (one, passing), (other, others) = judged
    pairs = _pairs(*snapshots)
    both = pairs[passing[pairs[:, 0]] & others[pairs[:, 1]]]
    agreed = agreement(one[both[:, 0]], other[both[:, 1]])
    return Compared(
        hits=hits,
        elsewhere=[
            _elsewhere(snapshots[0], hits[0], snapshots[1], other, others),
            _elsewhere(snapshots[1], hits[1], snapshots[0], one, passing),
        ],
        agreement=Agreed(
            common=agreed.common,
            correlation=None if agreed.correlation is None else round(agreed.correlation, 3),
            first=agreed.first,
            overlap=agreed.overlap,
        ),
        hints=list({hint.text: hint for found in hits for hint in found.hints}.values()),
    )


def _pairs(one: Snapshot, other: Snapshot) -> np.ndarray:
    """(common, 2) the rows of the moments that both have."""
    pairs = [(row, other.moments[moment]) for moment, row in one.moments.items() if moment in other.moments]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _elsewhere(
    here: Snapshot, hits: Hits, there: Snapshot, scores: np.ndarray, passing: np.ndarray
) -> list[Elsewhere | None]:
    """For each hit its rank in the other index, where it has it."""
    found: list[Elsewhere | None] = []
    for hit in hits.hits:
        row = there.moments.get(here.moment_of(hit.row))
        if row is None:
            found.append(None)
        else:
            rank = 1 + int((scores[passing] > scores[row]).sum()) if passing[row] else None
            found.append(Elsewhere(id=there.collection.id_of(row), rank=rank))
    return found


def _listed(one: ServedIndex) -> Listed:
    snapshot = one.snapshot
    return Listed(
        name=one.name,
        path=f"{one.name}/",
        index_version=snapshot.version,
        segments=len(snapshot.collection),
        recordings=snapshot.collection.recording_count,
        seconds=round(snapshot.collection.seconds, 1),
        model=public(one.model_name),
        dimensions=list(snapshot.dimensions),
    )
