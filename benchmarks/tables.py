"""What the paper's tests take at its size: 30 trials of 5,000 pairs, and retrieval among 34,963 utterances.

Beside each, by turns, the plain way: every matrix of distances made for every number and the network simplex on all
pairs; and a full sort of indices. The plain way is measured on a part of the work, as the table says. The embeddings
are clusters of 512 numbers around captions; utterances share 1,500 captions, as with the bank's, or have one each.

    .venv/bin/python benchmarks/tables.py [UTTERANCES] [PAIRS] [TRIALS]
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np

from emorank.evaluation.alignment import alignment, squared_distances
from emorank.evaluation.retrieval import retrieval

CAPTIONS = 1_500
JOBS = os.cpu_count() or 1


def embeddings(utterances: int, captions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of utterances and of captions, normalised and not negative, and whose is which; near, but far from paired."""
    rng = np.random.default_rng(0)
    places = rng.standard_normal((captions, 3)) @ rng.standard_normal((3, 512))
    own = np.concatenate([np.arange(captions), rng.integers(0, captions, utterances - captions)])
    text = np.maximum(places + rng.standard_normal((captions, 512)), 0)
    audio = np.maximum(places[own] + 2 * rng.standard_normal((utterances, 512)), 0)
    return *(x.astype(np.float32) / np.linalg.norm(x, axis=1, keepdims=True) for x in (audio, text)), own


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def plain_trial(audio: np.ndarray, text: np.ndarray) -> None:
    """One trial, every number on its own."""
    from ot.lp import emd2

    audio, text = audio.astype(np.float64), text.astype(np.float64)
    cost = squared_distances(audio, text)
    both = np.concatenate([audio, text])
    np.median(squared_distances(both, both)[np.triu_indices(len(both), 1)])
    for x, y in ((audio, audio), (text, text), (audio, text)):
        np.exp(-squared_distances(x, y)).sum()
    for each in (cost, np.sqrt(cost)):
        emd2([], [], each.astype(np.float64), numItermax=10**8)


def plain_sort(queries: np.ndarray, items: np.ndarray, right: np.ndarray) -> None:
    """Ranks of some queries by sorting indices."""
    similarity = queries @ items.T
    hits = np.take_along_axis(right, np.lexsort((right, -similarity), axis=1), axis=1)
    (hits.cumsum(1) / np.arange(1, hits.shape[1] + 1) * hits).sum(1)


def main() -> None:
    """Print the table."""
    utterances, pairs, trials = (int(x) for x in (*sys.argv[1:], *("34963", "5000", "30")[len(sys.argv) - 1 :]))
    alignment(*embeddings(8, 8)[:2], 1, 4)  # what is imported at the first trial
    print("| | plain way | emorank | ratio |\n|---|---|---|---|")
    for kind, captions in (("shared captions", min(CAPTIONS, utterances // 4)), ("one caption each", utterances)):
        audio, text, own = embeddings(utterances, captions)
        some = np.random.default_rng(1).choice(utterances, pairs, replace=False)
        plain = seconds(lambda a=audio[some], t=text[own[some]]: plain_trial(a, t)) * trials
        ours = seconds(lambda a=audio, t=text[own]: alignment(a, t, trials, pairs, jobs=JOBS))
        print(
            f"| alignment, {trials} trials of {pairs} pairs, {kind} | {plain:.0f} s (1 trial, x {trials}) | "
            f"{ours:.0f} s | {plain / ours:.1f} |",
            flush=True,
        )
        kinds = [str(kind) for kind in own % 8]
        count = min(200, captions)
        right = own[:count, None] % 8 == own % 8
        share = 2 * captions / count  # both ways sort as many numbers
        plain = seconds(lambda t=text[:count], a=audio, r=right: plain_sort(t, a, r)) * share
        ours = seconds(lambda a=audio, t=text, o=own, k=kinds: retrieval(a, t, o, k, JOBS))
        print(
            f"| retrieval and mAP both ways, {utterances} utterances, {kind} | {plain:.0f} s ({count} captions, "
            f"x {share:.0f}) | {ours:.0f} s | {plain / ours:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
