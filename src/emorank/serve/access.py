"""Who may ask: by the name that the server is called, by the site that a page is of, and by token."""

import http.cookies
import urllib.parse
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from emorank.serve.errors import Refused
from emorank.serve.middleware import HEALTH, path_of
from emorank.serve.tokens import HERE, Scope, Tokens

COOKIE = "emorank_token"
#: Key of a request's state: what its token allows.
SCOPES = "scopes"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Access:
    """ASGI middleware.

    Args:
        app: what is guarded.
        tokens: of which clients must show one for everything under /api.
        hosts: names by which the server may be called, None for any. With loopback names alone, a page of another
            site cannot reach the server under a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._tokens = tokens
        self._hosts = hosts

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass one request on.

        Raises:
            Refused: it may not be answered.
        """
        if scope["type"] == "http":
            headers, path = Headers(scope=scope), path_of(scope)
            if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
                raise Refused(403, "wrong_host", "This server does not answer under this name.")
            if path.startswith("/api"):
                if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
                    raise Refused(403, "cross_site", "Other sites may not use this server.")
                scopes = self._tokens.scopes_of(_shown(headers)) if self._tokens.needed else HERE
                _check(scopes, path, scope["method"])
                scope.setdefault("state", {})[SCOPES] = scopes
        await self._app(scope, receive, send)


def _check(scopes: frozenset[Scope], path: str, method: str) -> None:
    """Refuse what a token does not allow; whether the server answers may everyone ask who has one."""
    if not scopes:
        message = "Show the token that emorank serve printed when it started, or one of its --tokens."
        raise Refused(401, "token_required", message, {"WWW-Authenticate": "Bearer"})
    lacking = sorted(_needed(path, method) - scopes)
    if lacking and path != HEALTH:
        raise Refused(403, "not_allowed", f"This token does not allow to {' and to '.join(lacking)}.")


def _needed(path: str, method: str) -> frozenset[Scope]:
    """What a token must allow, all of it."""
    path = path.rstrip("/")
    if path.startswith("/api/segments/") and path.endswith(("/audio", "/clip")):
        return frozenset({"listen"})
    if path.startswith("/api/update"):
        return frozenset({"index"})
    if path.startswith("/api/recordings/") and path.endswith("/sound"):  # speech can be made of a fine spectrum again
        return frozenset({"listen"})
    if path == "/api/clips":
        return frozenset({"listen", "export"})
    if path.startswith(("/api/collections", "/api/searches")) and method not in ("GET", "HEAD"):
        return frozenset({"collect"})
    return frozenset({"export" if path in ("/api/segments", "/api/lists") else "search"})


def _shown(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    cookie = http.cookies.SimpleCookie()
    try:
        cookie.load(headers.get("cookie", ""))
    except http.cookies.CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""


def _host(header: str) -> str:
    """The name without the port."""
    try:
        return urllib.parse.urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
