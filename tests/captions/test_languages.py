"""emorank-base reads descriptions in other languages by a second text encoder, chosen by itself."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from emorank.captions import bundled, familiar, languages
from emorank.captions.familiar import described
from emorank.captions.languages import strange
from emorank.captions.rules import violation
from emorank.encoders import e5
from emorank.model import EmotionRankCLAP
from emorank.training.heads import ridge

TESTS = Path(__file__).parents[1]


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def base() -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained()


def test_what_is_not_in_english_is_told_by_its_words() -> None:
    translations = [row for row in rows(TESTS / "encoders" / "translations.tsv") if row["kind"] == "voice"]
    foreign = [row["text"] for row in rows(TESTS / "languages.tsv")]
    foreign += [row[name] for row in translations for name in ("de", "pl", "fr", "es", "zh")]
    assert np.mean([strange(text) for text in foreign]) > 0.97
    english = [*bundled("test").texts, *(row["query"] for row in rows(TESTS / "everyday.tsv"))]
    assert np.mean([strange(text) for text in english]) < 0.01
    assert not strange("")
    assert not strange("!!!")


def test_the_bundled_descriptions_are_no_translations_of_the_tests_and_hold_to_the_rules() -> None:
    texts, points = languages.bundled().texts, languages.bundled().points
    assert len(texts) == len(set(texts)) > 1000
    assert points.shape == (len(texts), 3)
    assert (points >= 1).all()
    assert (points <= 7).all()
    assert {violation(text, english=False) for text in texts} <= {None, "A caption is too short."}
    tested = {row["text"].lower() for row in rows(TESTS / "languages.tsv")}
    assert not tested & {text.lower() for text in texts}


def test_what_is_held_out_is_on_one_side() -> None:
    train, development, every = (languages.bundled(split) for split in ("train", "development", None))
    assert sorted(train.texts + development.texts) == sorted(every.texts)
    assert not {text.lower() for text in train.texts} & {text.lower() for text in development.texts}
    assert len(development.texts) > 300


def test_translations_are_of_training_captions_and_of_none_that_is_held_out() -> None:
    pairs = languages.translations()
    originals = {english for _, english in pairs}
    assert originals <= set(bundled("train").texts)
    assert len(pairs) == 5 * len(originals) > 14_000
    assert all(text == text.strip() and text for text, _ in pairs)
    held = {row["text"].lower() for row in rows(TESTS / "languages.tsv")}
    held |= {text.lower() for text in languages.bundled("development").texts}
    assert not held & {text.lower() for text, _ in pairs}


@pytest.mark.slow
def test_descriptions_in_five_languages_are_ordered(base: EmotionRankCLAP) -> None:
    asked = rows(TESTS / "languages.tsv")
    found = described(base, [row["text"] for row in asked])
    assert sum(each.encoder == e5.TUNED for each in found) > 55
    assert sum(each.hint is not None and each.hint.kind == "unknown" for each in found) < 6
    captions = bundled("test")
    place = ridge(base.encode_text(captions.texts), captions.points[:, :2])
    read = np.stack([each.embedding for each in found]) @ place[:-1] + place[-1]
    taus = [
        kendalltau(read[:, column], [float(row[name]) for row in asked]).statistic
        for column, name in enumerate(("valence", "arousal"))
    ]
    assert taus[0] > 0.63, taus
    assert taus[1] > 0.58, taus


def test_each_is_read_by_its_own_encoder_in_the_order_they_come(base: EmotionRankCLAP) -> None:
    texts = ["a calm, warm voice", "eine ruhige, warme Stimme", "furious, shouting", "他气得大喊大叫"]
    found = described(base, texts)
    assert [each.encoder for each in found] == ["minilm-emotion", e5.TUNED] * 2
    assert [each.text for each in found] == texts
    assert [each.hint.kind if each.hint else None for each in found] == [None, "foreign"] * 2
    assert found[1].hint
    assert "is read as another language" in found[1].hint.message
    own, other = base.encode_text(texts), base.multilingual
    assert other is not None
    np.testing.assert_allclose(found[2].embedding, own[2], atol=1e-6)
    np.testing.assert_allclose(found[1].embedding, other(base.multilingual_features(texts[1:2]))[0], atol=1e-6)
    closer = np.stack([each.embedding for each in found]) @ own[[0, 2]].T
    assert closer.argmax(1).tolist() == [0, 0, 1, 1]


def test_without_the_encoder_a_hint_says_how_to_get_it(base: EmotionRankCLAP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(familiar, "is_at_hand", lambda _: False)
    english, german = described(base, ["furious, shouting", "völlig außer sich vor Wut"])
    assert english.hint is None
    assert german.hint
    assert german.hint.kind == "unread"
    assert "pip install 'emorank[multilingual]'" in german.hint.message
    assert german.encoder == "minilm-emotion"
    assert not german.near


@pytest.mark.parametrize("place", ["shipped", "own folder"])
def test_gibberish_gets_its_hint_still(base: EmotionRankCLAP, place: str, tmp_path: Path) -> None:
    if place == "own folder":  # as `emorank.tuning` writes one
        shutil.copytree(Path(e5.__file__).with_name("weights") / e5.TUNED, tmp_path / "own")
        config = replace(base.config, multilingual_encoder=f"{tmp_path / 'own'}/query")
        base = EmotionRankCLAP(base.audio, base.text, base.scale, base.locator, config, base.multilingual)
    found = described(base, ["zxqw qwortz blarg", "Bundesliga Ergebnisse vom Wochenende"])
    assert found[0].encoder == base.config.multilingual_encoder
    assert [each.hint.kind if each.hint else None for each in found] == ["unknown", "unknown"]
