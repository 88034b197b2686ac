"""Answers that are text are compressed for clients that ask for it; sound, zips and the plane are sent as they are."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST = 1_000  # bytes; less is one packet anyway
_LEVEL = 5  # of 9; a page of results takes a third of a millisecond
_AS_THEY_ARE = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream", "application/vnd.apache.parquet")


class Compression:
    """ASGI middleware: gzip, as starlette does it, with what caches and conditional requests need beside it.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, _LEAST, _LEVEL, exclude_content_types=_AS_THEY_ARE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                kind = headers.get("content-type", "").partition(";")[0].strip().lower()
                varies = "accept-encoding" in headers.get("vary", "").lower()  # said where it is compressed
                text = message["status"] == 304 or not {kind, f"{kind.partition('/')[0]}/*"} & set(_AS_THEY_ARE)
                if text and not varies:
                    headers.add_vary_header("Accept-Encoding")
                tag = headers.get("etag", "")
                if "content-encoding" in headers and tag.startswith('"'):  # other bytes than those that it stands for
                    headers["etag"] = f"W/{tag}"
            await send(message)

        if _takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
            # starlette knows it in small letters; in place, as those outside look at what the routes note in the scope.
            scope["headers"] = [(n, b"gzip" if n == b"accept-encoding" else value) for n, value in scope["headers"]]
            await self._compressing(scope, receive, sent)
        else:
            await self._app(scope, receive, sent)


def _takes_gzip(accepted: str) -> bool:
    """Whether a header Accept-Encoding allows gzip by its name, at a quality above 0."""
    for part in accepted.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "").removeprefix("q=").strip("0.") != "" or not quality.strip()
    return False
