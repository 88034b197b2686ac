"""The language model's captioner against a server that misbehaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2")

from emorank.captions.llm.prompt import Point
from emorank.captions.llm.store import CaptionStore
from emorank.errors import EmorankError
from tests.captions.conftest import Ask, points
from tests.captions.loopback import Server, caption, point

KEY = "sk-very-secret-0123456789abcdef"


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
