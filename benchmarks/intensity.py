"""Whether arousal rises with intensity among Arabic words: BAVED, acted at three levels (low, normal, high).

BAVED (Aouf 2019) states no licence, so it is reported and trains nothing. Levels are what speakers were told, not what
anybody rated, and "high" may be joy or anger, so they say something of arousal alone. Of a pair of clips of different
levels, how often the one of the higher level is placed higher (0.5 is chance), of all pairs, of those of one word, and
of those of one speaker and word; beside it the same by loudness alone, which depends on the microphone.

    .venv/bin/python benchmarks/intensity.py BAVED_FOLDER [MODEL ...]
"""

import csv
import sys
from pathlib import Path

import numpy as np
import polars as pl

from emorank import DEFAULT_MODEL, EmotionRankCLAP, audio
from emorank.evaluation.embedded import embed

LEVELS = {"low": 0, "normal": 1, "high": 2}


def read(folder: Path) -> pl.DataFrame:
    """Its utterances with their level."""
    with open(folder / "metadata.csv", encoding="utf8") as file:
        rows = [
            {
                "path": str(folder / row["file"]),
                "level": LEVELS[row["emotion"]],
                "word": row["sentence"],
                "speaker": row["speaker"],
            }
            for row in csv.DictReader(file)
        ]
    return pl.DataFrame(rows)


def in_order(values: np.ndarray, levels: np.ndarray, groups: np.ndarray) -> tuple[float, int]:
    """Of pairs of one group and different levels the share whose values are in order, and how many pairs there are."""
    right = pairs = 0.0
    for group in np.unique(groups):
        value, level = values[groups == group], levels[groups == group]
        higher = level[:, None] > level
        right += (higher & (value[:, None] > value)).sum() + 0.5 * (higher & (value[:, None] == value)).sum()
        pairs += higher.sum()
    return right / pairs, int(pairs)


def loudness(path: str) -> float:
    """Root mean square in dB."""
    return float(10 * np.log10(np.mean(np.square(audio.load(path), dtype=np.float64)) + 1e-12))


def main() -> None:
    """Print the table."""
    table = read(Path(sys.argv[1]))
    found: dict[str, np.ndarray] = {}
    for name in sys.argv[2:] or [DEFAULT_MODEL]:
        model = EmotionRankCLAP.from_pretrained(name)
        embedded = embed(model, table, None)
        found[name] = model.places(embedded.embeddings)[:, 1]
        table = embedded.table
    found["loudness alone"] = np.array([loudness(path) for path in table["path"]])
    levels, words = table["level"].to_numpy(), table["word"].to_numpy().astype(str)
    speakers = np.char.add(np.char.add(table["speaker"].to_numpy().astype(str), " "), words)
    kinds = {"all pairs": np.zeros(len(table)), "of one word": words, "of one speaker and word": speakers}
    counts = [in_order(levels, levels, of)[1] for of in kinds.values()]
    heads = [f"{kind} ({count:,})" for kind, count in zip(kinds, counts, strict=True)]
    print(f"{len(table)} clips\n\n| arousal by | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for name, values in found.items():
        print(f"| {name} | {' | '.join(f'{in_order(values, levels, of)[0]:.3f}' for of in kinds.values())} |")


if __name__ == "__main__":
    main()
