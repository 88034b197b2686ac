"""The application: the page at /, the API under /api, its document at /openapi.json."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry, Gauge

from emorank import __version__
from emorank.serve import about, errors, moments, searches
from emorank.serve.guard import COOKIE, LOOPBACK, Guard, same
from emorank.serve.library import Library, keep_fresh
from emorank.serve.limits import Limits, Turns
from emorank.serve.together import Together

PAGE = Path(__file__).parent / "page"


def create_app(library: Library, token: str | None = None, hosts: frozenset[str] | None = LOOPBACK) -> FastAPI:
    """The server of one index.

    Args:
        library: what is searched.
        token: what clients must show; None where only this computer can ask.
        hosts: names by which the server may be called; None for any.
    """
    stop = threading.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=keep_fresh, args=(library, stop), daemon=True).start()
        yield
        stop.set()

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
        lambda: len(library.snapshot.collection)
    )
    limits = Limits()
    app.state.library = library
    app.state.limits = limits
    app.state.turns = Turns(limits)
    app.state.together = Together(library.model.encode_text)
    app.state.registry = registry
    errors.install(app)
    for module in (about, searches, moments):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=PAGE), name="static")

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        shown = request.query_params.get("token")
        if shown is None:
            return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})
        response: Response = RedirectResponse("/", 303)  # so that the token stays in no history
        if token is not None and same(shown, token):
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return response

    app.add_middleware(Guard, token=token, hosts=hosts, registry=registry)
    return app
