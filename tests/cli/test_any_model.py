"""Any model works everywhere: every row of configs/, other encoders, each set and order of dimensions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from emorank import audio
from emorank.affect import DIMENSIONS
from emorank.index.named import NamedIndex
from emorank.model import EmotionRankCLAP
from tests.cli.conftest import Run
from tests.conftest import voice

pytestmark = pytest.mark.usefixtures("encoded_bank")

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
ORDERS = [
    ("valence", "arousal"),
    ("arousal", "valence"),
    ("valence",),
    ("arousal",),
    ("dominance", "arousal", "valence"),
    ("unpredictability", "arousal", "dominance"),
]
QUICK = ("--epochs", 1, "--batch-size", 8, "--embedding-dim", 16, "--captions-per-batch", 32)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twenty-four clips with labels in all dimensions and a category, and one long recording beside them."""
    (tmp_path / "clips").mkdir()
    rows = []
    for i in range(24):
        path = tmp_path / "clips" / f"clip{i:02d}.wav"
        soundfile.write(path, voice(0.8, 100 + 10 * i, i), 16_000)
        rows.append(
            {
                "path": str(path),
                "valence": 1.0 + i / 4,
                "arousal": 7.0 - i / 4,
                "dominance": 1.0 + (i * 7 % 24) / 4,
                "emotion": ("anger", "sadness", "happiness")[i % 3],
                "caption": ("a loud voice", "a tired voice", "a glad voice")[i % 3],
                "speaker": f"s{i % 6}",
                "split": "development" if i % 6 == 5 else "train",
                "label_source": "rated",
            }
        )
    pl.DataFrame(rows).write_csv(tmp_path / "table.csv")
    soundfile.write(tmp_path / "clips" / "long.wav", voice(14.0, 150), 16_000)
    return tmp_path


def searched_everywhere(emorank: Callable[..., Run], corpus: Path, model: Path, dimensions: tuple[str, ...]) -> None:
    """Search, locate, timeline, index, export and serve with a model: right columns, null where it lacks one."""
    loaded = EmotionRankCLAP.from_pretrained(model)
    assert loaded.config.dimensions == dimensions
    lacking = [name for name in DIMENSIONS if name not in dimensions]
    clips = corpus / "clips"

    def right(row: dict[str, Any], path: Path) -> None:
        assert all(row[name] is None for name in lacking)
        if path.name != "long.wav":
            features = loaded.audio_encoder([audio.load(path)]).astype(np.float16)  # as the index keeps them
            place = loaded.locate(loaded.audio(features.astype(np.float32)))[0]
            for name, value in zip(dimensions, place.tolist(), strict=True):
                assert row[name] == pytest.approx(value, abs=0.1)

    hits = emorank("search", "calm", clips, "--model", model, "--json", "--top", 5)
    assert hits.status == 0, hits.err
    for hit in hits.json:
        right(hit, Path(hit["path"]))
    located = emorank("locate", clips, "--model", model, "--json")
    for row in located.json:
        right(row, Path(row["path"]))
    assert emorank("locate", clips, "--model", model).out.split("\t")[: len(dimensions)] == [
        name for name in DIMENSIONS if name in dimensions
    ]
    shown = emorank("timeline", clips / "long.wav", "--model", model, "--out", corpus / "long.png")
    assert shown.status == 0, shown.err
    assert emorank("index", clips, "--name", "any", "--model", model).status == 0
    exported = emorank("export", "any", "--format", "jsonl")
    for line in exported.out.splitlines():
        row = json.loads(line)
        right(row, Path(row["path"]))
    served(dimensions, lacking)


def served(dimensions: tuple[str, ...], lacking: list[str]) -> None:
    from starlette.testclient import TestClient

    from emorank.serve.app import create_app
    from emorank.serve.snapshots import ServedIndex

    with TestClient(create_app(ServedIndex(NamedIndex.open("any"))), base_url="http://localhost") as client:
        found = client.post("/api/search", json={"texts": [{"text": "calm"}], "top": 3})
        assert found.status_code == 200, found.text
        for hit in found.json()["hits"]:
            assert all(hit[name] is None for name in lacking)
            assert all(1 <= hit[name] <= 7 for name in dimensions)
        near = client.post("/api/search", json={"near": {"valence": 4, "arousal": 4, "radius": 6}, "top": 3})
        assert near.status_code == (200 if {"valence", "arousal"} <= set(dimensions) else 400), near.text
        for route in ("plane", "index", "segments"):
            assert client.get(f"/api/{route}").status_code == 200
        assert client.get(f"/api/segments/{found.json()['hits'][0]['id']}/timeline").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_row_of_the_paper_searches(
    emorank: Callable[..., Run],
    corpus: Path,
    tiny_whisper: str,
    config: Path,
) -> None:
    run = emorank(
        "train", "--config", config, "--data", corpus / "table.csv", "--out", corpus / "model", *QUICK,
        "--audio-encoder", tiny_whisper, "--text-encoder", "minilm",
    )  # fmt: skip
    assert run.status == 0, run.err
    dimensions = EmotionRankCLAP.from_pretrained(corpus / "model").config.dimensions
    searched_everywhere(emorank, corpus, corpus / "model", dimensions)


@pytest.mark.parametrize("encoder", ["tiny", "whisper-base/2:mean"])
@pytest.mark.parametrize("dimensions", ORDERS, ids="-".join)
def test_every_set_and_order_of_dimensions_searches(
    emorank: Callable[..., Run],
    corpus: Path,
    tiny_whisper: str,
    encoder: str,
    dimensions: tuple[str, ...],
) -> None:
    chosen = tiny_whisper if encoder == "tiny" else encoder
    run = emorank(
        "train", "--data", corpus / "table.csv", "--out", corpus / "model", *QUICK,
        "--audio-encoder", chosen, "--dimensions", *dimensions,
    )  # fmt: skip
    assert run.status == 0, run.err
    placed = tuple(name for name in dimensions if name in DIMENSIONS)  # the fourth is learnt by, places have three
    searched_everywhere(emorank, corpus, corpus / "model", placed)
