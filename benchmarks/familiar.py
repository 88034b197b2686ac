"""How familiar texts are to the default text encoder: mean cosine to the five nearest training captions of the bank.

Descriptions of voices in English (the bank's development captions, everyday queries, translations), the same
translations in other languages, sentences that describe no voice, and text that is off topic or gibberish. The last
columns are the shares that get a hint: not understood, reads like what is said, holds a "not". With `write` the
captions are encoded first (a minute on one core) and written to src/emorank/captions/bank-minilm-emotion.safetensors;
do that when the bank's training captions or the text encoder have changed.

    .venv/bin/python benchmarks/familiar.py [write]
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from emorank.captions import Captions, bundled
from emorank.captions.familiar import FILE, LEAST, familiarity, known
from emorank.captions.rules import foreign_script
from emorank.captions.wording import negated, spoken
from emorank.encoders import text_encoder
from emorank.encoders.base import TextEncoder
from emorank.storage import written_whole

TESTS = Path(__file__).parents[1] / "tests"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
OFF_TOPIC = """zxqw invoice number|best pizza in Berlin|asdf jkl|how do I reset my password|quarterly sales report|
the weather in Paris tomorrow|recipe for tomato soup|train to Munich at nine|lorem ipsum dolor sit amet|
python list comprehension|flight delay refund|blue car|qwertz|my account number|download the app|meeting at 3 pm|
Bundesliga results|who won the election|buy cheap shoes|123456|football|a bicycle|mortgage rates|
SELECT * FROM users|contract signed in 2020|printer is broken|cat|opening hours|two tickets please|xkjhg qpwoe"""


def rows(path: Path) -> list[dict[str, str]]:
    """Of a table with tabs."""
    with open(path, encoding="utf8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def asked() -> dict[str, Sequence[str]]:
    """The texts, by what they are."""
    translations = rows(TESTS / "encoders" / "translations.tsv")
    voices = [row for row in translations if row["kind"] == "voice"]
    return {
        "development captions": bundled("development").texts,
        "everyday queries": [row["query"] for row in rows(TESTS / "everyday.tsv")],
        **{
            f"descriptions, {language}": [row[language] for row in voices]
            for language in translations[0]
            if language != "kind"
        },
        "sentences, en": [row["en"] for row in translations if row["kind"] == "sentence"],
        "off topic": [text.strip() for text in OFF_TOPIC.split("|")],
    }


def write(path: Path, encoder: TextEncoder, captions: Captions) -> None:
    """Encode captions and keep them as int8, each scaled to use all of it."""
    vectors = encoder(list(captions.texts))
    small = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127).astype(np.int8)
    about = {
        "text_encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "captions": str(len(small)),
        "digest": captions.digest,
    }
    with written_whole(path) as temporary:
        temporary.write_bytes(save({"vectors": small}, about))


def main() -> None:
    """Print the quantiles."""
    if sys.argv[1:] == ["write"]:
        write(FILE, text_encoder(), bundled("train"))
    encoder = text_encoder()
    vectors = known(encoder.fingerprint)
    if vectors is None:
        raise SystemExit(f"{FILE.name} is of another text encoder; run with: write")
    print("| texts | n |" + "".join(f" {100 * q:.0f} % |" for q in QUANTILES) + " unknown | said | not |")
    print("|---" * 10 + "|")
    for name, texts in asked().items():
        found = familiarity(encoder(list(texts)), vectors)
        unknown = np.array([value < LEAST or foreign_script(text) for text, value in zip(texts, found, strict=True)])
        nots = ~unknown & [negated(text) is not None for text in texts]
        said = ~unknown & ~nots & [spoken(text) for text in texts]
        cells = "".join(f" {value:.2f} |" for value in np.quantile(found, QUANTILES))
        shares = "".join(f" {100 * np.mean(part):.0f} % |" for part in (unknown, said, nots))
        print(f"| {name} | {len(texts)} |{cells}{shares}")


if __name__ == "__main__":
    main()
