"""Contrastive losses over audio and text embeddings, all with one signature.

loss(audio, text, Targets(audio_labels, text_labels), scale) -> scalar
"""

from emorank.losses.rank_n_contrast import RankNContrast
from emorank.losses.targets import Targets

__all__ = ["RankNContrast", "Targets"]
