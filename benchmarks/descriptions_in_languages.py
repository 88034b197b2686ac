"""Tunes multilingual-e5-small on descriptions in fifteen languages, and measures what that brings.

They are the bank's training captions, without whatever is as good as the same as a description that is held out or one
of the sixty test descriptions (benchmarks/hold_out.py), and the training part of `emorank.captions.languages` and its
translations, which have nothing of that kind. The encoder goes to OUT (a run that was killed goes on; one that is there
is measured only). For it and the untuned one a second head of emorank-base is taught on the training part, and a table
shows Kendall's tau of the place that was asked for and the one that a ridge on the bank reads out of the embedding, as
benchmarks/multilingual.py does. An hour on one core.

    .venv/bin/python benchmarks/descriptions_in_languages.py OUT
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from descriptions import correlations
from emorank import EmotionRankCLAP
from emorank.affect import DIMENSIONS
from emorank.captions import Captions, bundled, languages
from emorank.encoders import text_encoder
from emorank.encoders.e5 import NAME
from emorank.encoders.minilm import UPDATE
from emorank.training.heads import ridge
from emorank.training.multilingual import with_languages
from emorank.tuning.base import Base
from emorank.tuning.descriptions import DescriptionsConfig, tune
from emorank.types import Array
from hold_out import ROOT, alike, rows, tested

CONFIG = DescriptionsConfig(kept=6, epochs=4)
TIMES = 2  # that every description which is no translation is seen in an epoch


def learnt() -> Captions:
    """What is learnt from, in order."""
    english, others, held = bundled("train"), languages.bundled("train"), languages.bundled("development")
    encode = text_encoder(NAME)
    left = ~alike(encode(list(english.texts)), encode([*held.texts, *tested()]))
    places = dict(zip(english.texts, english.points, strict=True))
    pairs = languages.translations()
    texts = [text for text, keep in zip(english.texts, left, strict=True) if keep] + TIMES * list(others.texts)
    points = [english.points[left], *TIMES * [others.points], np.stack([places[original] for _, original in pairs])]
    return Captions((*texts, *(text for text, _ in pairs)), np.concatenate(points))


def tuned(folder: Path) -> None:
    """Tune, and print how well the readout places descriptions."""
    captions = learnt()
    print(f"{len(captions.texts)} descriptions", flush=True)

    def report(epoch: int, loss: float) -> None:
        print(f"epoch {epoch}: loss {loss:.3f}", flush=True)

    network = tune(captions.texts, captions.points, CONFIG, folder, report, Base.e5())
    print(f"\nCorrelation, {', '.join(DIMENSIONS)}\n")
    asked = {f"{split} captions, English": bundled(split) for split in ("development", "test")}
    for name, each in (asked | {"development, other languages": languages.bundled("development")}).items():
        print(f"{name}: {correlations(network, list(each.texts), each.points)}")


def asked() -> dict[str, Captions]:
    """What is read, by what it is."""
    found = rows(ROOT / "tests" / "languages.tsv")
    places = np.array([[row["valence"], row["arousal"]] for row in found], np.float32)
    of = np.array([row["language"] for row in found])
    parts = {name: of == name for name in dict.fromkeys(of.tolist())}
    texts, english = (np.array([row[column] for row in found]) for column in ("text", "english"))
    return {
        "development captions, English": bundled("development"),
        "development, other languages": languages.bundled("development"),
        "the sixty in English": Captions(tuple(english.tolist()), places),
        "the sixty": Captions(tuple(texts.tolist()), places),
        **{name: Captions(tuple(texts[part].tolist()), places[part]) for name, part in parts.items()},
    }


def orders(encoder: str) -> list[str]:
    """Tau of valence and arousal of all that is asked, by a head that is taught on an encoder."""
    model, captions = EmotionRankCLAP.from_pretrained(), bundled("train")
    place: Array = ridge(model.encode_text(captions.texts), captions.points[:, :2])
    head = with_languages(model, captions, languages.bundled("train"), encoder).multilingual
    if head is None:
        raise ValueError("no head was taught")
    read, cells = text_encoder(encoder), []
    for each in asked().values():
        found = head(read(list(each.texts))) @ place[:-1] + place[-1]
        cells.append(" / ".join(f"{kendalltau(found[:, k], each.points[:, k]).statistic:.2f}" for k in (0, 1)))
    return cells


def main() -> None:
    """Tune and print."""
    folder = Path(sys.argv[1])
    if not (folder / UPDATE).is_file():
        tuned(folder)
    print("\n| valence / arousal | n | untuned | tuned |\n|---|---|---|---|")
    for (name, each), *cells in zip(asked().items(), orders(NAME), orders(f"{folder}/query"), strict=True):
        print(f"| {name} | {len(each.texts)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
