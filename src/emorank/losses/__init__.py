"""Contrastive losses over audio and text embeddings, all with one signature.

loss(audio, text, Targets(audio_labels, text_labels, audio_category, text_category), scale) -> scalar
"""

from emorank.losses.gather import gather
from emorank.losses.rank_n_contrast import RankNContrast
from emorank.losses.supervised_contrastive import SupervisedContrastive
from emorank.losses.symmetric_cross_entropy import SymmetricCrossEntropy
from emorank.losses.targets import Targets

__all__ = ["RankNContrast", "SupervisedContrastive", "SymmetricCrossEntropy", "Targets", "gather"]
