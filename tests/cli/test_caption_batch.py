"""Batch files: requests out, a service's answers in, with what services do wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("httpx2")

from emorank.captions.llm import batch
from tests.captions.loopback import caption
from tests.cli.captioning import accepted, table
from tests.cli.conftest import Run

Emorank = Callable[..., Run]


def requests(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text("utf8").splitlines()]


def result(request: dict[str, Any], number: int, **changes: Any) -> dict[str, Any]:
    """The line of a service for a request, with captions from `number` on."""
    items = json.loads(request["body"]["messages"][-1]["content"])["items"]
    answer = []
    for item in items:
        answer.append({"id": item["id"], "captions": [caption(number + i) for i in range(item["captions"])]})
        number += item["captions"]
    message = {"role": "assistant", "content": json.dumps({"items": answer})}
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request["custom_id"], "response": response, "error": None} | changes


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines), "utf8")
    return path


def test_out_and_in_in_any_order_and_twice(tmp_path: Path, emorank: Emorank, own_cache: Path) -> None:
    source, out, asked = table(tmp_path, 20), tmp_path / "o.parquet", tmp_path / "ask.jsonl"
    how = [str(source), "--model", "tiny", "--step", "0.1"]
    assert emorank("caption", *how, "--batch-out", str(asked)).status == 0
    lines = requests(asked)
    assert len(lines) == 3  # 8 + 8 + 4 points
    assert len({line["custom_id"] for line in lines}) == 3
    assert lines[0]["url"] == "/v1/chat/completions"
    assert lines[0]["body"]["model"] == "tiny"
    assert lines[0]["body"]["response_format"]["type"] == "json_schema"
    answers = written(tmp_path / "a.jsonl", [result(line, 100 * i) for i, line in enumerate(lines)][::-1])
    run = emorank("caption", *how, "--batch-in", str(answers), "--out", str(out))
    assert run.status == 0
    assert "3 lines read: 80 new captions of 80 that were missing" in run.err
    assert "300 tokens of prompt and 150 of answers" in run.err
    described = pl.read_parquet(out)
    assert described["caption"].null_count() == 0
    assert described["caption_source"].unique().to_list() == ["llm:tiny"]
    again = emorank("caption", *how, "--batch-in", str(answers), "--out", str(out))
    assert "3 x the line answers no open question" in again.err
    assert sum(accepted(own_cache).values()) == 80
    assert "nothing is written" in emorank("caption", *how, "--batch-out", str(tmp_path / "no.jsonl")).err
    assert not (tmp_path / "no.jsonl").exists()


def test_what_went_wrong_is_named_and_counted_and_asked_again(
    tmp_path: Path,
    emorank: Emorank,
    own_cache: Path,
) -> None:
    source, asked = table(tmp_path, 48), tmp_path / "ask.jsonl"
    how = [str(source), "--model", "tiny", "--step", "0.1"]
    emorank("caption", *how, "--batch-out", str(asked))
    good, failed, expired, broken, cut, _ = requests(asked)
    bad = result(failed, 0, response={"status_code": 400, "body": {"error": {"message": "too\nlong"}}})
    late = result(expired, 0, response=None, error={"code": "batch_expired", "message": "not done in 24h"})
    prose = result(broken, 0)
    prose["response"]["body"]["choices"][0]["message"]["content"] = "I would rather not."
    short = result(cut, 0)
    short["response"]["body"] = {"choices": "none"}
    strange = [
        "{",
        "[]",
        '"x"',
        json.dumps({"custom_id": 7}),
        json.dumps(result({**good, "custom_id": "other"}, 0)),
        "",
    ]
    answers = written(tmp_path / "a.jsonl", [result(good, 0), bad, prose, short, *strange])
    errors = written(tmp_path / "e.jsonl", [late])
    run = emorank("caption", *how, "--batch-in", str(answers), str(errors), "--out", str(tmp_path / "o.csv"))
    assert run.status == 0
    assert "10 lines read: 32 new captions of 192 that were missing" in run.err
    assert "1 x status 400: too long" in run.err
    assert "1 x the request failed: not done in 24h" in run.err
    assert "4 x the line is not a result of a batch" in run.err
    assert f"{answers}, line 5" in run.err
    assert "1 x the answer cannot be read" in run.err
    assert "1 x The answer was not a JSON document" in run.err
    assert "Traceback" not in run.err
    emorank("caption", *how, "--batch-out", str(tmp_path / "rest.jsonl"))
    assert len(requests(tmp_path / "rest.jsonl")) == 5  # without what is kept
    assert sum(accepted(own_cache).values()) == 32


def test_files_are_split_where_a_service_takes_no_more(
    tmp_path: Path,
    emorank: Emorank,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "MOST_REQUESTS", 2)
    how = [str(table(tmp_path, 40)), "--model", "tiny", "--step", "0.1"]
    emorank("caption", *how, "--batch-out", str(tmp_path / "ask.jsonl"))
    files = [tmp_path / name for name in ("ask.jsonl", "ask-2.jsonl", "ask-3.jsonl")]
    assert [len(requests(file)) for file in files] == [2, 2, 1]
    largest = max(len(line) + 1 for file in files for line in file.read_text().splitlines())
    monkeypatch.setattr(batch, "MOST_BYTES", largest + 10)
    emorank("caption", *how, "--batch-out", str(tmp_path / "small.jsonl"))
    small = sorted(tmp_path.glob("small*.jsonl"))
    assert len(small) == 5
    assert all(file.stat().st_size <= largest + 10 for file in small)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--batch-out", "x.jsonl"], "--batch-out needs --model"),
        (
            ["--batch-out", "x.jsonl", "--llm", "http://localhost:1/v1", "--model", "m"],
            "Give one of --llm and --batch-out",
        ),
        (
            ["--batch-in", "missing.jsonl", "--model", "m", "--out", "o.csv"],
            "missing.jsonl: the batch's results cannot",
        ),
        (["--batch-out", "x.jsonl", "--model", "m", "--style", "template"], "goes with --style bank or clap4emo"),
        (
            ["--batch-out", "x.jsonl", "--model", "m", "--budget", "0.00001", "--price-in", "1", "--price-out", "1"],
            "The batch could exceed the budget",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    emorank: Emorank,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    sentence: str,
) -> None:
    source = table(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    run = emorank("caption", str(source), *flags)
    assert run.status == 1
    assert sentence in run.err
    assert not list(tmp_path.glob("x*.jsonl"))
