"""What "calm, not angry" finds: read as one description, or with what is not wanted as a description of its own.

On RAVDESS actors who were never heard: of the first 20 clips the share that portrays what is not wanted, and how much
they fit what is wanted, in deviations over all clips. A question with nothing wanted, such as "not angry", has the
first alone.

    .venv/bin/python benchmarks/negation.py RAVDESS_FOLDER
"""

import sys

import numpy as np

from emorank import EmotionRankCLAP, read_corpus
from emorank.captions.wording import negated
from emorank.evaluation.embedded import Embedded, embed
from emorank.search import NOT

TOP = 20
UNWANTED = {
    "anger": ["angry", "furious", "shouting"],
    "sadness": ["sad", "crying", "miserable"],
    "fear": ["afraid", "panicking", "scared"],
    "happiness": ["happy", "cheerful", "laughing"],
    "disgust": ["disgusted"],
    "neutral": ["neutral", "flat"],
    "calm": ["calm", "peaceful"],
    "surprise": ["surprised", "astonished"],
}
WANTED = """loud anger angry|loud fear afraid|loud happiness happy|quiet sadness sad|quiet calm calm|
excited anger angry|upset anger angry|upset sadness crying|agitated fear scared|tense anger angry|tired sadness sad|
energetic anger shouting|emotional sadness crying|emotional happiness laughing|passionate anger furious|
quiet neutral flat"""


def scaled(cosines: np.ndarray) -> np.ndarray:
    """Mean 0, deviation 1, as a search with several parts scales them."""
    result: np.ndarray = (cosines - cosines.mean()) / cosines.std()
    return result


def measure(found: Embedded) -> dict[str, list[tuple[float, float]]]:
    """Ways of asking -> of each question the share of what is not wanted, and the fit to what is."""
    emotions = found.table["emotion"].to_numpy()
    questions = [("", emotion, word) for emotion, own in UNWANTED.items() for word in own]
    questions += [(wanted, emotion, word) for wanted, emotion, word in (one.split() for one in WANTED.split("|"))]
    result: dict[str, list[tuple[float, float]]] = {}

    def cosines(text: str) -> np.ndarray:
        values: np.ndarray = found.embeddings @ found.text([text])[0]
        return values

    for wanted, emotion, unwanted in questions:
        text = f"{wanted}, not {unwanted}" if wanted else f"not {unwanted}"
        assert negated(text) == (wanted, unwanted)
        fit = scaled(cosines(wanted)) if wanted else np.zeros(len(emotions))
        ways = {"one description": cosines(text), "apart": fit + NOT * scaled(cosines(unwanted))}
        if wanted:
            ways["what is wanted alone"] = fit
        for way, scores in ways.items():
            first = np.argsort(-scores, kind="stable")[:TOP]
            kind = f"{'with' if wanted else 'without'} something wanted, {way}"
            result.setdefault(kind, []).append((float(np.mean(emotions[first] == emotion)), float(fit[first].mean())))
    return result


def main() -> None:
    """Print the means."""
    model = EmotionRankCLAP.from_pretrained(sys.argv[2] if len(sys.argv) > 2 else "emorank-base")
    found = embed(model, read_corpus("ravdess", sys.argv[1]), "development")
    print("| | n | not wanted among the first 20 | fit of what is wanted |\n|---|---|---|---|")
    for way, values in sorted(measure(found).items()):
        bad, fit = np.mean(values, axis=0)
        print(f"| {way} | {len(values)} | {100 * bad:.0f} % | {fit:.2f} |")


if __name__ == "__main__":
    main()
