"""What the segments that pass are made of: counts beside the values of columns, and histograms."""

from fastapi import APIRouter, Request

from emorank.search import facets as counting
from emorank.search.rank import passing
from emorank.serve.admission import Turns
from emorank.serve.errors import documented
from emorank.serve.filtering import filtered
from emorank.serve.seeing import Counted, Facet, Facets, Grouped, Histogram, HistogramGroup, Histograms, ValueCount
from emorank.serve.snapshots import Snapshot

router = APIRouter(prefix="/api", tags=["search"], responses=documented(400, 401, 403, 408, 413, 422, 503))


@router.post("/facets")
async def facets(request: Request, asked: Counted) -> Facets:
    """How many segments that pass have each value of a column; what is chosen of itself does not count for it."""
    snapshot: Snapshot = request.app.state.index.snapshot

    def counted() -> Facets:
        query = filtered(snapshot, asked)
        mask = passing(snapshot.collection, query)
        found = counting.facets(snapshot.collection, query, asked.columns)
        return Facets(
            index_version=snapshot.version,
            total=len(snapshot.collection) if mask is None else int(mask.sum()),
            facets=[
                Facet(
                    column=one.column,
                    values=[ValueCount(value=value, count=count) for value, count in one.values],
                    others=one.others,
                )
                for one in found
            ],
        )

    turns: Turns = request.app.state.turns
    return await turns.run(counted)


@router.post("/histograms")
async def histograms(request: Request, asked: Grouped) -> Histograms:
    """How many segments that pass the filters lie where in each dimension, 30 bins from 1 to 7, by groups."""
    snapshot: Snapshot = request.app.state.index.snapshot

    def counted() -> Histograms:
        found = counting.histograms(snapshot.collection, filtered(snapshot, asked), asked.group)
        return Histograms(
            index_version=snapshot.version,
            histograms=[
                Histogram(
                    dimension=one.dimension,
                    groups=[HistogramGroup(value=value, counts=counts.tolist()) for value, counts in one.groups],
                    others=one.others.tolist(),
                )
                for one in found
            ],
        )

    turns: Turns = request.app.state.turns
    return await turns.run(counted)
