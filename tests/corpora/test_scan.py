import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.corpora import CorpusScan, LeftOut, scan_corpus
from emorank.corpora.schema import table_of
from tests.corpora.layouts import clip, reasons


def test_summary_says_everything() -> None:
    rows = [
        {
            "path": "/a",
            "speaker": "x",
            "split": "test",
            "emotion": "anger",
            "label_source": "rated",
            "duration": 1800.0,
        },
        {
            "path": "/b",
            "speaker": "x",
            "split": "train",
            "emotion": "fear",
            "label_source": "rated",
            "duration": 1800.0,
        },
        {"path": "/c", "split": "train"},
    ]
    left_out = [LeftOut("/d", "it is song"), LeftOut("/e", "it is song"), LeftOut("/f", "it is empty")]
    assert CorpusScan("mine", table_of(rows), left_out).summary().splitlines() == [
        "mine: 3 utterances of 1 speakers, 1.00 h",
        "  split: test 1, train 2",
        "  emotion: anger 1, fear 1, none 1",
        "  labels: none 1, rated 2",
        "  left out 2: it is song (such as /d)",
        "  left out 1: it is empty (such as /f)",
    ]


def test_summary_without_lengths_or_rows() -> None:
    assert "length not read" in CorpusScan("mine", table_of([{"path": "/a"}]), []).summary()
    assert CorpusScan("mine", table_of([]), []).summary() == "mine: 0 utterances of 0 speakers, 0.00 h"


def test_headers_decide_unless_they_are_not_read(tmp_path: Path) -> None:
    good, broken, empty, gone = (tmp_path / "wav" / f"03a0{i}Fa.wav" for i in (1, 2, 4, 5))
    clip(good)
    broken.write_bytes(b"RIFF")
    soundfile.write(empty, np.zeros(0, np.float32), 16_000)
    gone.symlink_to(tmp_path / "nowhere.wav")
    scan = scan_corpus("emodb", tmp_path)
    assert scan.table["path"].to_list() == [str(good)]
    found = reasons(scan)
    assert "no samples" in found[empty.name]
    assert "no such file" in found[gone.name]
    assert broken.name in found
    quick = scan_corpus("emodb", tmp_path, durations=False)
    assert (len(quick.table), quick.left_out) == (4, [])
    assert quick.table["duration"].to_list() == [None] * 4


def test_paths_are_absolute_and_ordered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("03b01Fa", "03a01Fa"):
        clip(tmp_path / "wav" / f"{name}.wav")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    paths = scan_corpus("emodb", os.path.join("..", "wav")).table["path"].to_list()
    assert paths == [str(tmp_path / "wav" / name) for name in ("03a01Fa.wav", "03b01Fa.wav")]
