"""Several indexes on one server: the first part of a path says which."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emorank.serve.middleware import path_of


class ByName:
    """ASGI middleware: what lies under the name of an index is answered by its part, as if that had its own root.

    Args:
        app: answers all else.
        parts: what answers for an index, by its name.
    """

    def __init__(self, app: ASGIApp, parts: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        name, slash, _ = path_of(scope).removeprefix("/").partition("/") if scope["type"] == "http" else ("", "", "")
        part = self._parts.get(name)
        if part is None:
            await self._app(scope, receive, send)
        elif not slash:  # addresses on the page are relative to the folder
            query = scope["query_string"].decode("latin1")
            await RedirectResponse(f"{name}/{'?' if query else ''}{query}", 307)(scope, receive, send)
        else:
            scope["root_path"] = f"{scope.get('root_path', '')}/{name}"
            await part(scope, receive, send)
