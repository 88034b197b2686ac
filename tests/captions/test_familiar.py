"""What is no English description of a voice gets a hint, what is one gets none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from emorank.captions import Captions, bundled, languages
from emorank.captions.familiar import FILE, LANGUAGES, described, familiarity, known
from emorank.encoders import DEFAULT_TEXT, text_encoder
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP

SENSIBLE = """calm|angry|a calm, warm voice|furious, shouting|tired and sad|whispering|someone laughing out loud|
nervous, stuttering|bored monotone|cheerful woman|an old man grumbling|sarcastic|out of breath|a confident speaker|
pleading desperately|slightly annoyed|a neutral voice|a customer who complains|the agent stays calm|fast and excited"""
UNFAMILIAR = """zxqw invoice number|best pizza in Berlin|asdf jkl|how do I reset my password|
eine ruhige, warme Stimme|ein leises, ängstliches Flüstern|spokojny, ciepły głos|cichy, przestraszony szept|
il hurle de colère|un murmure faible et apeuré|un susurro bajo y asustado|habla con tristeza|
平静而温暖的声音|她开心地大声笑|疲惫而无聊，毫无精神|спокойный, тёплый голос|صوت هادئ ودافئ|शांत आवाज़"""


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


def split(texts: str) -> list[str]:
    return [text.strip() for text in texts.split("|")]


def test_other_languages_and_gibberish_get_a_hint(model: EmotionRankCLAP) -> None:
    texts = split(UNFAMILIAR)
    found = described(model, texts)
    assert [each.hint.text if each.hint else None for each in found] == texts
    message = found[0].hint.message if found[0].hint else ""
    assert message.startswith("'zxqw invoice number' says little about a voice that the model knows; ")


def test_english_descriptions_of_voices_get_none(model: EmotionRankCLAP) -> None:
    texts = split(SENSIBLE)
    assert len(texts) == 20
    found = described(model, texts)
    assert [text for text, each in zip(texts, found, strict=True) if each.hint] == []
    np.testing.assert_allclose([each.embedding for each in found], model.encode_text(texts), atol=1e-6)


def test_a_not_and_what_reads_like_speech_get_their_own(model: EmotionRankCLAP) -> None:
    negated, spoken, unknown = described(model, ["calm, not angry", "oh wow that's amazing", "not zxqw invoice number"])
    assert negated.hint
    assert (negated.hint.kind, negated.hint.wanted, negated.hint.unwanted) == ("negated", "calm", "angry")
    assert negated.hint.message.endswith("Search for 'calm', but not 'angry'.")
    assert spoken.hint
    assert spoken.hint.kind == "spoken"
    assert 1 <= len(spoken.hint.suggestions) <= 3
    assert all(text in spoken.hint.message for text in spoken.hint.suggestions)
    assert not set(spoken.hint.suggestions) - {text.rstrip(".") for text in bundled("train").texts}
    assert unknown.hint
    assert unknown.hint.kind == "unknown"


def test_the_nearest_captions_are_kept(model: EmotionRankCLAP) -> None:
    text = bundled("train").texts[100]
    (found,) = described(model, [text])
    assert found.near[0] == (100, pytest.approx(1, abs=0.01))
    assert len(found.near) == 5


def test_a_hint_repeats_a_long_description_in_part(model: EmotionRankCLAP) -> None:
    (found,) = described(model, ["zxqw " * 90])
    assert found.hint
    assert "zxqw…' says" in found.hint.message or "zxq…' says" in found.hint.message
    assert len(found.hint.message) < 260


@pytest.mark.parametrize(
    ("path", "name", "captions", "command"),
    [
        (FILE, DEFAULT_TEXT, bundled("train"), "familiar.py"),
        (LANGUAGES, "multilingual-e5-small", languages.bundled(), "multilingual.py"),
    ],
)
def test_the_files_are_of_these_captions_and_encoders(path: Path, name: str, captions: Captions, command: str) -> None:
    texts, encoder = captions.texts, text_encoder(name)
    with safe_open(path, "numpy") as file:
        about = file.metadata()
    assert about == {
        "text_encoder": name,
        "fingerprint": encoder.fingerprint,
        "captions": str(len(texts)),
        "digest": captions.digest,
    }, f"run benchmarks/{command} write"
    vectors = known(encoder.fingerprint, path)
    assert vectors is not None
    assert vectors.shape == (len(texts), encoder.dim)
    some = np.arange(0, len(texts), 300)
    again = encoder([texts[row] for row in some])
    assert (again * vectors[some]).sum(axis=1).min() > 0.999


def test_familiarity_is_the_mean_cosine_of_the_five_nearest() -> None:
    rng = np.random.default_rng(0)
    features, vectors = rng.standard_normal((4, 6)), rng.standard_normal((30, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [[float(f @ v) / float(np.linalg.norm(f)) for v in vectors] for f in features]
    slow = [sum(sorted(row)[-5:]) / 5 for row in cosines]
    np.testing.assert_allclose(familiarity(features.astype(np.float32), vectors.astype(np.float32)), slow, atol=1e-6)
    assert familiarity(np.zeros((1, 6), np.float32), vectors.astype(np.float32)).tolist() == [0]


def test_a_model_on_another_text_encoder_gives_no_hints(model: EmotionRankCLAP) -> None:
    config = replace(model.config, text_encoder="minilm")
    other = EmotionRankCLAP(model.audio, model.text, model.scale, model.locator, config)
    assert [each.hint for each in described(other, ["zxqw invoice number", "calm"])] == [None, None]


def test_nothing_is_loaded_for_nothing(model: EmotionRankCLAP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmotionRankCLAP, "text_encoder", property(lambda self: pytest.fail("loaded")))
    assert described(model, []) == []


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    for name, content in {"gone": None, "damaged": b"damaged"}.items():
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(EmorankError, match="install emorank again"):
            known("whatever", tmp_path / name)
