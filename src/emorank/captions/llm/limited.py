"""A transport that reads only so much of an answer, and only for so long, whatever the server sends."""

import time
from collections.abc import Iterator

import httpx2

LARGEST = 1 << 20  # bytes of one answer; a hundred captions with their thoughts are far less


class TooLarge(httpx2.ReadError):
    """More came than an answer can have."""


class TooSlow(httpx2.ReadTimeout):
    """The answer dripped in for longer than a call may take."""


class _Limited(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST:
                raise TooLarge(f"The answer is larger than {LARGEST} bytes.")
            if time.monotonic() > self._deadline:
                raise TooSlow("The answer took too long.")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class LimitedTransport(httpx2.BaseTransport):
    """Limits every answer of another transport.

    Args:
        inner: does the talking.
        seconds: a whole call, first to last byte.
    """

    def __init__(self, inner: httpx2.BaseTransport, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request that asks for plain bytes: a few compressed ones could become gigabytes."""
        deadline = time.monotonic() + self._seconds
        request.headers["Accept-Encoding"] = "identity"
        response = self._inner.handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise httpx2.ReadError("The answer is compressed, which was not asked for.")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Limited(response.stream, deadline)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
