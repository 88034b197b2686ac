"""Around every request: what is told to browsers, what is counted, and how much is taken in."""

import logging
import time

import anyio
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emorank.serve.connections import KEY, Connection
from emorank.serve.errors import Refused, busy, internal
from emorank.serve.limits import Limits

#: Key of a scope: whether the request is a HEAD, which is answered as a GET without its body.
HEAD = "emorank.head"
#: Answered to the last, and to everyone who shows a token.
HEALTH = "/api/health"

_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(self), geolocation=()"),
]


def path_of(scope: Scope) -> str:
    """The path that is asked for, without the prefix that a proxy puts before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class Answers:
    """Outermost: every answer, also a failure's, has the headers and is counted.

    Args:
        app: what answers.
        registry: where requests are counted.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "emorank_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "emorank_request_seconds", "From request to the beginning of the answer.", ["route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        connection: Connection | None = scope.get("state", {}).get(KEY)  # none in tests without a network
        if connection:
            connection.begun()
        head = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET", HEAD: True} if head else dict(scope)
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                names = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _HEADERS if pair[0] not in names)]
                route = getattr(asked.get("route"), "path", "other")
                self._requests.labels(scope["method"], route, str(message["status"])).inc()
                self._seconds.labels(route).observe(time.perf_counter() - begun)
            elif head:
                message["body"] = b""
            await send(message)

        try:
            if connection and connection.crowded and not scope["path"].endswith(HEALTH):
                raise busy("The server has more connections than it can answer; try again in a few seconds.")
            await self._app(asked, receive, sent)
        except ClientDisconnect:
            return  # it has left, and waits for nothing
        except Exception as error:
            if started and connection and isinstance(error, Refused):  # its turn did not come again
                connection.transport.abort()
                return
            if started:
                raise
            if isinstance(error, Refused):
                response = error.response
            else:
                logging.getLogger("uvicorn.error").exception("emorank: a request failed")
                response = internal()
            await response(asked, receive, sent)
        finally:
            if connection:
                connection.ended()


class Bodies:
    """Takes in no more of a body than allowed, and for no longer.

    Args:
        app: what answers.
        limits: of bodies.
        uploads: paths that take recordings in.
    """

    def __init__(self, app: ASGIApp, limits: Limits, uploads: tuple[str, ...]) -> None:
        self._app = app
        self._limits = limits
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on.

        Raises:
            Refused: its body is too large, or does not come.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = path_of(scope) in self._uploads
        limits = self._limits
        most, seconds = (
            (limits.upload_bytes, limits.upload_seconds) if upload else (limits.query_bytes, limits.query_seconds)
        )
        large = Refused(413, "too_large", f"The body is larger than {most} bytes.")
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 18 or int(declared) > most:
            raise large
        connection: Connection | None = scope.get("state", {}).get(KEY)
        until = anyio.current_time() + seconds
        size, whole = 0, False
        if connection and set(headers).isdisjoint(("content-length", "transfer-encoding")):
            connection.received()

        async def limited() -> Message:
            nonlocal size, whole
            if whole:  # what is left to be told is that the client leaves
                return await receive()
            try:
                with anyio.fail_after(until - anyio.current_time()):
                    message = await receive()
            except TimeoutError as error:
                raise Refused(408, "too_slow", f"The body took longer than {seconds:g} s.") from error
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if whole and connection:
                connection.received()
            if size > most:
                raise large
            return message

        await self._app(scope, limited, send)
