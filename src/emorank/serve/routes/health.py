"""For monitoring: whether the server answers, and its counts and times."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from emorank import __version__
from emorank.serve.errors import documented
from emorank.serve.responses import Health
from emorank.serve.snapshots import ServedIndex

router = APIRouter(prefix="/api", tags=["health"], responses=documented(401, 403))


@router.get("/health")
async def health(request: Request) -> Health:
    """Whether the server answers."""
    index: ServedIndex = request.app.state.index
    snapshot = index.snapshot
    return Health(
        status="ok",
        version=__version__,
        index=index.name,
        index_version=snapshot.version,
        segments=len(snapshot.collection),
    )


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
def metrics(request: Request) -> Response:
    """Counts and times for Prometheus."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
