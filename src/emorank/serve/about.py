"""What the server has and how it fares."""

import os
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from emorank import __version__
from emorank.index.named import DEFAULT_MODEL
from emorank.serve.answers import Bounds, Column, Health, IndexNote, ModelNote
from emorank.serve.errors import documented
from emorank.serve.library import Library

NOTE = (
    "Estimates of how a voice sounds, learnt from {labels}; they do not tell what anyone feels. "
    "Descriptions are in English. Do not use them to judge people."
)

router = APIRouter(prefix="/api", tags=["about"], responses=documented(401, 403))


@router.get("/health")
def health(request: Request) -> Health:
    """Whether the server answers."""
    library: Library = request.app.state.library
    snapshot = library.snapshot
    return Health(
        status="ok",
        version=__version__,
        index=library.named.name,
        index_version=snapshot.version,
        segments=len(snapshot.collection),
    )


@router.get("/index")
def index(request: Request) -> IndexNote:
    """The index: its size, its model, what can be filtered by, and what may be asked for."""
    library: Library = request.app.state.library
    snapshot = library.snapshot
    segments = snapshot.collection.segments
    config = library.model.config
    limits = request.app.state.limits
    return IndexNote(
        name=library.named.name,
        index_version=snapshot.version,
        segments=len(snapshot.collection),
        recordings=len(snapshot.collection.recordings) - 1,
        seconds=round(float((segments.end - segments.start).sum()), 1),
        model=ModelNote(
            name=_public(library.named.model_name),
            audio_encoder=_public(config.audio_encoder),
            text_encoder=_public(config.text_encoder),
            label_source=_label_source(config.training),
            note=NOTE.format(
                labels="acted speech with derived labels"
                if library.named.model_name == DEFAULT_MODEL
                else f"speech with {_label_source(config.training)} labels"
            ),
        ),
        columns=[Column(**column) for column in snapshot.columns],
        roots=[os.path.basename(root) for root in library.named.roots],
        limits=Bounds(**{name: getattr(limits, name) for name in Bounds.model_fields}),
    )


@router.get(
    "/plane",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def plane(request: Request) -> Response:
    """Valence and arousal of all segments by row: little-endian uint16 pairs, value = 1 + 6 x / 65535."""
    snapshot = request.app.state.library.snapshot
    headers = {"X-Index-Version": str(snapshot.version), "Cache-Control": "no-cache"}
    return Response(snapshot.plane, media_type="application/octet-stream", headers=headers)


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
def metrics(request: Request) -> Response:
    """Counts and times for Prometheus."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


def _label_source(training: dict[str, Any]) -> str:
    """Where the labels of the training data come from, as the model says: rated, derived, both."""
    utterances = training.get("data", {}).get("utterances", [])
    return ", ".join(sorted({str(part.get("label_source")) for part in utterances})) or "unknown"


def _public(name: str) -> str:
    """The name of a model or encoder; of one in a folder, the folder's alone."""
    return os.path.basename(name.rstrip(os.sep)) if os.path.isabs(name) else name
