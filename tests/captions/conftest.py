"""A server that misbehaves as it is told, and a job that asks it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from emorank.captions.llm.prompt import Point
from tests.captions.loopback import Server, serving

QUICK = {"first_wait": 0.01, "timeout": 1.0}

Ask = Callable[..., Any]  # points -> how many captions each, and options; gives the job


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as state:
        yield state


@pytest.fixture
def ask(server: Server, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the server for so many captions of each point; gives the job when it is done."""
    from emorank.captions.llm import ServerOptions
    from emorank.captions.llm.job import Job

    def run(wanted: dict[Point, int], forbidden: Any = None, key: str | None = None, **options: Any) -> Any:
        monkeypatch.setenv("EMORANK_LLM_KEY", key or "")
        with closing(Job("tiny", wanted, ServerOptions(**QUICK | options), forbidden)) as job:
            job.run(server.url)
            job.spent_at_the_end = job.spent()  # type: ignore[attr-defined]
            return job

    return run


def points(count: int) -> dict[Point, int]:
    """So many points of the plane, two captions each."""
    return {Point(1 + index % 61 / 10, 1 + index // 61 / 10): 2 for index in range(count)}
