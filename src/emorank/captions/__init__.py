"""Descriptions of how speech sounds: the bundled bank, and one for every utterance of a table in several styles."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emorank.captions.assign import Style, paired
    from emorank.captions.bank import Captions, bundled

__all__ = ["Captions", "Style", "bundled", "paired"]


_HOMES = {"Captions": "bank", "bundled": "bank", "Style": "assign", "paired": "assign"}


def __getattr__(name: str) -> Any:
    """The public face, imported when it is used: options of the command line are checked before that."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
