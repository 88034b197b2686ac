"""emorank serve: search a named index from a page, and from other programs."""

import os
import secrets
import socket
import threading
import urllib.parse
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank.cli.console import late_progress, say
from emorank.errors import EmorankError, MissingExtra
from emorank.memory import parsed

if TYPE_CHECKING:
    from emorank.model import EmotionRankCLAP

_CONNECTIONS = 4096  # open at once, where the system allows


def serve(
    *names: str,
    model: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    host: str = "127.0.0.1",
    port: int = 8321,
    public_name: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    root_path: str = "",
    proxy: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    token: str | None = None,
    tokens: Path | None = None,
    memory: str | None = None,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
) -> None:
    """Search named indexes from a page, and from other programs.

    The page is at /, the API under /api, its document at /openapi.json. Of several indexes each has all of this under
    its name, and / lists them and leads to a search of two side by side. What emorank index adds, also while this runs,
    is found within seconds.

    Examples:

        emorank serve calls

        emorank serve calls interviews

        emorank serve calls --model emorank-base --model runs/mine

    Args:
        names: The indexes, made by emorank index.
        model: A model to search them under instead of their own; an index can be searched under those that use the
            encoder which heard it, and is served once for each.
        host: The address to listen at. Others than this computer's own need a token.
        port: The port to listen at; 0 takes a free one.
        public_name: Names under which a proxy on this computer shows the server to others, who then need a token.
        root_path: The path under which a proxy shows the server, such as /emo.
        proxy: Addresses and networks of proxies whose X-Forwarded headers are believed. By default this computer's.
        token: What clients must show. By default $EMORANK_TOKEN, or one made up where a token is needed.
        tokens: A TOML or JSON file of tokens, each with a name and what it allows; read again when it changes.
        memory: How much memory the index may take, such as 4GB; what is larger is searched from files. By default what
            100,000 moments need, and never more than half of what is free.
        browser: Open the page.
    """
    # Questions are encoded side by side, one a core; threads of one question would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from emorank.serve.access import LOOPBACK
        from emorank.serve.app import create_app
        from emorank.serve.connections import Connections, Server
        from emorank.serve.named import opened
        from emorank.serve.proxies import checked_prefix, checked_proxies
        from emorank.serve.tokens import Tokens
    except ImportError as error:
        raise MissingExtra("emorank serve", "serve") from error
    if not names:
        raise EmorankError("Name an index: emorank serve calls")
    from emorank.index.named import NamedIndex

    most = None if memory is None else parsed(memory)
    prefix, proxies = checked_prefix(root_path), checked_proxies(proxy or ("127.0.0.1", "::1"))
    public = frozenset(name.lower() for name in public_name or ())
    here = host in LOOPBACK and not public
    token = token or os.environ.get("EMORANK_TOKEN") or (None if here or tokens else secrets.token_urlsafe(24))
    allowed = Tokens(token, tokens)
    for name in names:
        NamedIndex.open(name)  # says what is wrong with it before anything is loaded
    listening = _listening(host, port)
    with late_progress("reading a large index") as bar:
        served = opened(names, model or (), most, bar)
    for one in served:
        if not len(one.snapshot.collection):
            say(f"The index {one.name} is empty; fill it: emorank index DIR --name {one.named.name}")
    hosts = LOOPBACK | public | {host} if public or host in LOOPBACK else None
    app = create_app(served, allowed, hosts, prefix, proxies)
    shown = f"[{host}]" if ":" in host else host
    query = f"?token={urllib.parse.quote(token, safe='')}" if token else ""
    address = f"http://{shown}:{listening.getsockname()[1]}{prefix}/{query}"
    # A connection may hold a recording open; the rest is for the index.
    server = Server(app, Connections(max(16, min(_CONNECTIONS, (_descriptors() - 128) // 2))))
    say(f"Searching {', '.join(one.name for one in served)} at {address}  (Ctrl-C ends it)")
    threading.Thread(target=_hear, args=([one.snapshot.model for one in served],), daemon=True).start()
    if browser and here:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    server.run([listening])


def _hear(models: "Sequence[EmotionRankCLAP]") -> None:
    """Load the audio encoders beside the first searches, which do not need them, for the first clip, which does."""
    import numpy as np

    for model in {model.encoder_fingerprint: model for model in models}.values():
        model.encode_audio([np.zeros(16_000, np.float32)])


def _descriptors() -> int:
    """How many files may be open, after the limit was raised as far as this user may."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 2 * _CONNECTIONS + 128
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (hard, 10_240):  # macOS calls it infinite and takes no more than this
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return limit if limit != resource.RLIM_INFINITY else 2 * _CONNECTIONS + 128
        except (OSError, ValueError):
            continue
    return soft


def _listening(host: str, port: int) -> socket.socket:
    """A socket at which clients may knock at once."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Named with its protocol, or asyncio leaves out TCP_NODELAY, and every answer on a kept connection waits 40 ms.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
        return listening
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EmorankError(f"{host}:{port} cannot be listened at ({reason}); name another --host or --port.") from error
