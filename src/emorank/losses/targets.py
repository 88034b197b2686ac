"""What the losses learn from: the labels of both sides of a batch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """Labels of N audios and M texts.

    Args:
        audio_labels: (N, k) points of the audios, such as valence and arousal, any length k.
        text_labels: (M, k) points of the texts, on the same scale.
        audio_category: (N,) category ids of the audios, for losses that use them.
        text_category: (M,) category ids of the texts.

    Raises:
        ValueError: a label is NaN or infinite; the message says how many rows hold one, and where the first is.
    """

    audio_labels: Tensor
    text_labels: Tensor
    audio_category: Tensor | None = None
    text_category: Tensor | None = None

    def __post_init__(self) -> None:
        for name, labels in (("audio", self.audio_labels), ("text", self.text_labels)):
            wrong = not_finite(labels)
            if wrong:
                raise ValueError(f"{name} labels: {wrong}")


def not_finite(values: Tensor) -> str:
    """How many rows of (n, k) hold NaN or infinity, and where the first one is; empty where all numbers are finite."""
    if values.sum().isfinite():  # adding up is far cheaper than looking at each, and keeps NaN and infinity
        return ""
    rows, columns = (~values.isfinite()).nonzero(as_tuple=True)
    if not len(rows):  # finite numbers that are too large to be added
        return ""
    return (
        f"{len(set(rows.tolist()))} of {len(values)} rows hold NaN or infinity, the first is row {rows[0]}, "
        f"column {columns[0]} (both from 0)"
    )
