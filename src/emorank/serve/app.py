"""The application: the page at /, the API under /api, its document at /openapi.json.

Where several indexes are served, each has all of this under its name, /calls/ and /calls/api, and / lists them.
"""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry, Gauge
from starlette.types import ASGIApp

from emorank import __version__
from emorank.serve import errors
from emorank.serve.access import LOOPBACK, Access
from emorank.serve.admission import Turns, Uploads
from emorank.serve.compression import Compression
from emorank.serve.limits import Limits
from emorank.serve.middleware import Answers, Bodies
from emorank.serve.outlines import Outlines
from emorank.serve.paths import ByName
from emorank.serve.proxies import Prefix
from emorank.serve.routes import (
    audio,
    clips,
    collections,
    facets,
    health,
    index,
    indexes,
    page,
    plane,
    recordings,
    search,
    searches,
    segments,
    update,
    uploads,
)
from emorank.serve.snapshots import ServedIndex, keep_fresh
from emorank.serve.tokens import Tokens
from emorank.serve.updates import Updates

_OF_AN_INDEX = (
    *(health, index, plane, search, searches, facets, uploads),
    *(segments, recordings, audio, clips, collections, update, page),
)


def create_app(
    served: ServedIndex | Sequence[ServedIndex],
    tokens: Tokens | None = None,
    hosts: frozenset[str] | None = LOOPBACK,
    root_path: str = "",
    proxies: Sequence[str] = ("127.0.0.1", "::1"),
    limits: Limits | None = None,
) -> FastAPI:
    """The server of one index, or of several, which share its tokens, limits and turns.

    Args:
        served: what is searched; where there are several, by names that differ.
        tokens: of which clients must show one; None where only this computer can ask.
        hosts: names by which the server may be called; None for any.
        root_path: the prefix under which a proxy shows it, such as /emo.
        proxies: addresses and networks of the proxies whose X-Forwarded headers are believed.
        limits: of what is asked and computed.
    """
    every = [served] if isinstance(served, ServedIndex) else list(served)
    stop = threading.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for one in every:
            threading.Thread(target=keep_fresh, args=(one, stop), daemon=True).start()
        yield
        stop.set()
        app.state.outlines.close()

    limits, tokens, registry = limits or Limits(), tokens or Tokens(), _counted(every)
    shared: dict[str, Any] = {
        "limits": limits,
        "turns": Turns(limits),
        "uploads": Uploads(limits),
        "outlines": Outlines(limits),
        "archives": anyio.Semaphore(limits.archives),
        "updates": Updates(),
        "watchers": update.watchers(),
        "tokens": tokens,
        "registry": registry,
        "names": [one.name for one in every],
        "indexes": {one.name: one for one in every},
    }
    if len(every) == 1:
        app = _routed(_OF_AN_INDEX, shared | {"index": every[0]}, lifespan)
    else:
        app = _routed((indexes,), shared, lifespan)
    # The last that is added comes first.
    app.add_middleware(Bodies, limits=limits, uploads=uploads.PATHS)
    app.add_middleware(Access, tokens=tokens, hosts=hosts)
    if len(every) > 1:
        parts: dict[str, ASGIApp] = {}
        for one in every:
            part = Bodies(_routed(_OF_AN_INDEX, shared | {"index": one}), limits, uploads.PATHS)
            parts[one.name] = Access(part, tokens, hosts)
        app.add_middleware(ByName, parts=parts)
    app.add_middleware(Prefix, root_path=root_path, trusted=list(proxies))
    app.add_middleware(Compression)
    app.add_middleware(Answers, registry=registry)
    return app


def _routed(routes: Sequence[Any], state: dict[str, Any], lifespan: Any = None) -> FastAPI:
    """Routes with what they share; not guarded yet."""
    app = FastAPI(
        title="emorank",
        version=__version__,
        summary="Find emotional speech by descriptions of how it sounds.",
        lifespan=lifespan,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
    )
    for name, value in state.items():
        setattr(app.state, name, value)
    errors.install(app)
    for route in routes:
        app.include_router(route.router)
    app.mount("/static", StaticFiles(directory=page.FOLDER), name="static")
    return app


def _counted(every: Sequence[ServedIndex]) -> CollectorRegistry:
    """Counts for monitoring; those of segments by index where there are several."""
    registry = CollectorRegistry()
    several = len(every) > 1
    gauge = Gauge("emorank_segments", "Segments that can be searched.", ["index"] if several else [], registry=registry)
    for one in every:
        (gauge.labels(one.name) if several else gauge).set_function(partial(_segments, one))
    return registry


def _segments(one: ServedIndex) -> int:
    return len(one.snapshot.collection)
