"""Moments and clips that hardly anybody speaks in are said to be such."""

import io

import pytest
import soundfile

from tests.conftest import drums
from tests.serve.conftest import SAMPLES, Served
from tests.serve.test_api import search


def test_moments_say_how_long_somebody_speaks(served: Served) -> None:
    hits = search(served, texts=[{"text": "calm"}], top=100)["hits"]
    story = [hit for hit in hits if hit["file"] == "long.ogg"]
    assert len(story) > 3
    assert all(0.5 < hit["speech"] <= hit["duration"] + 0.05 and hit["caution"] is None for hit in story)
    (buzz,) = [hit for hit in hits if hit["file"] == "clip000.wav"]
    assert (buzz["speech"], buzz["caution"]) == (0.38, "0.4 s of speech")
    more = search(served, texts=[{"text": "calm"}], where="speech >= 0.5", sort="speech", order="descending", top=100)
    seconds = [hit["speech"] for hit in more["hits"]]
    assert seconds == sorted((hit["speech"] for hit in hits if hit["caution"] is None), reverse=True)
    assert len(story) < len(seconds) < len(hits)


def test_an_uploaded_clip_without_a_voice_is_answered_with_a_caution(served: Served) -> None:
    file = io.BytesIO()
    soundfile.write(file, drums(3.0), 16_000, format="WAV")
    for clip, seconds, caution in (
        (file.getvalue(), 0.0, "no speech heard"),
        ((SAMPLES / "calm-ann-1.ogg").read_bytes(), pytest.approx(2.8, abs=0.3), None),
    ):
        place = served.client.post("/api/locate", content=clip).json()
        assert (place["speech"], place["caution"]) == (seconds, caution)
        hits = served.client.post("/api/search/clip", content=clip).json()
        said = caution and f"The clip: {caution}; what it finds may mean nothing."
        assert (len(hits["hits"]) > 3, hits["caution"]) == (True, said)
    assert search(served, texts=[{"text": "calm"}])["caution"] is None
