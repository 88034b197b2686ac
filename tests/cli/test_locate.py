"""emorank locate --encoder: the regression head of an audio encoder answers."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.encoders import audio_encoder
from tests.cli.conftest import Run
from tests.conftest import drums
from tests.encoders.checkpoints import tiny_wavlm_ser

STORY = Path(__file__).parents[2] / "samples" / "story-ben.ogg"
Emorank = Callable[..., Run]


@pytest.fixture(scope="module")
def ser(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"{tiny_wavlm_ser(tmp_path_factory.mktemp('ser'))}/ser"


def test_the_points_are_those_of_the_head(emorank: Emorank, recordings: Callable[..., Path], ser: str) -> None:
    root = recordings(4)
    soundfile.write(root / "silent.wav", np.zeros(8000), 16_000)
    (root / "text.mp3").write_text("no recording")
    run = emorank("locate", root, "--encoder", ser, "--json")
    assert run.status == 0
    assert "/silent.wav: " in run.err
    assert "2 skipped." in run.err
    assert [Path(row["path"]).name for row in run.json] == [f"clip{i:03d}.wav" for i in range(4)]
    points = audio_encoder(ser).points([audio.load(row["path"]) for row in run.json])  # type: ignore[attr-defined]
    said = [[row[name] for name in ("valence", "arousal", "dominance")] for row in run.json]
    np.testing.assert_allclose(said, points, atol=0.0051)


def test_long_recordings_are_cut(emorank: Emorank, ser: str) -> None:
    rows = emorank("locate", STORY, "--encoder", ser, "--json").json
    assert len(rows) > 3
    assert all(before["end"] <= after["start"] for before, after in pairwise(rows))
    last = rows[-1]
    piece = audio.load(STORY)[round(last["start"] * 16_000) : round(last["end"] * 16_000)]
    expected = audio_encoder(ser).points([piece])[0]  # type: ignore[attr-defined]
    np.testing.assert_allclose([last[name] for name in ("valence", "arousal", "dominance")], expected, atol=0.05)


def test_mistakes_are_one_sentence(emorank: Emorank, recordings: Callable[..., Path], ser: str, tmp_path: Path) -> None:
    root = recordings(1)
    (tmp_path / "empty").mkdir()
    for arguments, sentence in (
        ((root, "--encoder", "whisper-base/1"), "has no regression head"),
        ((root, "--encoder", "nonsense"), "name it MODEL/LAYERS"),
        ((root, "--encoder", ser, "--index", tmp_path / "index"), "leave it out"),
        ((tmp_path / "empty", "--encoder", ser), "no recordings"),
    ):
        run = emorank("locate", *arguments)
        assert run.status == 1
        assert run.out == ""
        assert sentence in run.err
        assert len(run.err.strip().splitlines()) == 1


def test_moments_without_a_voice_are_named(emorank: Emorank, tiny_model: Path, tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    root.mkdir()
    soundfile.write(root / "drums.wav", drums(3.0), 16_000)
    (root / "story.ogg").write_bytes(STORY.read_bytes())
    run = emorank("locate", root, "--json", "--model", tiny_model)
    first, *rest = run.json
    assert (Path(first["path"]).name, first["speech"]) == ("drums.wav", 0.0)
    assert all(0.5 < row["speech"] <= row["end"] - row["start"] + 0.05 for row in rest)
    assert f"Hardly a voice, so the place may mean nothing: {root}/drums.wav at 0:00.0: no speech heard." in run.err
    found = emorank("search", "calm", root, "--top", 20, "--model", tiny_model)
    assert f"{root}/drums.wav at 0:00.0: no speech heard." in found.err
    some = emorank("search", "calm", root, "--top", 20, "--where", "speech > 0.5", "--json", "--model", tiny_model)
    assert {Path(hit["path"]).name for hit in some.json} == {"story.ogg"}
    assert "Hardly" not in emorank("locate", root / "story.ogg", "--model", tiny_model).err
    like = emorank("search", "--like", root / "drums.wav", root, "--json", "--model", tiny_model)
    assert f"{root}/drums.wav: no speech heard; what it finds may mean nothing." in like.err
