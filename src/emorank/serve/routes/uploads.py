"""Recordings that are uploaded: what sounds like them, and where they lie."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from emorank.affect import DIMENSIONS
from emorank.audio import SAMPLE_RATE, TooLong, blocks
from emorank.listening.caution import caution, clip_caution
from emorank.listening.segments import spoken
from emorank.search import query as queries
from emorank.search.order import BEST
from emorank.serve.admission import Turns
from emorank.serve.answers import Hits
from emorank.serve.errors import Refused, documented
from emorank.serve.limits import Limits
from emorank.serve.playable import header
from emorank.serve.requests import Best, Filter, Group, Offset, Order, Search, Sort, Top
from emorank.serve.responses import Located
from emorank.serve.routes.search import answered, query_of
from emorank.serve.snapshots import Snapshot

#: What takes uploads in.
PATHS = ("/api/search/clip", "/api/locate")

router = APIRouter(tags=["search"], responses=documented(400, 401, 403, 408, 413, 415, 422, 503))

_ASKED = "What else is asked, as JSON: the body of /api/search. The other parameters are then left out."
_LONGEST_ASKED = 4_000  # characters, of which each may be twelve in an address of at most 64 KiB
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a recording, in any format that emorank reads.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(PATHS[0], openapi_extra=_UPLOAD, responses=documented(404))
async def search_clip(
    request: Request,
    where: Annotated[Filter | None, Query()] = None,
    group: Annotated[Group, Query()] = None,
    sort: Annotated[Sort, Query()] = "fit",
    order: Annotated[Order, Query()] = None,
    best: Annotated[Best, Query()] = BEST,
    top: Top = 20,
    offset: Offset = 0,
    asked: Annotated[str | None, Query(description=_ASKED, max_length=_LONGEST_ASKED)] = None,
) -> Hits:
    """Segments that sound like an uploaded recording, best first; with `asked`, that fit other things as well."""
    state = request.app.state
    snapshot: Snapshot = state.index.snapshot
    given = {"where": where, "group": group, "sort": sort, "order": order, "best": best, "top": top, "offset": offset}
    rest = Search.model_validate(given) if asked is None else _read(asked)
    texts = await snapshot.texts.described([text.text for text in rest.texts])

    def found(clip: Path) -> Hits:
        begun = time.perf_counter()
        wave, speech = _heard(clip, state.limits)
        like = queries.Direction(snapshot.model.encode_audio([wave])[0])
        query, doubt = query_of(snapshot, rest, texts, [like]), clip_caution("The clip", speech)
        return answered(snapshot, rest, query, begun, texts, doubt)

    turns: Turns = state.turns
    async with state.uploads.received(request) as clip:
        return await turns.run(found, clip)


@router.post(PATHS[1], openapi_extra=_UPLOAD)
async def locate(request: Request) -> Located:
    """Valence, arousal and dominance of an uploaded recording."""
    state = request.app.state

    def located(clip: Path) -> Located:
        snapshot: Snapshot = state.index.snapshot
        wave, speech = _heard(clip, state.limits)
        places = dict.fromkeys(DIMENSIONS)
        located = snapshot.model.locate(snapshot.model.encode_audio([wave]))[0]
        places |= dict(zip(snapshot.dimensions, located, strict=True))
        seconds = round(len(wave) / SAMPLE_RATE, 2)
        return Located(seconds=seconds, speech=round(speech, 2), caution=caution(speech), **places)

    turns: Turns = state.turns
    async with state.uploads.received(request) as clip:
        return await turns.run(located, clip)


def _read(asked: str) -> Search:
    """The rest of a query.

    Raises:
        RequestValidationError: it is none.
    """
    try:
        return Search.model_validate_json(asked)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error


def _heard(clip: Path, limits: Limits) -> tuple[np.ndarray, float]:
    """(n,) samples, and how long somebody speaks; no more than the allowed length is ever decoded."""
    with open(clip, "rb") as file:
        found = header(file)
    if found:
        samples = found.rate * found.channels * min(found.seconds or limits.upload_seconds, limits.upload_seconds)
        if samples > limits.upload_samples:
            raise Refused(413, "too_long", f"The recording has more than {limits.upload_samples} samples.")
    try:
        wave = np.concatenate(list(blocks(clip, longest=limits.upload_seconds)))
    except TooLong as error:
        raise Refused(413, "too_long", f"The recording is longer than {limits.upload_seconds:g} s.") from error
    return wave, spoken("The recording", wave)
