"""How well what was found fits at all, and where a search comes from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from emorank.captions import bundled
from emorank.captions import fit as fits
from emorank.captions.familiar import Described, described
from emorank.captions.fit import FILE, LITTLE, PARTLY, fit, identity, reached
from emorank.captions.origin import captions_like, mean_place, nearest_captions
from emorank.captions.wording import spoken
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def model() -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained("emorank-base")


@pytest.fixture(scope="module")
def furious(model: EmotionRankCLAP) -> Described:
    return described(model, ["furious, shouting"])[0]


def away(text: Described, cosine: float) -> np.ndarray:
    """Five embeddings of a cosine to a description."""
    other = np.zeros_like(text.embedding)
    other[int(np.argmin(text.embedding))] = 1
    other -= (other @ text.embedding) * text.embedding
    other /= np.linalg.norm(other)
    return np.stack([cosine * text.embedding + np.sqrt(1 - cosine**2) * other] * 5).astype(np.float32)


def test_the_file_is_of_this_bank_and_this_model(model: EmotionRankCLAP) -> None:
    with safe_open(FILE, "numpy") as file:
        about = file.metadata()
    assert about["digest"] == bundled("train").digest, "run benchmarks/fit.py CORPORA write"
    assert about["model"] == identity(model), "run benchmarks/fit.py CORPORA write"
    usual = reached(identity(model))
    assert usual is not None
    assert usual.shape == (len(bundled("train").texts),)
    assert 0 < usual.min() < usual.max() < 1


def test_the_word_is_by_how_much_less_they_come_near(model: EmotionRankCLAP, furious: Described) -> None:
    usual = reached(identity(model))
    assert usual is not None
    expected = float(np.mean([usual[row] for row, _ in furious.near]))
    for short, word in ((0.0, "well"), (PARTLY - 0.01, "well"), (PARTLY + 0.01, "partly"), (LITTLE + 0.01, "little")):
        assert fit(model, [furious], away(furious, expected - short)) == word
    near, far = away(furious, expected), away(furious, expected - 0.3)
    assert fit(model, [furious], np.concatenate([near, far])) == "well"  # the best five count
    calm = described(model, ["a calm, warm voice"])[0]
    assert fit(model, [furious, calm], near) == "little"  # the one that fits worst
    assert fit(model, [furious], near[:1]) == "well"


def test_nothing_is_said_where_nothing_is_known(model: EmotionRankCLAP, tiny_model: Path, furious: Described) -> None:
    near = away(furious, 0.9)
    assert fit(model, [], near) is None
    assert fit(model, [furious], near[:0]) is None
    assert fit(model, described(model, ["zxqw invoice number"]), near) is None
    tiny = EmotionRankCLAP.from_pretrained(tiny_model)
    assert fit(tiny, described(tiny, ["furious, shouting"]), np.ones((5, 32), np.float32)) is None
    head = dataclasses.replace(model.text, center=model.text.center + 1)
    other = EmotionRankCLAP(model.audio, head, model.scale, model.locator, model.config)
    assert identity(other) != identity(model)


def test_a_damaged_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached.cache_clear()
    (tmp_path / "damaged").write_bytes(b"damaged")
    for name in ("gone", "damaged"):
        monkeypatch.setattr(fits, "FILE", tmp_path / name)
        with pytest.raises(EmorankError, match="install emorank again"):
            reached("any")


def test_where_a_description_comes_from(model: EmotionRankCLAP, furious: Described) -> None:
    captions = nearest_captions(furious)
    assert len(captions) == 5
    assert [one.cosine for one in captions] == sorted((one.cosine for one in captions), reverse=True)
    texts = bundled("train").texts
    for one in captions:
        point = bundled("train").points[texts.index(one.text)].clip(1, 7)
        assert [one.valence, one.arousal, one.dominance] == pytest.approx(point.tolist())
    place = mean_place(captions)
    assert place is not None
    assert place["valence"] == pytest.approx(np.mean([one.valence for one in captions]), abs=0.01)
    assert place["arousal"] > 5  # type: ignore[operator]
    without = [dataclasses.replace(one, dominance=None) for one in captions]  # type: ignore[arg-type]
    assert (mean_place(without) or {})["dominance"] is None
    assert mean_place([]) is None
    assert nearest_captions(dataclasses.replace(furious, near=())) == []


def test_what_a_clip_sounds_most_like(model: EmotionRankCLAP, tmp_path: Path) -> None:
    texts = bundled("train").texts
    (embedding,) = model.encode_audio([SAMPLES / "shouted-ben-1.ogg"])
    captions = captions_like(model, embedding)
    assert len(captions) == 5
    cosines = model.encode_text([one.text for one in captions]) @ embedding
    assert [one.cosine for one in captions] == pytest.approx(cosines.tolist(), abs=0.02)  # the bank is kept as int8
    assert not any(spoken(one.text, 1) or one.text[-1] in "!?" for one in captions)
    descriptions = [text for text in texts if not spoken(text, 1) and text[-1] not in "!?"]
    best = np.sort(model.encode_text(descriptions[::10]) @ embedding)[-1]
    assert captions[0].cosine >= best - 0.02
    (drained,) = model.encode_audio([SAMPLES / "drained-ben-1.ogg"])
    calmer, livelier = (mean_place(captions_like(model, each)) or {} for each in (drained, embedding))
    assert (calmer["arousal"] or 0) < (livelier["arousal"] or 0)


def test_of_another_text_encoder_nothing_is_known(model: EmotionRankCLAP) -> None:
    config = dataclasses.replace(model.config, text_encoder="minilm")
    other = EmotionRankCLAP(model.audio, model.text, model.scale, model.locator, config)
    assert captions_like(other, np.eye(1, other.embedding_dim, dtype=np.float32)[0]) == []
