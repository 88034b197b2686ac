"""Object storage by address, s3://bucket/prefix: what lies there, reading, writing, and whose turn it is to write.

Credentials, region and endpoint come from the usual variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION,
AWS_ENDPOINT_URL) or from the machine's role. LanceDB reads the same variables for the tables themselves.
"""

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from emorank.errors import EmorankError, MissingExtra

SCHEME = "s3://"
LEASE_FILE = "lease"
_BEAT = 10.0  # seconds between two signs of life of a writer
_DEAD = 6 * _BEAT  # seconds without one after which another writer takes over
_DIGEST_LENGTH = 16  # bytes, as `emorank.digest`
_SECOND = 10**9  # ns


def is_remote(place: object) -> bool:
    """Whether a place is an address of object storage and no path."""
    return isinstance(place, str) and place.startswith(SCHEME)


def options() -> dict[str, str]:
    """What LanceDB has to be told beside the variables: that an endpoint without TLS is meant."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    return {"allow_http": "true"} if endpoint.startswith("http://") else {}


def listed(place: str) -> Iterator[tuple[str, int, int]]:
    """All objects under a prefix, or the one named: address, size in bytes, state as `now` gives it.

    Raises:
        EmorankError: the storage cannot be reached or refuses.
    """
    bucket, key = _parts(place)
    with _reported(place):
        store = _store(bucket)
        prefix = f"{key.rstrip('/')}/" if key else None
        for some in _obstore().list(store, prefix):
            for found in some:
                yield f"{SCHEME}{bucket}/{found['path']}", found["size"], _state(found)


def now(place: str) -> tuple[int, int]:
    """Size in bytes and state of an object: nanoseconds of its last change, to the second.

    Storage knows no better, so what is below the second tells apart contents that were written within one: it comes
    from the storage's tag of the content.

    Raises:
        FileNotFoundError: there is none.
        EmorankError: the storage cannot be reached or refuses.
    """
    bucket, key = _parts(place)
    with _reported(place):
        found = _obstore().head(_store(bucket), key)
        return found["size"], _state(found)


def fetch(place: str, file: Path) -> str:
    """Copy an object into a file; the digest of its content, as `emorank.digest` makes it.

    Raises:
        FileNotFoundError: there is no such object.
        EmorankError: the storage cannot be reached or refuses.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_LENGTH)
    with open(file, "wb") as sink:
        for piece in _pieces(place):
            digest.update(piece)
            sink.write(piece)
    return digest.hexdigest()


def digest_of(place: str) -> str:
    """The digest of an object's content, read now; raises as `fetch`."""
    digest = hashlib.blake2b(digest_size=_DIGEST_LENGTH)
    for piece in _pieces(place):
        digest.update(piece)
    return digest.hexdigest()


def read(place: str, name: str) -> bytes | None:
    """A small object under a prefix; None where there is none.

    Raises:
        EmorankError: the storage cannot be reached or refuses.
    """
    _parts(place)
    try:
        return b"".join(_pieces(_joined(place, name)))
    except FileNotFoundError:
        return None


def write(place: str, name: str, content: bytes) -> None:
    """Write a small object under a prefix, whole.

    Raises:
        EmorankError: the storage cannot be reached or refuses.
    """
    bucket, key = _parts(place)
    with _reported(place):
        _obstore().put(_store(bucket), _joined(key, name), content)


@contextmanager
def lease(place: str) -> Iterator["Lease"]:
    """One writer at a time under a prefix; one that gives no sign of life for a minute is taken for dead.

    Raises:
        EmorankError: another writer is at work, or the storage cannot be reached or refuses.
    """
    held = Lease(place)
    try:
        yield held
    finally:
        held.end()


class Lease:
    """The right to write under a prefix: an object that is made, renewed and taken over by conditional writes.

    Args:
        place: the prefix.

    Raises:
        EmorankError: another writer has it.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        bucket, key = _parts(place)
        self._key = _joined(key, LEASE_FILE)
        self._lost: str | None = None
        self._ended = threading.Event()
        self._seen = time.monotonic()
        with _reported(place):
            self._store = _store(bucket)
            self._tag = self._taken()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()

    def check(self) -> None:
        """That it is still ours; asked before every transaction.

        Raises:
            EmorankError: another writer took over, as it does when this one could not reach the storage for a minute.
        """
        if self._lost or time.monotonic() - self._seen > _DEAD / 2:
            raise EmorankError(
                f"{self._place}: the storage was out of reach for too long ({self._lost or 'no answer'}); run the "
                "command again, it goes on from there."
            )

    def end(self) -> None:
        """Let others write."""
        self._ended.set()
        self._beating.join()
        from obstore.exceptions import PreconditionError

        with _reported(self._place), suppress(PreconditionError):  # another writer took over
            self._put({"e_tag": self._tag}, b"free")

    def _taken(self) -> str:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._put("create")
        except AlreadyExistsError:
            content, tag = self._current()
        if content != b"free":
            begun = time.monotonic()
            while time.monotonic() - begun < _DEAD:
                time.sleep(_BEAT / 5)
                content, new = self._current()
                if content == b"free":
                    tag = new
                    break
                if new != tag:
                    raise EmorankError(
                        f"{self._place}: another emorank embed is writing there; wait for it, or name another place."
                    )
        try:
            return self._put({"e_tag": tag})
        except PreconditionError as error:
            raise EmorankError(f"{self._place}: another emorank embed began to write there just now.") from error

    def _current(self) -> tuple[bytes, str]:
        found = _obstore().get(self._store, self._key)
        return bytes(found.bytes()), str(found.meta["e_tag"])

    def _put(self, mode: Any, content: bytes | None = None) -> str:
        written = content or uuid.uuid4().hex.encode()  # every sign of life is another content, so another tag
        return str(_obstore().put(self._store, self._key, written, mode=mode)["e_tag"])

    def _beat(self) -> None:
        from obstore.exceptions import PreconditionError

        while not self._ended.wait(_BEAT):
            try:
                self._tag = self._put({"e_tag": self._tag})
                self._seen = time.monotonic()
            except PreconditionError:
                self._lost = "another writer took over"
                return
            except Exception:  # tried again at the next beat; `check` says so when it lasts
                continue


def _pieces(place: str) -> Iterator[bytes]:
    bucket, key = _parts(place)
    with _reported(place):
        for piece in _obstore().get(_store(bucket), key).stream():
            yield bytes(piece)


def _state(found: Any) -> int:
    seconds = int(found["last_modified"].timestamp())  # some storage tells more in a list than of the object alone
    return seconds * _SECOND + crc32((found["e_tag"] or "").strip('"').encode()) % _SECOND


def _parts(place: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = place.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise EmorankError(f"{place}: an address on object storage is s3://BUCKET/PREFIX.")
    return bucket, key


def _joined(key: str, name: str) -> str:
    return f"{key.rstrip('/')}/{name}" if key else name


def _obstore() -> Any:
    try:
        import obstore
    except ImportError as error:
        raise MissingExtra(f"What lies on {SCHEME}", "scale") from error
    return obstore


def _store(bucket: str) -> Any:
    _obstore()
    from obstore.store import S3Store

    patience: Any = {"max_retries": 5, "retry_timeout": timedelta(seconds=20)}
    return S3Store(bucket, client_options={"allow_http": True} if options() else None, retry_config=patience)


@contextmanager
def _reported(place: str) -> Iterator[None]:
    """Every refusal of the storage is one sentence; that there is no such object stays what it is."""
    try:
        yield
    except (EmorankError, FileNotFoundError):
        raise
    except Exception as error:
        kinds = {f"{kind.__module__.partition('.')[0]}" for kind in type(error).mro()}
        if "obstore" not in kinds:
            raise
        reason = " ".join(str(error).split())[:300]
        raise EmorankError(f"{place}: the object storage cannot be used ({reason}).") from error
