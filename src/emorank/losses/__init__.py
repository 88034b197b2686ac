"""Contrastive losses over audio and text embeddings, all with one signature.

loss(audio, text, Targets(audio_labels, text_labels, audio_category, text_category), scale) -> scalar

and across(loss, ...) with the same arguments where several processes have a batch together.
"""

from emorank.losses.across import across
from emorank.losses.contrastive import Contrastive
from emorank.losses.rank_n_contrast import RankNContrast
from emorank.losses.supervised_contrastive import SupervisedContrastive
from emorank.losses.symmetric_cross_entropy import SymmetricCrossEntropy
from emorank.losses.targets import Targets

__all__ = ["Contrastive", "RankNContrast", "SupervisedContrastive", "SymmetricCrossEntropy", "Targets", "across"]
