"""In front of every request: who may ask, what is told to browsers, and what is counted."""

import hmac
import http.cookies
import time
import urllib.parse

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emorank.serve.errors import answer

COOKIE = "emorank_token"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

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
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


class Guard:
    """ASGI middleware.

    Args:
        app: what is guarded.
        token: what clients must show for everything under /api; None asks for nothing.
        hosts: names by which the server may be called, None for any. With loopback names alone, a page of another
            site cannot reach the server under a name of its own (DNS rebinding).
        registry: where requests are counted.
    """

    def __init__(
        self, app: ASGIApp, token: str | None, hosts: frozenset[str] | None, registry: CollectorRegistry
    ) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts
        self._requests = Counter(
            "emorank_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "emorank_request_seconds", "From request to the beginning of the answer.", ["route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _HEADERS if pair[0] not in names)]
                route = getattr(scope.get("route"), "path", "other")
                self._requests.labels(scope["method"], route, str(message["status"])).inc()
                self._seconds.labels(route).observe(time.perf_counter() - begun)
            await send(message)

        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            await answer(403, "wrong_host", "This server answers on this computer alone.")(scope, receive, sent)
        elif headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and scope["path"].startswith("/api"):
            await answer(403, "cross_site", "Other sites may not use this server.")(scope, receive, sent)
        elif self._token is not None and scope["path"].startswith("/api") and not self._shown(headers):
            await answer(401, "token_required", "Show the token that emorank serve printed when it started.")(
                scope, receive, sent
            )
        else:
            await self._app(scope, receive, sent)

    def _shown(self, headers: dict[str, str]) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return same(token.strip(), self._token or "")
        cookie = http.cookies.SimpleCookie()
        try:
            cookie.load(headers.get("cookie", ""))
        except http.cookies.CookieError:
            return False
        return COOKIE in cookie and same(cookie[COOKIE].value, self._token or "")


def same(shown: str, token: str) -> bool:
    """Whether two tokens are the same, in a time that does not tell how far they are."""
    return hmac.compare_digest(shown.encode("utf8", "replace"), token.encode("utf8", "replace"))


def _host(header: str) -> str:
    """The name without the port."""
    try:
        return urllib.parse.urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
