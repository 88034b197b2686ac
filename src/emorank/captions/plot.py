"""The quality of captions as one picture: where they lie, and whether distance in words follows distance in feeling."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from emorank.captions.quality import Quality, coverage
from emorank.errors import EmorankError, MissingExtra
from emorank.storage import written_whole

Array = np.ndarray[Any, Any]


def plot_quality(path: Path, title: str, result: Quality, points: Array, plane: Array, cosine: Array) -> None:
    """Write the picture.

    Args:
        path: .png, .svg or .pdf.
        title: what was measured.
        result: its numbers.
        points: (m, 2) valence and arousal of the captions.
        plane: (k, k) distances on the plane, see `emorank.captions.quality.distances`.
        cosine: (k, k) cosine distances of the embeddings.

    Raises:
        EmorankError: matplotlib is missing, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra("The picture", "plot") from error
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    where, order = figure.subplots(1, 2)
    counts = coverage(points)
    image = where.imshow(
        np.where(counts > 0, counts, np.nan),
        origin="lower",
        extent=(0.75, 7.25, 0.75, 7.25),
        cmap="viridis",
        aspect="equal",
    )
    figure.colorbar(image, ax=where, label="captions", shrink=0.85)
    where.set(xlabel="valence", ylabel="arousal", title=f"{result.covered:.0%} of the plane covered")
    upper = np.triu_indices(len(plane), 1)
    _bands(order, plane[upper], cosine[upper])
    order.set(
        xlabel="distance on the plane",
        ylabel="cosine distance of the embeddings",
        title=f"Spearman {result.spearman:.2f}, local order {result.local_order:.2f} (chance 0.5)",
    )
    order.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{title}: {result.captions} captions, {result.distinct_captions:.0%} distinct, "
        f"distinct-1 {result.distinct_1:.2f}, distinct-2 {result.distinct_2:.2f}, "
        f"near-duplicates {result.near_duplicates:.0%}",
        fontsize=11,
        parse_math=False,
    )
    try:
        with written_whole(path) as temporary:
            figure.savefig(temporary, dpi=130)
    except OSError as error:
        raise EmorankError(f"{path}: the picture cannot be written ({error.strerror}).") from error


def _bands(panel: Any, plane: Array, cosine: Array) -> None:
    """The median and the middle half of cosine distance, by distance on the plane."""
    edges = np.arange(0, 9.0, 0.5)
    middles, quartiles = [], []
    for low, high in pairwise(edges):
        inside = cosine[(plane >= low) & (plane < high)]
        if len(inside) >= 5:
            middles.append((low + high) / 2)
            quartiles.append(np.quantile(inside, (0.25, 0.5, 0.75)))
    if middles:
        low_, median, high_ = np.array(quartiles).T
        panel.fill_between(
            middles, low_, high_, alpha=0.25, linewidth=0, color="#2e5c8a", label="middle half of the pairs"
        )
        panel.plot(middles, median, color="#2e5c8a", marker="o", markersize=3, label="median")
        panel.legend(frameon=False, loc="lower right")
