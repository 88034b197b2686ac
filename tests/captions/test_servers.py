"""What servers of language models take and send: formats, shapes, errors, addresses."""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

pytest.importorskip("httpx2")

from emorank.captions.llm import ServerOptions
from emorank.captions.llm.job import Job
from emorank.captions.llm.prompt import Point
from emorank.errors import EmorankError
from tests.captions.conftest import Ask, points
from tests.captions.loopback import Server

DRAFT = '{"items": [{"id": 1, "captions": ["a draft", "another"]}]}'


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: [{"type": "text", "text": text}],
        lambda text: [
            {"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]},
            {"type": "text", "text": text},
        ],
        lambda text: [{"type": "output_text", "text": {"value": text[:20]}}, {"type": "text", "text": text[20:]}],
        lambda text: [text],
        lambda text: {"type": "text", "text": text},
        json.loads,
        lambda text: json.loads(text)["items"],
    ],
)
def test_content_may_have_every_shape_that_servers_send(server: Server, ask: Ask, wrap: Callable[[str], Any]) -> None:
    server.wrap = wrap
    job = ask(points(12))
    assert all(len(captions) == 2 for captions in job.captions.values())
    assert len(server.seen) == 2


FORMATS = {"json_schema": "schema", "json_object": "json", None: "off"}


def asked(request: dict[str, Any]) -> str:
    return FORMATS[request.get("response_format", {}).get("type")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": {"message": "This model does not support response format `json_schema`.", "param": "x"}}'),
        (400, '{"error": {"code": 400, "message": "Failed to initialize samplers: failed to parse grammar"}}'),
        (400, '{"object": "error", "message": "features not supported by xgrammar"}'),
        (422, '{"detail": [{"loc": ["body", "response_format", "strict"], "msg": "extra fields not permitted"}]}'),
        (404, '{"error": "guided decoding backend is missing"}'),
        (415, "no structured output here"),
        (500, '{"error": {"message": "unknown field response_format"}}'),
        (501, '{"error": {"message": "not implemented"}}'),
        (400, "computer says no"),
        (200, '{"error": {"message": "json_schema is not supported", "code": 400}}'),
    ],
)
@pytest.mark.parametrize("takes", ["json", "off"])
def test_a_server_that_refuses_structured_output_is_asked_without_it(
    server: Server, ask: Ask, status: int, body: str, takes: str
) -> None:
    order = ["schema", "json", "off"]
    server.refuse = lambda request: (status, body) if order.index(asked(request)) < order.index(takes) else None
    job = ask(points(24), concurrency=1, tries=1)
    assert all(len(captions) == 2 for captions in job.captions.values())
    assert [asked(seen.raw) for seen in server.seen] == [*order[: order.index(takes)], takes, takes, takes]


def test_a_format_that_was_taken_is_not_given_up_for_another_fault(server: Server, ask: Ask) -> None:
    server.refuse = lambda request: (400, "the context is too small") if len(server.seen) > 1 else None
    with pytest.raises(EmorankError, match="the context is too small"):
        ask(points(24), concurrency=1)
    assert [asked(seen.raw) for seen in server.seen] == ["schema", "schema"]


@pytest.mark.parametrize("structured", ["schema", "json", "off"])
def test_a_format_that_is_asked_for_is_the_one_that_is_sent(server: Server, ask: Ask, structured: str) -> None:
    ask(points(2), structured=structured)
    assert {asked(seen.raw) for seen in server.seen} == {structured}
    if structured != "off":
        server.refuse = lambda request: (400, "no response_format here")
        with pytest.raises(EmorankError, match=r"no response_format here.*--structured auto"):
            ask({Point(5.0, 5.0): 1}, structured=structured)
        assert {asked(seen.raw) for seen in server.seen} == {structured}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"error": {"message": "model not found"}}', "model not found"),
        ('{"error": "out of credit"}', "out of credit"),
        ('{"object": "error", "message": "the model is loading"}', "the model is loading"),
        ('{"choices": [{"error": {"message": "upstream went away"}}]}', "upstream went away"),
        ('{"detail": "no such deployment"}', "no such deployment"),
    ],
)
def test_an_error_in_a_200_is_shown_once(server: Server, ask: Ask, body: str, sentence: str) -> None:
    server.refuse = lambda request: (200, body)
    with pytest.raises(EmorankError, match=sentence):
        ask(points(4))
    assert len(server.seen) == 1


def test_an_error_in_a_200_that_will_pass_is_asked_again(server: Server, ask: Ask) -> None:
    body = json.dumps({"error": {"message": "slow down", "code": 429}})
    server.refuse = lambda request: (200, body) if len(server.seen) < 3 else None
    assert ask({Point(2.0, 2.0): 1}).captions[Point(2.0, 2.0)]


def test_a_page_instead_of_an_answer_is_quoted(server: Server, ask: Ask) -> None:
    server.refuse = lambda request: (200, "<html>It works!</html>")
    with pytest.raises(EmorankError, match=r"cannot be read: <html>It works!</html>"):
        ask(points(1), tries=2)


def test_models_that_think_get_more_room_after_an_answer_was_cut_off(server: Server, ask: Ask) -> None:
    cut = json.dumps({"choices": [{"finish_reason": "length", "message": {"content": "<think> long"}}]})
    server.refuse = lambda request: (200, cut) if request["max_tokens"] < 6000 else None
    job = ask(points(32), concurrency=1)
    assert all(len(captions) == 2 for captions in job.captions.values())
    limits = [seen.raw["max_tokens"] for seen in server.seen]
    assert all(limit > 6000 for limit in limits[4:])  # the other bundles start with what the first one needed


def test_the_limit_is_left_out_where_a_server_takes_neither_name_unless_a_budget_needs_it(
    server: Server, ask: Ask
) -> None:
    names = ("max_tokens", "max_completion_tokens")
    server.refuse = lambda request: next(((400, f"{name} is too large") for name in names if name in request), None)
    assert ask({Point(2.0, 2.0): 1}, structured="off").captions[Point(2.0, 2.0)]
    with pytest.raises(EmorankError, match="max_completion_tokens is too large"):
        ask({Point(3.0, 2.0): 1}, structured="off", price_in=1.0, budget=1.0)


@pytest.mark.parametrize("suffix", ["", "/", "/chat/completions", "?api-version=1"])
def test_the_address_may_be_written_in_several_ways(server: Server, suffix: str) -> None:
    with closing(Job("tiny", {Point(2.0, 2.0): 1}, ServerOptions())) as job:
        job.run(server.url + suffix)
        assert job.captions[Point(2.0, 2.0)]


def test_a_compressed_answer_is_read_and_a_bomb_is_not(server: Server, ask: Ask) -> None:
    server.gzip = True
    assert ask({Point(2.0, 2.0): 1}).captions[Point(2.0, 2.0)]
    server.refuse = lambda request: (200, json.dumps({"choices": [], "x": " " * (1 << 23)}))
    with pytest.raises(EmorankError, match="far too large"):
        ask({Point(3.0, 2.0): 1}, tries=1)
