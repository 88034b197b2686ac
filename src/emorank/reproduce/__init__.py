"""The paper's two tables for any corpus: every row trained and tested alike, over several seeds."""

from emorank.reproduce.rows import ROWS, Row
from emorank.reproduce.run import Protocol, reproduce

__all__ = ["ROWS", "Protocol", "Row", "reproduce"]
