"""Connections: none waits for ever, and none keeps others out.

uvicorn reads and answers requests; here is only when a connection has to end. It has no deadline for a header, for a
client that takes nothing, or for connections in number (docs/decisions.md says which servers have).
"""

import asyncio
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

KEY = "connection"  # in the state of a request
_KNOCKING = 2048  # connections that wait to be taken in


@dataclass(frozen=True)
class Deadlines:
    """How long a connection may wait.

    Args:
        header: seconds from its beginning to its first whole header.
        idle: seconds from an answer to the next whole header.
        stalled: seconds in which a client takes nothing of what is sent.
    """

    header: float = 10.0
    idle: float = 30.0
    stalled: float = 60.0


class Connections:
    """The open connections of a server.

    Beyond `most` the one that has waited longest for a whole request makes room for a new one. Where all are being
    answered, `room` more are let in, to be asked whether the server answers and nothing else.

    Args:
        most: open at once.
        room: for health checks beside them.
        deadlines: of every connection.
    """

    def __init__(self, most: int, room: int = 16, deadlines: Deadlines | None = None) -> None:
        self.most, self._room = most, room
        self.deadlines = deadlines or Deadlines()
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}  # the longest first

    def admit(self, connection: "Connection") -> None:
        """Let a new one in, or not."""
        if len(self._open) >= self.most and self._waiting:
            longest = next(iter(self._waiting))
            self.forget(longest)
            longest.transport.abort()
        if len(self._open) >= self.most + self._room:
            connection.transport.abort()
            return
        connection.crowded = len(self._open) >= self.most
        self._open.add(connection)
        self.wait(connection)

    def wait(self, connection: "Connection") -> None:
        """It has no whole request."""
        self._waiting[connection] = None

    def work(self, connection: "Connection") -> None:
        """It has a whole request, which is being answered."""
        self._waiting.pop(connection, None)

    def forget(self, connection: "Connection") -> None:
        """It is closed."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)


class Server(uvicorn.Server):
    """uvicorn, with connections that are bounded.

    Args:
        app: what is served.
        connections: the bounds.
    """

    def __init__(self, app: Any, connections: Connections) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=cast(type[asyncio.Protocol], partial(Connection, connections)),
                ws="none",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # the app itself looks at what proxies say
                timeout_keep_alive=round(connections.deadlines.idle),
                timeout_graceful_shutdown=5,
                backlog=max(8, connections.most // 4),  # asyncio takes in so many before it looks whether they may stay
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; more than are taken in at once may knock."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(_KNOCKING)


class Connection(H11Protocol):
    """One connection: uvicorn's, with deadlines. Requests find it in their state, and say when they begin and end."""

    def __init__(
        self, registry: Connections, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, {**app_state, KEY: self}, _loop)
        self._registry = registry
        self._deadlines = registry.deadlines
        self._answering = False
        self.crowded = False
        self._due: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._expect(self._deadlines.header)
        self._registry.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._expect(None)
        self._registry.forget(self)
        super().connection_lost(exc)

    def begun(self) -> None:
        """A whole header has come; `emorank.serve.middleware.Bodies` has a deadline for the body."""
        self._answering = True
        self._expect(None)

    def received(self) -> None:
        """A whole request has come."""
        self._registry.work(self)

    def ended(self) -> None:
        """The request is answered."""
        self._answering = False
        if not self.transport.is_closing():
            self._registry.wait(self)
            self._expect(self._deadlines.idle)

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self._expect(self._deadlines.stalled)

    def resume_writing(self) -> None:
        """The client has taken what it was sent."""
        super().resume_writing()
        self._expect(None if self._answering else self._deadlines.idle)

    def _expect(self, seconds: float | None) -> None:
        """Something has to happen within a time; nothing has to for None."""
        if self._due is not None:
            self._due.cancel()
        self._unsent = self.transport.get_write_buffer_size() if seconds else 0
        self._due = asyncio.get_running_loop().call_later(seconds, self._overdue, seconds) if seconds else None

    def _overdue(self, seconds: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:  # slow, but it takes what it is sent
            self._expect(seconds)
        else:
            self.transport.abort()
