"""Order by speaker, gender and language: for whom emorank-base works, and for whom less.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Test speakers, labels derived. Each
line is the ordinality test on these clips alone, so that its oracle, what they allow at best, differs too; the last
column is the share of the oracle that is reached, valence and arousal. Every corpus is a language of its own, so what
tells languages apart may as well be the corpus.

    .venv/bin/python benchmarks/voices.py DATA [MODEL]
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ased import ased
from emorank import DEFAULT_MODEL, EmotionRankCLAP, read_corpus
from emorank.evaluation.embedded import Embedded, embed
from emorank.evaluation.report import measure_ordinality
from results import CORPORA

BY = ("gender", "language", "speaker")
FEWEST = 30  # clips that are measured on their own


def parts(found: Embedded) -> Iterator[tuple[str, Embedded]]:
    """All clips, then those of every gender, language and speaker, by name."""
    yield "all", found
    for column in BY:
        for name in sorted(found.table[column].drop_nulls().unique()):
            rows = np.flatnonzero((found.table[column] == name).to_numpy())
            if len(rows) >= FEWEST:
                yield f"{column} {name}", replace(found, table=found.table[rows], embeddings=found.embeddings[rows])


def line(name: str, found: Embedded) -> str:
    """Of the table."""
    report = measure_ordinality(found)
    reached = [getattr(report, test).mean / report.oracle[test] for test in ("voc", "aoc")]
    oracle = f"{report.oracle['voc']:.2f} / {report.oracle['aoc']:.2f}"
    return (
        f"| {name} | {report.clips} | {report.voc.mean:.2f} / {report.aoc.mean:.2f} | {oracle} | "
        f"{' / '.join(f'{share:.0%}' for share in reached)} |"
    )


def main() -> None:
    """Print the table."""
    data = Path(sys.argv[1])
    model = EmotionRankCLAP.from_pretrained(sys.argv[2] if len(sys.argv) > 2 else DEFAULT_MODEL)
    tables = [read_corpus(name, data / name) for name in CORPORA]
    print("| clips of | clips | VOC / AOC | oracle | reached |\n|---|---|---|---|---|")
    for name, found in parts(embed(model, pl.concat(tables, how="diagonal_relaxed"))):
        print(line(name, found), flush=True)
    if (data / "ased").is_dir():
        for name, found in parts(embed(model, ased(data / "ased"), None)):
            if not name.startswith("speaker"):
                print(line(f"ASED, {name}", found), flush=True)


if __name__ == "__main__":
    main()
