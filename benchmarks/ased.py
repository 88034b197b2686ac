"""ASED (Retta et al. 2022), Amharic: no licence is stated, so it chooses and is reported, and trains nothing."""

import csv
from pathlib import Path

import polars as pl

from emorank.affect import category_of, point


def ased(folder: Path) -> pl.DataFrame:
    """Its utterances, labels derived from the categories."""
    with open(folder / "metadata.csv", encoding="utf8") as file:
        rows = [
            {
                "path": str(folder / row["file"]),
                **point(category_of(row["emotion"]))._asdict(),
                "emotion": category_of(row["emotion"]),
                "speaker": f"ased-{row['speaker']}",
                "gender": {"f": "female", "m": "male"}[row["gender"]],
                "corpus": "ased",
                "language": "am",
                "label_source": "derived",
            }
            for row in csv.DictReader(file)
        ]
    return pl.DataFrame(rows)
