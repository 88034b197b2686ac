"""An S3 server of moto's on loopback, and what two indexes have in common."""

import secrets
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from emorank.index import Index
from emorank.model import EmotionRankCLAP
from emorank.scale.heard import Engine
from emorank.scale.units import Done, Listener, Unit


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3 and keeps objects in memory."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of one's own, s3://NAME, that the environment gives access to."""
    for name, value in {"ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    name = f"b{secrets.token_hex(8)}"
    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/{name}", method="PUT")).close()
    return f"s3://{name}"


def here(model: EmotionRankCLAP) -> Engine:
    """Units heard in this process, one after the other."""
    listener = Listener(model, "auto")
    return lambda units: map(listener, units)


def counting(engine: Engine, heard: list[str]) -> Engine:
    """An engine that notes the recordings that it is given."""

    def run(units: Iterable[Unit]) -> Iterator[Done]:
        given = list(units)
        heard.extend(recording.path for unit in given for recording in unit.recordings)
        return engine(given)

    return run


def equal(dataset: Index, laptop: Index) -> None:
    """The same moments, in the same places, and nothing twice."""
    one, other = dataset.segments(), laptop.segments()
    assert one.paths == other.paths
    for name in ("start", "end", "channels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("embeddings", "places", "loudness", "speech"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-4)
    assert one.damage == other.damage
    assert dataset.recordings() == laptop.recordings()


Recordings = Callable[..., Path]
