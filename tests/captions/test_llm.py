"""The language model's captioner against a server that misbehaves."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx2")

from emorank.captions.llm import ServerOptions, key_from_environment
from emorank.captions.llm.client import Client, retry_after
from emorank.captions.llm.job import Job, back_off
from emorank.captions.llm.prompt import Point, Unusable, parse
from emorank.captions.llm.store import CaptionStore
from emorank.errors import EmorankError
from tests.captions.loopback import Server, caption, point, serving

KEY = "sk-very-secret-0123456789abcdef"
QUICK = {"first_wait": 0.01, "timeout": 1.0}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as state:
        yield state


Ask = Callable[..., Job]


@pytest.fixture
def ask(server: Server, monkeypatch: pytest.MonkeyPatch) -> Ask:
    def run(wanted: dict[Point, int], forbidden: Any = None, key: str | None = None, **options: Any) -> Job:
        monkeypatch.setenv("EMORANK_LLM_KEY", key or "")
        with closing(Job("tiny", wanted, ServerOptions(**QUICK | options), forbidden)) as job:
            job.run(server.url)
            job.spent_at_the_end = job.spent()  # type: ignore[attr-defined]
            return job

    return run


def points(count: int) -> dict[Point, int]:
    return {Point(1 + index % 61 / 10, 1 + index // 61 / 10): 2 for index in range(count)}


def once(*faults: str) -> Callable[[int], str]:
    return lambda number: faults[number] if number < len(faults) else ""


def test_captions_for_every_point_in_few_calls(server: Server, ask: Ask) -> None:
    outcome = ask(points(20))
    assert [len(captions) for captions in outcome.captions.values()] == [2] * 20
    assert not outcome.given_up
    assert len(server.seen) == 3  # 8 + 8 + 4 points
    assert outcome.spent_at_the_end == (300, 150)
    again = ask(points(20))
    assert again.captions == outcome.captions
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "fault", ["429", "500", "hang", "cut", "enormous", "refusal", "invalid", "count", "many", "duplicates"]
)
def test_one_misbehaviour_costs_one_more_call_at_most_two(server: Server, ask: Ask, fault: str) -> None:
    server.fault = once(fault)
    outcome = ask(points(4), concurrency=1, timeout=0.5)
    assert all(len(set(captions)) == 2 for captions in outcome.captions.values())
    assert 2 <= len(server.seen) <= 3


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("a voice at level 6, loud", "number"),
        ("a voice at ٣ of its strength", "number"),
        ("a six out of seven kind of joy", "number word"),
        ("high arousal in a bright voice", "names valence"),
        ("Valenz hoch, eine helle Stimme", "names valence"),
        ("ok", "too short"),
        ("so " * 40, "too long"),
        ("- a low and even voice", "begin with a letter"),
        ("+cmd and a low voice", "begin with a letter"),
        ('she whispers "do not open it"', "quotation"),
        ("I'm sorry, but I cannot do that", "refusal"),
        ("please do not open the red door", "what the speaker says"),
        ("a clear\x1b[31m voice in red", "control"),
        ("see https://example.org for it", "link"),
        ("очень тихий и усталый голос", "English"),
        ("a shy voice sk-very-secret-01234", "no description"),
    ],
)
def test_bad_captions_are_asked_again_with_the_reason(server: Server, ask: Ask, bad: str, reason: str) -> None:
    from emorank.captions.rules import phrases

    server.body = lambda items: json.dumps(
        {"items": [{"id": 1, "captions": [caption(1), caption(2) if items[0].get("rejected") else bad]}]}
        if items[0]["captions"] == 2
        else {"items": [{"id": 1, "captions": [caption(2)]}]}
    )
    place = Point(2.0, 6.0)
    outcome = ask({place: 2}, {place: phrases(["Do not open the red door, please."])}, key=KEY, concurrency=1)
    assert outcome.captions[place] == [caption(1), caption(2)]
    assert len(server.seen) == 2
    asked = server.seen[1].items[0]
    if "sk-very" in bad:
        assert "rejected" in asked or server.seen[1].items[0]["captions"] == 2
    else:
        assert reason in " ".join(asked["rejected"])
        assert asked["captions"] == 1  # what was good is not asked for again
        assert asked["already"] == [caption(1)]
        assert bad.strip() not in server.seen[1].text


def test_what_a_model_never_gets_right_is_given_up_and_the_rest_kept(server: Server, ask: Ask) -> None:
    def body(items: list[dict[str, Any]]) -> str:
        return json.dumps(
            {
                "items": [
                    {"id": i["id"], "captions": ["arousal" if i["valence"] == 1 else caption(int(i["valence"]))]}
                    for i in items
                ]
            }
        )

    server.body = body
    outcome = ask({Point(1.0, 1.0): 1, Point(2.0, 1.0): 1}, attempts=3)
    assert outcome.captions == {Point(1.0, 1.0): [], Point(2.0, 1.0): [caption(2)]}
    assert "names valence" in outcome.given_up[Point(1.0, 1.0)] or "short" in outcome.given_up[Point(1.0, 1.0)]
    assert len(server.seen) == 3


def test_more_captions_of_a_known_point_cost_only_those(server: Server, ask: Ask) -> None:
    ask({Point(3.0, 3.0): 2})
    ask({Point(3.0, 3.0): 5})
    assert [seen.items[0]["captions"] for seen in server.seen] == [2, 3]


def test_a_wait_that_the_server_asks_for_is_kept_by_all_workers(server: Server, ask: Ask) -> None:
    server.fault, server.wait, server.delay = once("429"), "0.6", 0.05
    ask(points(120), concurrency=4)  # 15 calls and one more
    first = server.seen[0].at
    assert len(server.seen) == 16
    assert not [seen for seen in server.seen if 0.3 < seen.at - first < 0.6]  # calls on their way came before


def test_a_dead_server_keeps_what_was_accepted(server: Server, ask: Ask) -> None:
    server.fault = lambda number: "" if number < 2 else "500"
    with pytest.raises(EmorankError, match=r"failed 3 times in a row \(status 500\)\. 32 of 80 captions are kept"):
        ask(points(40), concurrency=1, tries=3)
    server.fault = lambda number: ""
    before = len(server.seen)
    assert all(len(captions) == 2 for captions in ask(points(40)).captions.values())
    assert len(server.seen) - before == 3


def test_the_budget_is_never_exceeded_and_counts_all_runs(server: Server, ask: Ask) -> None:
    prices = {"price_in": 1000.0, "price_out": 1000.0}  # a call comes to 0.15
    for _ in range(3):
        with pytest.raises(EmorankError, match="larger --budget"):
            ask(points(200), **prices, budget=5.0, concurrency=1)
    assert 0 < len(server.seen) * 0.15 <= 5.0
    first = len(server.seen)
    ask(points(200), **prices, budget=50.0)
    assert len(server.seen) == 25  # not one call for a point that was accepted before
    assert first < 25


def test_what_a_server_does_not_know_is_left_out(server: Server, ask: Ask) -> None:
    server.fault = once("error", "error", "error")
    server.error = (400, "Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'. No response_format here.")
    ask({Point(3.0, 3.0): 1})
    last = server.seen[-1].raw
    assert "max_completion_tokens" in last
    assert "response_format" not in last
    assert "max_tokens" not in last


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


def test_one_run_at_a_time_has_the_store() -> None:
    store = CaptionStore({"model": "tiny"})
    with pytest.raises(EmorankError, match="another run"):
        CaptionStore({"model": "tiny"})
    CaptionStore({"model": "other"}).close()
    store.close()
    CaptionStore({"model": "tiny"}).close()


def test_points_are_told_apart_by_all_that_is_asked(server: Server, ask: Ask) -> None:
    wanted = {Point(2.0, 6.0): 1, Point(2.0, 6.0, 6.5): 1, Point(2.0, 6.0, 6.5, "female"): 1}
    ask(wanted)
    assert len({point(item) for seen in server.seen for item in seen.items}) == 3


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
    "content",
    [
        "null",
        "[]",
        '{"items": []}',
        '{"items": [{"id": 1, "captions": ["a"]}, {"id": 1, "captions": ["b"]}]}',
        '{"items": [{"id": true, "captions": ["a"]}, {"id": 2, "captions": ["b"]}]}',
        '{"items": [{"id": 1, "captions": "a"}, {"id": 2, "captions": ["b"]}]}',
        '{"items": [{"id": 1, "captions": ["a"]}, {"id": 3, "captions": ["b"]}]}',
        "[" * 100_000,
        "9" * 10_000,
        '{"a": [' + "9" * 10_000 + "]}",
        '{"a":' * 600 + "1" + "}" * 600,
    ],
)
def test_answers_that_are_not_the_document_are_unusable(content: str) -> None:
    with pytest.raises(Unusable):
        parse(content, 2)


DOCUMENT = '{"items": [{"id": 1, "captions": ["a", "b"]}]}'
DRAFT = '{"items": [{"id": 1, "captions": ["a draft", "another"]}]}'


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "  {}\n",
        "\ufeff{}",
        "\n\u200b{}",
        "```json\n{}\n```",
        "```JSON\n{}\n```",
        "~~~\n{}\n~~~",
        "Here are the captions [as asked]:\n\n```json\n{}\n```\n\nLet me {know}!",
        "<think>7 of 7?</think>\n{}",
        "So {one} caption. I could write DRAFT.\n</think>\n\n{}",
        "<thinking>DRAFT</thinking>{}",
        "<Thought>\nDRAFT\n</Thought>\n<output>{}</output>",
        "<reasoning>DRAFT</reasoning><answer>{}</answer>",
        "<seed:think>DRAFT</seed:think>{}",
        "[THINK]DRAFT[/THINK]{}",
        "◁think▷DRAFT◁/think▷{}",
        "<|START_THINKING|>DRAFT<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
        "<|channel|>analysis<|message|>DRAFT<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
        "A wrapper that nobody has seen yet: ((( DRAFT ))) and so {}",
        "<think>All of it was thought: {}</think>",
    ],
)
def test_reasoning_and_what_stands_around_the_document_do_not_matter(around: str) -> None:
    assert parse(around.replace("{}", DOCUMENT).replace("DRAFT", DRAFT), 1) == [["a", "b"]]


def test_what_was_only_thought_is_no_answer() -> None:
    for after in ("I will not answer.", DOCUMENT[:30], "[]"):
        with pytest.raises(Unusable):
            parse(f"<think>{DOCUMENT}</think>{after}", 1)


@pytest.mark.parametrize(
    "document",
    [
        '{"items": [{"id": "1", "captions": ["a"]}, {"id": " 2 ", "captions": ["b"]}]}',
        '{"items": [{"id": 2.0, "captions": ["b"]}, {"id": 1, "captions": ["a"], "note": "ok"}], "model": "m"}',
        '[{"id": 1, "captions": ["a"]}, {"id": 2, "captions": ["b"]}]',
        '{"id": 1, "captions": ["a"]}\n{"id": 2, "captions": ["b"]}\n',
        '{"items": {"1": ["a"], "2": {"captions": ["b"]}}}',
        '{"captions": [{"id": 1, "captions": ["a"]}, {"id": 2, "captions": ["b"]}]}',
        '{"result": {"items": [{"id": 1, "captions": ["a"]}, {"id": 2, "captions": ["b"]}]}}',
        '"{\\"items\\": [{\\"id\\": 1, \\"captions\\": [\\"a\\"]}, {\\"id\\": 2, \\"captions\\": [\\"b\\"]}]}"',
    ],
)
def test_whose_captions_they_are_is_seen_in_many_forms(document: str) -> None:
    assert parse(document, 2) == [["a"], ["b"]]


def test_an_item_without_a_list_or_an_id_is_taken_where_only_one_was_asked_for() -> None:
    for document in ('{"id": "1", "captions": ["a"]}', '{"captions": ["a"]}', '[{"captions": ["a"]}]'):
        assert parse(document, 1) == [["a"]]
        with pytest.raises(Unusable, match="every id"):
            parse(document, 2)
    with pytest.raises(Unusable, match="every id"):
        parse('{"id": 7, "captions": ["a"]}', 1)


@given(st.text('[]{}",:1ab \\\n<>/', max_size=60), st.integers(1, 3))
def test_no_answer_is_more_than_unusable(content: str, items: int) -> None:
    for text in (content, f"{content}{DOCUMENT}", f"{DOCUMENT}{content}"):
        with suppress(Unusable):
            assert len(parse(text, items)) == items


def test_an_answer_that_is_made_to_be_slow_is_not() -> None:
    start = time.monotonic()
    for content in ("[" * 900 + "1," * 400_000, '{"a":[' * 150_000, "</" + "think" * 200_000, '{"' * 100_000):
        with pytest.raises(Unusable):
            parse(content, 1)
    assert time.monotonic() - start < 60  # re-reading all of it at every bracket takes many minutes


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


def test_a_store_that_cannot_be_written_is_one_sentence(own_cache: Path) -> None:
    (own_cache / "captions").write_text("a file where the folder should be")
    with pytest.raises(EmorankError, match="set EMORANK_CACHE"):
        CaptionStore({"model": "tiny"})
    (own_cache / "captions").unlink()
    store = CaptionStore({"model": "tiny"})
    store.close()
    store.path.write_bytes(b"no database at all" * 100)
    with pytest.raises(EmorankError, match="the store of captions is damaged"):
        CaptionStore({"model": "tiny"})


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
