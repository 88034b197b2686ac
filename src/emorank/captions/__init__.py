"""Descriptions of how speech sounds: the bundled bank, and one for every utterance of a table in several styles."""

from emorank.captions.bank import Captions, bundled
from emorank.captions.styles import Style, paired

__all__ = ["Captions", "Style", "bundled", "paired"]
