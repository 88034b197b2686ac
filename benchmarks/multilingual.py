"""How well emorank-base reads descriptions in other languages, beside their English translations.

Sixty descriptions in five languages (tests/languages.tsv) whose author has seen no caption: Kendall's tau of the place
that was asked for and the place that a ridge on the bank's training captions reads out of the embedding. The English
column is read by the model's own text encoder, the other one by both. With `write` the second head of emorank-base is
taught first (all captions are encoded, ten minutes on one core) and written into the model, and the descriptions in
other languages in the space of that encoder before it was tuned to
src/emorank/captions/languages-multilingual-e5-small.safetensors.

    .venv/bin/python benchmarks/multilingual.py [write]
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from emorank import EmotionRankCLAP
from emorank.captions import bundled, languages
from emorank.captions.familiar import LANGUAGES, LEAST_OF_LANGUAGES, familiarity, known
from emorank.captions.languages import strange
from emorank.encoders import text_encoder
from emorank.encoders.e5 import NAME
from emorank.training.heads import ridge
from emorank.training.multilingual import with_languages
from familiar import write as keep_captions

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "src" / "emorank" / "weights" / "emorank-base"


def write() -> None:
    """Teach and keep."""
    model = EmotionRankCLAP.from_pretrained()
    with_languages(model, bundled("train"), languages.bundled("train"), progress=print).save(WEIGHTS)
    keep_captions(LANGUAGES, text_encoder(NAME), languages.bundled())


def main() -> None:
    """Print the table."""
    if sys.argv[1:] == ["write"]:
        write()
    model = EmotionRankCLAP.from_pretrained()
    with open(ROOT / "tests" / "languages.tsv", encoding="utf8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    asked = np.array([[float(row[name]) for name in ("valence", "arousal")] for row in rows])
    texts, english = [row["text"] for row in rows], [row["english"] for row in rows]
    foreign = model.multilingual_features(texts)
    if model.multilingual is None:
        raise SystemExit("emorank-base has no second head; run with: write")
    ways = {
        "English, own encoder": model.encode_text(english),
        "own encoder": model.encode_text(texts),
        model.multilingual_encoder.name: model.multilingual(foreign),
    }
    captions = bundled("train")
    kept = known(model.text_encoder.fingerprint)
    features = model.text_features(captions.texts) if kept is None else kept
    place = ridge(model.text(features), captions.points[:, :2])
    of = np.array([row["language"] for row in rows])
    parts = {"all": np.ones(len(of), bool), **{name: of == name for name in dict.fromkeys(of.tolist())}}
    print("| | " + " | ".join(f"{name}, valence | arousal" for name in ways) + " |\n|" + "---|" * (1 + 2 * len(ways)))
    for name, part in parts.items():
        cells = [
            f"{kendalltau((way[part] @ place[:-1] + place[-1])[:, column], asked[part, column]).statistic:.2f}"
            for way in ways.values()
            for column in (0, 1)
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    before = text_encoder(NAME)
    vectors = known(before.fingerprint, LANGUAGES)
    if vectors is not None:
        hinted = np.mean(familiarity(before(texts), vectors) < LEAST_OF_LANGUAGES)
        print(
            f"\ntaken for another language: {np.mean([strange(text) for text in texts]):.2f}; with a hint: {hinted:.2f}"
        )


if __name__ == "__main__":
    main()
