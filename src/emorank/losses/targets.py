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
    """

    audio_labels: Tensor
    text_labels: Tensor
    audio_category: Tensor | None = None
    text_category: Tensor | None = None
