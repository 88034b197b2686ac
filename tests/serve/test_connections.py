"""Connections: none waits for ever, none keeps others out, whatever clients do with them."""

import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from emorank.serve.app import create_app
from emorank.serve.connections import Connections, Deadlines
from tests.serve.conftest import Client, Served, listening, server

SOON = Deadlines(header=0.6, idle=1.2, stalled=0.6)
GET = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def app(served: Served) -> FastAPI:
    app = create_app(served.index)
    app.state.released = threading.Event()

    @app.get("/hold")
    async def hold() -> str:
        while not app.state.released.is_set():
            await anyio.sleep(0.01)
        return "held"

    app.state.streaming = 0

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def stream() -> AsyncIterator[bytes]:
            app.state.streaming += 1
            try:
                while True:
                    await anyio.sleep(0)  # as whatever reads or decodes
                    yield bytes(100_000)
            finally:
                app.state.streaming -= 1

        return StreamingResponse(stream())

    return app


@contextmanager
def held(app: FastAPI, port: int, count: int) -> Iterator[None]:
    """So many requests that are being answered."""
    clients = [Client(port, b"GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(count)]
    time.sleep(0.2)
    try:
        yield
    finally:
        app.state.released.set()
        assert all(b"200 OK" in client.answer() for client in clients)


def test_a_client_without_a_header_is_left(app: FastAPI) -> None:
    with listening(app, Connections(100, deadlines=SOON)) as port:
        begun = time.monotonic()
        silent, slow = Client(port), Client(port, b"GET /api/health HTTP/1.1\r\nX-A: ")
        for _ in range(4):  # what comes is no header yet
            time.sleep(0.1)
            slow.send(b"a")
        assert silent.hung_up(3)
        assert slow.hung_up(3)
        assert SOON.header - 0.1 <= time.monotonic() - begun < SOON.header + 1.5


def test_an_answered_client_may_ask_again_for_a_while(app: FastAPI) -> None:
    with listening(app, Connections(100, deadlines=SOON)) as port:
        client = Client(port)
        for _ in range(4):
            client.send(GET)
            assert b'"status":"ok"' in client.answer()
            time.sleep(0.4)
        assert not client.hung_up(0.3)
        client.send(b"GET /api/hea")  # begins a header and never ends it
        assert client.hung_up(3)


def test_the_longest_waiting_makes_room(app: FastAPI) -> None:
    with listening(app, Connections(10, deadlines=Deadlines())) as port:
        waiting = []
        for _ in range(30):
            waiting.append(Client(port))
            time.sleep(0.005)
        asking = Client(port, GET)
        assert b'"status":"ok"' in asking.answer()
        assert all(client.hung_up(2) for client in waiting[:20])
        waiting[-1].send(GET)
        assert b'"status":"ok"' in waiting[-1].answer()


def test_there_is_room_for_the_health_check(app: FastAPI) -> None:
    with listening(app, Connections(5, room=2, deadlines=Deadlines())) as port:
        with held(app, port, 5):
            search = Client(port, b"GET /api/index HTTP/1.1\r\nHost: localhost\r\n\r\n")
            refused = search.answer()
            assert refused.startswith(b"HTTP/1.1 503")
            assert b"retry-after" in refused
            assert b'"code":"busy"' in refused
            search.socket.close()
            health = Client(port, GET)
            assert b'"status":"ok"' in health.answer()
            Client(port)
            assert b'"status":"ok"' in Client(port, GET).answer()
        time.sleep(0.1)
        assert b"200 OK" in Client(port, b"GET /api/index HTTP/1.1\r\nHost: localhost\r\n\r\n").answer()


def test_a_client_that_takes_nothing_is_left(app: FastAPI) -> None:
    with listening(app, Connections(100, deadlines=SOON)) as port:
        stalled = Client(port, b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reading = Client(port, b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until = time.monotonic() + 3 * SOON.stalled
        while time.monotonic() < until:
            assert reading.answer()
        assert app.state.streaming == 1
        reading.socket.close()
        stalled.socket.close()
        time.sleep(0.3)
        assert app.state.streaming == 0


def test_clients_that_leave_are_no_errors(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    begun = b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nContent-Type: application/json\r\n\r\n{"
    with listening(app, Connections(100)) as port:
        for first in (b"", b"GET /", b"POST /api/search" + begun, b"POST /api/locate" + begun, GET):
            for reset in (False, True):
                client = Client(port, first)
                time.sleep(0.05)
                if reset:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.socket.close()
        time.sleep(0.3)
        assert b'"status":"ok"' in Client(port, GET).answer()
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


@pytest.mark.slow
@pytest.mark.parametrize("descriptors", [None, 200])
def test_idle_and_slow_clients_keep_nobody_out(
    served: Served, monkeypatch: pytest.MonkeyPatch, descriptors: int | None
) -> None:
    """1,000 and 200 of them with EMORANK_FLOOD; the suite has fewer."""
    idle, slow = (1000, 200) if "EMORANK_FLOOD" in os.environ else (250, 50)
    monkeypatch.setenv("EMORANK_DATA", str(served.root.parent / "data"))
    with server("calls", "--token", "s3cret", descriptors=descriptors) as address:
        port = urlsplit(address).port or 0
        token = parse_qs(urlsplit(address).query)["token"][0]
        asked = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n".encode()

        def search(text: str) -> tuple[float, bytes]:
            body = f'{{"texts": [{{"text": "{text}"}}]}}'.encode()
            head = b"POST /api/search HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n" + asked
            begun = time.monotonic()
            answer = Client(port, head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body).answer(30)
            return time.monotonic() - begun, answer

        search("calm")  # loads what it loads
        clients = []
        for i in range(idle + slow):
            first = b""
            if i % (idle // slow + 1) == 0:
                first = b"POST /api/search HTTP/1.1\r\n" + asked + (b"Content-Length: 99\r\n\r\n{" if i % 2 else b"X: ")
            clients.append(Client(port, first))
        answers = [search(text) for text in ("tired", "angry", "joyful", "cold")]
        assert all(answer.startswith(b"HTTP/1.1 200") for _, answer in answers)
        assert min(answers)[0] < 3  # a fraction of a second where nothing else has the cores
        assert Client(port, b"GET /api/health HTTP/1.1\r\n" + asked + b"\r\n").answer().startswith(b"HTTP/1.1 200")
