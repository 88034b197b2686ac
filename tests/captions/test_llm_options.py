"""What the captioner is told: keys, addresses, proxies, waits, options."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2")

from emorank.captions.llm import ServerOptions, key_from_environment
from emorank.captions.llm.client import Client, retry_after
from emorank.captions.llm.job import Job, back_off
from emorank.captions.llm.prompt import Point
from emorank.errors import EmorankError
from tests.captions.conftest import Ask, points
from tests.captions.loopback import Server

KEY = "sk-very-secret-0123456789abcdef"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_server_that_repeats_the_key_does_not_get_it_into_an_error(
    server: Server, ask: Ask, own_cache: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault = lambda number: "error"
    server.error = (status, f"Bad key {KEY} and {KEY[:14]}... and Bearer {KEY.upper()}")
    with caplog.at_level("DEBUG"), pytest.raises(EmorankError) as caught:
        ask(points(1), key=KEY, tries=2)
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    everything = str(caught.value) + repr(caught.value.__cause__) + caplog.text
    for piece in (KEY, KEY[:12], KEY.upper()):
        assert piece not in everything
    for path in own_cache.rglob("*"):
        if path.is_file():
            assert KEY[:12].encode() not in path.read_bytes()


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(EmorankError) as caught:
        Client("http://ann:hunter2@127.0.0.1/v1", "m", None, ServerOptions())
    assert "hunter2" not in str(caught.value)


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    place = Point(2.0, 2.0)
    with closing(Job("tiny", {place: 1}, ServerOptions(timeout=5.0))) as job:
        job.run("http://captions.invalid/v1")
        assert len(job.captions[place]) == 1
    assert server.seen[0].headers["host"] == "captions.invalid"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    ask(points(9))
    monkeypatch.setenv("http_proxy", "carrier-pigeon://127.0.0.1")
    with pytest.raises(EmorankError, match="proxy cannot be used"):
        Client("http://captions.invalid/v1", "tiny", None, ServerOptions())


@pytest.mark.parametrize("key", ["sk-first\nsk-second", "sk with spaces", "sk-\u2026"])
def test_a_key_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("EMORANK_LLM_KEY", key)
    with pytest.raises(EmorankError, match="EMORANK_LLM_KEY holds") as caught:
        key_from_environment()
    assert "sk" not in str(caught.value)


def test_a_wait_may_be_a_date() -> None:
    assert retry_after("1.5") == 1.5
    assert retry_after("-3") == 0
    assert retry_after("1e9") == 600
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert 25 < (retry_after(soon) or 0) <= 30
    assert [retry_after(header) for header in (None, "soon", "nan")] == [None] * 3


def test_waits_double_up_to_a_minute_and_are_spread_out() -> None:
    for failures, longest in ((1, 0.5), (2, 1.0), (5, 8.0), (40, 60.0)):
        waits = [back_off(failures, 0.5) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
        assert max(waits) - min(waits) > longest / 4


@pytest.mark.parametrize(
    "options",
    [
        {"points_per_call": 0},
        {"points_per_call": 51},
        {"concurrency": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"first_wait": -1.0},
        {"temperature": float("nan")},
        {"tries": 0},
        {"attempts": 0},
        {"price_in": -1.0},
        {"price_in": float("inf")},
        {"budget": 0.0, "price_in": 1.0},
        {"budget": 1.0},
        {"language": "de; drop"},
    ],
)
def test_options_out_of_range_are_one_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(EmorankError, match=f"--{next(iter(options)).replace('_', '-')}"):
        ServerOptions(**options)
