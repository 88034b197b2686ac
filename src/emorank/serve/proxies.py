"""Behind a reverse proxy: the prefix of all paths, and what trusted proxies tell of the client."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from emorank.errors import EmorankError

_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


class Prefix(ProxyHeadersMiddleware):
    """ASGI middleware: paths under a prefix, whether or not the proxy takes it away before it passes a request on.

    The prefix is what a trusted proxy says in X-Forwarded-Prefix, or else `root_path`. Scheme and address of the
    client are taken from X-Forwarded-Proto and X-Forwarded-For, of trusted proxies alone too.

    Args:
        app: what answers.
        root_path: the prefix, such as /emo; nothing where there is none.
        trusted: addresses and networks of proxies.
    """

    def __init__(self, app: Any, root_path: str, trusted: list[str]) -> None:
        super().__init__(app, trusted)
        self._root_path = root_path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one request on."""
        if scope["type"] == "http":
            prefix = self._root_path
            client = scope.get("client")
            if client and client[0] in self.trusted_hosts:
                told = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
                prefix = told if told and _PREFIX.fullmatch(told) else prefix
            path = scope["path"]
            if path == prefix:  # addresses on the page are relative to the folder
                name = prefix.rpartition("/")[2]
                await RedirectResponse(f"{name}/", 307)(scope, receive, send)
                return
            if not path.startswith(f"{prefix}/"):
                path = prefix + path
            scope |= {"root_path": prefix, "path": path}
        await super().__call__(scope, receive, send)


def checked_prefix(root_path: str) -> str:
    """A prefix as it is used: with a slash before it and none behind it.

    Raises:
        EmorankError: it cannot be one, or would be taken for one of our own paths.
    """
    prefix = f"/{root_path.strip('/')}".rstrip("/")
    if not _PREFIX.fullmatch(prefix) or prefix in ("/api", "/static"):
        raise EmorankError(f"{root_path!r} cannot be the path of the server; name one like /emo.")
    return prefix


def checked_proxies(addresses: Sequence[str]) -> Sequence[str]:
    """Addresses and networks.

    Raises:
        EmorankError: one is neither.
    """
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise EmorankError(
                f"{address!r} is no address of a proxy; name one like 10.0.0.7 or 10.0.0.0/8."
            ) from error
    return addresses
