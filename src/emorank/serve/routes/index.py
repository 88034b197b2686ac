"""What the server has: the index and its model."""

import os
from typing import Any

from fastapi import APIRouter, Request

from emorank import DEFAULT_MODEL
from emorank.search.disagreement import compared
from emorank.serve.access import SCOPES
from emorank.serve.errors import documented
from emorank.serve.responses import Bounds, Column, IndexNote, ModelNote
from emorank.serve.snapshots import ServedIndex

NOTE = (
    "Estimates of how a voice sounds, learnt from {labels}; they do not tell what anyone feels. "
    "Do not use them to judge people."
)

router = APIRouter(prefix="/api", tags=["index"], responses=documented(401, 403))


@router.get("/index")
def index(request: Request) -> IndexNote:
    """The index: its size, its model, what can be filtered by, what may be asked for, and what the token allows."""
    served: ServedIndex = request.app.state.index
    snapshot, named = served.snapshot, served.named
    config = snapshot.model.config
    limits = request.app.state.limits
    source = _label_source(config.training)
    labels = (
        "acted speech with derived labels" if served.model_name == DEFAULT_MODEL else f"speech with {source} labels"
    )
    return IndexNote(
        name=served.name,
        index_version=snapshot.version,
        segments=len(snapshot.collection),
        recordings=snapshot.collection.recording_count,
        seconds=round(snapshot.collection.seconds, 1),
        model=ModelNote(
            name=public(served.model_name),
            audio_encoder=public(config.audio_encoder),
            text_encoder=public(config.text_encoder),
            dimensions=list(snapshot.dimensions),
            margins=None if config.margins is None else dict(zip(config.dimensions, config.margins, strict=True)),
            label_source=source,
            note=NOTE.format(labels=labels),
        ),
        columns=[Column(**column) for column in snapshot.columns],
        roots=[os.path.basename(root) for root in named.roots],
        compared=list(compared(snapshot.collection.labels)),
        limits=Bounds(**{name: getattr(limits, name) for name in Bounds.model_fields}),
        scopes=sorted(getattr(request.state, SCOPES)),
        indexes=request.app.state.names,
    )


def _label_source(training: dict[str, Any]) -> str:
    """Where the labels of the training data come from, as the model says: rated, derived, both."""
    utterances = training.get("data", {}).get("utterances", [])
    return ", ".join(sorted({str(part.get("label_source")) for part in utterances})) or "unknown"


def public(name: str) -> str:
    """The name of a model or encoder; of one in a folder, the folder's alone."""
    return os.path.basename(name.rstrip(os.sep)) if os.path.isabs(name) else name
