"""How well what is found fits at all: by how much recordings come less near to a description than to such captions.

The recordings of the development speakers, who were not trained on, are embedded (two minutes on two cores). With
`write`, how close the best five come to each of the bank's training captions is written beside it; do that when the
bank, the text encoder or emorank-base has changed. Printed are quantiles of what is missing, and which words come of
it, for the bank's development captions: where a recording lies near (within 0.75 on the plane), where all within 1, 2
or 3 are taken away, and for texts of other kinds. Last, what decided the method: how well near and away are told apart
that way and by the cosine alone, and by how much the place that is read from a caption is off.

    .venv/bin/python benchmarks/fit.py CORPORA_FOLDER [write]
"""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from emorank import DEFAULT_MODEL, EmotionRankCLAP, read_corpus
from emorank.affect import DIMENSIONS
from emorank.captions import bundled
from emorank.captions.familiar import Described, described, known
from emorank.captions.fit import BEST, FILE, LITTLE, PARTLY, identity, reached
from emorank.evaluation.embedded import embed
from emorank.storage import written_whole
from familiar import QUANTILES, asked

CORPORA = ("ravdess", "emodb", "nemo")
NEAR, AWAY = 0.75, (1.0, 2.0, 3.0)  # on the plane
TOLD = 2.0  # of these, for the area under the curve


def best(cosines: np.ndarray) -> np.ndarray:
    """(n, recordings) -> (n,) mean of the best five."""
    mean: np.ndarray = np.sort(cosines, axis=1)[:, -BEST:].mean(axis=1)
    return mean


def missing(texts: list[Described], cosines: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(n,) by how much the best come less near than usual; of those texts alone of which near captions are known."""
    understood = [i for i, each in enumerate(texts) if each.near]
    expected = np.array([np.mean([usual[row] for row, _ in texts[i].near]) for i in understood])
    result: np.ndarray = expected - best(cosines[understood])
    return result


def report(name: str, gaps: np.ndarray) -> None:
    """A row of the table."""
    cells = "".join(f" {value:.2f} |" for value in np.quantile(gaps, QUANTILES))
    words = [np.mean(gaps <= PARTLY), np.mean((gaps > PARTLY) & (gaps <= LITTLE)), np.mean(gaps > LITTLE)]
    print(f"| {name} | {len(gaps)} |{cells}" + "".join(f" {100 * share:.0f} % |" for share in words))


def curve(high: np.ndarray, low: np.ndarray) -> float:
    """The area under the curve of telling high from low values."""
    ranks = np.concatenate([high, low]).argsort().argsort()[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) - 1) / 2) / len(high) / len(low))


def places_off(model: EmotionRankCLAP, texts: list[Described], points: np.ndarray) -> None:
    """Print how far the nearest captions, and the locator of the model, are off in each dimension."""
    bank = bundled("train").points
    understood = [i for i, each in enumerate(texts) if each.near]
    texts, points = [texts[i] for i in understood], points[understood]
    by_captions = np.array([bank[[row for row, _ in each.near]].mean(axis=0) for each in texts])
    by_locator = model.places(np.stack([each.embedding for each in texts]))
    for name, found in (("the nearest captions", by_captions), ("the locator", by_locator)):
        off = ", ".join(f"{value:.2f}" for value in np.abs(found - points).mean(axis=0))
        print(f"The place by {name} is off by {off} ({', '.join(DIMENSIONS)}).")


def main() -> None:
    """Print the table."""
    model = EmotionRankCLAP.from_pretrained(DEFAULT_MODEL)
    parts = [embed(model, read_corpus(name, Path(sys.argv[1]) / name), "development") for name in CORPORA]
    audio = np.concatenate([part.embeddings for part in parts])
    places = np.concatenate([part.table.select("valence", "arousal").to_numpy() for part in parts])
    if sys.argv[2:] == ["write"]:
        vectors = known(model.text_encoder.fingerprint)
        if vectors is None:
            raise SystemExit("The captions of the bank are of another text encoder; run benchmarks/familiar.py write")
        about = {"model": identity(model), "recordings": str(len(audio)), "digest": bundled("train").digest}
        with written_whole(FILE) as path:
            path.write_bytes(save({"cosines": best(model.text(vectors) @ audio.T).astype(np.float16)}, about))
        reached.cache_clear()
    usual = reached(identity(model))
    if usual is None:
        raise SystemExit(f"{FILE.name} is of another model; run with: write")
    print("| texts | n |" + "".join(f" {100 * q:.0f} % |" for q in QUANTILES) + " well | partly | little |")
    print("|---" * 10 + "|")
    captions = bundled("development")
    texts = described(model, captions.texts)
    cosines = np.stack([each.embedding for each in texts]) @ audio.T
    apart = np.linalg.norm(captions.points[:, None, :2] - places[None], axis=2)
    near = apart.min(axis=1) < NEAR
    held = [each for each, yes in zip(texts, near, strict=True) if yes]
    report("captions with a recording near", missing(held, cosines[near], usual))
    for away in AWAY:
        left = np.where(apart[near] < away, -1, cosines[near])
        enough = (left > -1).sum(axis=1) >= BEST
        kept = [each for each, yes in zip(held, enough, strict=True) if yes]
        report(f"the same without those within {away:g}", missing(kept, left[enough], usual))
        if away == TOLD:
            gaps = missing(held, cosines[near], usual), missing(kept, left[enough], usual)
            raw = best(cosines[near]), best(left[enough])
    for name, others in asked().items():
        if name in ("everyday queries", "sentences, en", "off topic"):
            found = described(model, list(others))
            report(name, missing(found, np.stack([each.embedding for each in found]) @ audio.T, usual))
    print(
        f"\nArea under the curve, near against without those within {TOLD:g}: {curve(-gaps[0], -gaps[1]):.2f}, ", end=""
    )
    print(f"by the cosine alone {curve(*raw):.2f}.")
    places_off(model, texts, captions.points)


if __name__ == "__main__":
    main()
