"""How well a text encoder brings translations together, how long a description takes, and what it needs of memory.

Twenty descriptions of voices and twenty plain sentences in six languages (tests/encoders/translations.tsv). For each
text and each other language: is the nearest of its twenty the translation? 600 such pairs each; chance is 30.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/languages.py [ENCODER ...]
"""

import sys
import time
from pathlib import Path

import numpy as np

from emorank.encoders import DEFAULT_TEXT, text_encoder
from emorank.encoders.base import TextEncoder
from emorank.encoders.e5 import NAME, TUNED

TEXTS = Path(__file__).parents[1] / "tests" / "encoders" / "translations.tsv"
RUNS = 5


def right(encoder: TextEncoder, rows: list[list[str]]) -> np.ndarray:
    """(languages, languages): of the texts of one, how many have their translation as the nearest of the other."""
    vectors = encoder([text for row in rows for text in row]).reshape(len(rows), len(rows[0]), -1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    nearest: np.ndarray = np.einsum("mad,nbd->abmn", vectors, vectors).argmax(-1)
    return np.asarray((nearest == np.arange(len(rows))).sum(-1))


def seconds(encoder: TextEncoder, batches: list[list[str]]) -> float:
    """For a text, the median of several runs."""
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for batch in batches:
            encoder(batch)
        taken.append((time.perf_counter() - start) / sum(map(len, batches)))
    return float(np.median(taken))


def resident() -> float:
    """Megabytes of this process; Linux only."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def main(name: str) -> None:
    """One encoder."""
    rows = [line.split("\t") for line in TEXTS.read_text("utf8").splitlines()]
    before, start = resident(), time.perf_counter()
    encoder = text_encoder(name)
    print(f"{name}: loaded in {time.perf_counter() - start:.1f} s, {resident() - before:.0f} MB")
    for kind in ("voice", "sentence"):
        table = right(encoder, [row[1:] for row in rows if row[0] == kind])
        print(f"  {kind}s: {table.sum() - np.trace(table)} of {20 * table.size - 20 * len(table)}")
        for language, line in zip(rows[0][1:], table, strict=True):
            print(f"    {language}  " + " ".join(f"{count:2}" for count in line))
    texts = [text for row in rows[1:] if row[0] == "voice" for text in row[1:]]
    alone, together = seconds(encoder, [[text] for text in texts]), seconds(encoder, [texts])
    print(f"  {1000 * alone:.1f} ms a description alone, {1000 * together:.1f} ms in a batch of {len(texts)}")


if __name__ == "__main__":
    for each in sys.argv[1:] or [NAME, TUNED, DEFAULT_TEXT]:
        main(each)
