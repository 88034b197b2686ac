"""Descriptions of how speech sounds: the bundled bank, and one for every utterance of a table in several styles."""

from emorank.captions.assign import Style, paired
from emorank.captions.bank import Captions, bundled

__all__ = ["Captions", "Style", "bundled", "paired"]
