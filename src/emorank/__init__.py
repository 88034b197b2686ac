"""emorank: find, rank and measure emotional speech by natural-language descriptions of how it sounds."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emorank.corpora import read_corpus
    from emorank.index import Index
    from emorank.model import EmotionRankCLAP

__version__ = "0.2.0"
DEFAULT_MODEL = "emorank-base"  # the packaged one
__all__ = ["DEFAULT_MODEL", "EmotionRankCLAP", "Index", "__version__", "read_corpus"]

_HOMES = {"EmotionRankCLAP": "emorank.model", "Index": "emorank.index", "read_corpus": "emorank.corpora"}


def __getattr__(name: str) -> Any:
    """The public face, imported when it is used: `emorank --help` needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'emorank' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
