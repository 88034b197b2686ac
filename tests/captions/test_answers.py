"""What language models answer, in all its wrappers, and what is made of it."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx2")

from emorank.captions.llm.prompt import Unusable, parse


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
