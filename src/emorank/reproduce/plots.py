"""What the results look like: both modalities before and after, what came against what was asked, training curves."""

from pathlib import Path
from typing import Any

import numpy as np

from emorank.affect import STEPS
from emorank.storage import written_whole

COLOURS = ("#9aa5b1", "#7b8794", "#cbd2d9", "#e8a33d", "#c7653c", "#2f6db3", "#123c69")


def plot_retrieved(results: dict[str, Any], path: Path) -> None:
    """Mean label of the retrieved clips against the value that was asked for, one line a row."""
    figure, axes = _figure(2, (9.0, 4.2))
    for axis, score, dimension in zip(axes, ("voc", "aoc"), ("valence", "arousal"), strict=True):
        axis.plot([0.5, 7], [0.5, 7], ":", color="#bbbbbb", linewidth=1)
        for colour, row in zip(COLOURS, results["rows"].values(), strict=False):
            labels = np.array([seed["ordinality"][score]["retrieved"] for seed in row["seeds"]])
            axis.plot(STEPS, labels.mean((0, 1)), "-o", markersize=3, color=colour, label=row["name"])
        axis.set(xlabel=f"{dimension} asked for", ylabel=f"{dimension} of what came", xlim=(0.3, 7.2), ylim=(1, 7))
        axis.set_title(score.upper())
    axes[0].legend(fontsize=7, frameon=False)
    _write(figure, path)


def plot_curves(results: dict[str, Any], path: Path) -> None:
    """Development loss of every epoch, every seed of every row."""
    rows = results["rows"]
    figure, axes = _figure(len(rows), (2.3 * len(rows), 2.4))
    for axis, colour, row in zip(axes, COLOURS, rows.values(), strict=False):
        for seed in row["seeds"]:
            axis.plot(
                range(1, len(seed["development_losses"]) + 1), seed["development_losses"], color=colour, alpha=0.6
            )
        axis.set(xlabel="epoch")
        axis.set_title(f"{row['name']}\nlearning rate {row['learning_rate']:g}", fontsize=7)
    axes[0].set(ylabel="development loss")
    _write(figure, path)


def plot_spaces(spaces: dict[str, tuple[np.ndarray, np.ndarray]], valence: np.ndarray, path: Path) -> None:
    """Both modalities in the plane of their first two principal components, side by side.

    Args:
        spaces: title -> (n, dim) embeddings of utterances and (n, dim) of their captions.
        valence: (n,) of the pairs, 1..7, shown as colour.
        path: of the picture.
    """
    figure, axes = _figure(len(spaces), (4.0 * len(spaces), 3.8))
    for axis, (title, (audio, text)) in zip(axes, spaces.items(), strict=True):
        both = np.concatenate([audio, text]).astype(np.float64)
        both -= both.mean(0)
        flat = both @ np.linalg.svd(both, full_matrices=False)[2][:2].T
        marks = (("o", "utterances", flat[: len(audio)]), ("^", "captions", flat[len(audio) :]))
        for marker, name, points in marks:
            shown = axis.scatter(*points.T, c=valence, marker=marker, s=9, alpha=0.6, cmap="coolwarm_r", vmin=1, vmax=7)
            shown.set_label(name)
        axis.set_title(title, fontsize=9)
        axis.set(xticks=[], yticks=[])
    axes[0].legend(fontsize=8, frameon=False)
    figure.colorbar(shown, ax=axes, label="valence", shrink=0.8)
    _write(figure, path, tight=False)


def _figure(columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=130)
    axes = [figure.add_subplot(1, columns, index + 1) for index in range(columns)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes


def _write(figure: Any, path: Path, tight: bool = True) -> None:
    if tight:
        figure.tight_layout()
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", bbox_inches="tight")
