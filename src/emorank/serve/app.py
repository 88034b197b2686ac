"""The application: the page at /, the API under /api, its document at /openapi.json."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry, Gauge

from emorank import __version__
from emorank.serve import errors
from emorank.serve.access import LOOPBACK, Access
from emorank.serve.admission import Turns, Uploads
from emorank.serve.compression import Compression
from emorank.serve.limits import Limits
from emorank.serve.middleware import Answers, Bodies
from emorank.serve.outlines import Outlines
from emorank.serve.proxies import Prefix
from emorank.serve.routes import (
    audio,
    clips,
    collections,
    facets,
    health,
    index,
    page,
    plane,
    recordings,
    search,
    searches,
    segments,
    uploads,
)
from emorank.serve.snapshots import ServedIndex, keep_fresh
from emorank.serve.tokens import Tokens


def create_app(
    served: ServedIndex,
    tokens: Tokens | None = None,
    hosts: frozenset[str] | None = LOOPBACK,
    root_path: str = "",
    proxies: Sequence[str] = ("127.0.0.1", "::1"),
    limits: Limits | None = None,
) -> FastAPI:
    """The server of one index.

    Args:
        served: what is searched.
        tokens: of which clients must show one; None where only this computer can ask.
        hosts: names by which the server may be called; None for any.
        root_path: the prefix under which a proxy shows it, such as /emo.
        proxies: addresses and networks of the proxies whose X-Forwarded headers are believed.
        limits: of what is asked and computed.
    """
    stop = threading.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=keep_fresh, args=(served, stop), daemon=True).start()
        yield
        stop.set()
        app.state.outlines.close()

    app = FastAPI(
        title="emorank",
        version=__version__,
        summary="Find emotional speech by descriptions of how it sounds.",
        lifespan=lifespan,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
    )
    registry = CollectorRegistry()
    Gauge("emorank_segments", "Segments that can be searched.", registry=registry).set_function(
        lambda: len(served.snapshot.collection)
    )
    limits = limits or Limits()
    app.state.index = served
    app.state.limits = limits
    app.state.turns = Turns(limits)
    app.state.uploads = Uploads(limits)
    app.state.outlines = Outlines(limits)
    app.state.archives = anyio.Semaphore(limits.archives)
    app.state.tokens = tokens or Tokens()
    app.state.registry = registry
    errors.install(app)
    told = (health, index, plane, search, searches, facets, uploads)
    for route in (*told, segments, recordings, audio, clips, collections, page):
        app.include_router(route.router)
    app.mount("/static", StaticFiles(directory=page.FOLDER), name="static")
    # The last that is added comes first.
    app.add_middleware(Bodies, limits=limits, uploads=uploads.PATHS)
    app.add_middleware(Access, tokens=app.state.tokens, hosts=hosts)
    app.add_middleware(Prefix, root_path=root_path, trusted=list(proxies))
    app.add_middleware(Compression)
    app.add_middleware(Answers, registry=registry)
    return app
