"""What everyday queries of one to four words bring up on RAVDESS actors who were never heard, by portrayed emotion.

Precision at 10 of the queries of tests/everyday.tsv: those of development on actors 17 to 20, those of test on actors
21 to 24. An author who had not seen the bank wrote them, and said which emotions are right answers.

    .venv/bin/python benchmarks/queries.py RAVDESS_FOLDER [MODEL] [development|test]
"""

import csv
import sys
from pathlib import Path

import numpy as np

from emorank import EmotionRankCLAP, read_corpus
from emorank.evaluation.embedded import Embedded, embed

EVERYDAY = Path(__file__).parents[1] / "tests" / "everyday.tsv"
TOP = 10


def everyday(part: str) -> list[tuple[str, set[str]]]:
    """The queries of a part, each with the emotions that are right."""
    with open(EVERYDAY, encoding="utf8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["query"], set(row["right"].split(","))) for row in rows if row["part"] == part]


def precisions(model: EmotionRankCLAP, ravdess: Path, part: str) -> list[float]:
    """Of each query, the share of its first ten clips that portray a right emotion."""
    return right_ones(embed(model, read_corpus("ravdess", ravdess), part), part)


def right_ones(found: Embedded, part: str) -> list[float]:
    """The same among clips that are embedded, by the queries of a part."""
    emotions = found.table["emotion"].to_numpy()
    asked = everyday(part)
    similarity = found.model.similarity(found.embeddings, found.text([query for query, _ in asked]))
    best = np.argsort(-similarity, axis=0, kind="stable")[:TOP]
    return [float(np.mean([emotions[row] in right for row in best[:, i]])) for i, (_, right) in enumerate(asked)]


def main() -> None:
    """Print the precision of every query, worst first, and their mean."""
    model = EmotionRankCLAP.from_pretrained(sys.argv[2] if len(sys.argv) > 2 else "emorank-base")
    part = sys.argv[3] if len(sys.argv) > 3 else "test"
    found = precisions(model, Path(sys.argv[1]), part)
    for (query, right), precision in sorted(zip(everyday(part), found, strict=True), key=lambda pair: pair[1]):
        print(f"{precision:.1f}  {query!r} ({', '.join(sorted(right))})")
    print(
        f"\nprecision at {TOP}: {np.mean(found):.3f} over {len(found)} queries, {sum(p == 0 for p in found)} at 0, "
        f"{sum(p < 0.3 for p in found)} below 0.3"
    )


if __name__ == "__main__":
    main()
