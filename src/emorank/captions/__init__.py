"""Descriptions of how speech sounds, each with its place in the space of affect."""

from emorank.captions.bank import Captions, bank

__all__ = ["Captions", "bank"]
