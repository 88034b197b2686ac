"""Answers that are made while they are sent."""

from collections.abc import AsyncIterator, Generator

from emorank.serve.admission import Turns


async def by_turns(turns: Turns, pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """Pieces that are made one by one, each when it is its turn and the client has taken the one before it."""
    try:
        while (piece := await turns.run(next, pieces, None)) is not None:
            yield piece
    finally:
        pieces.close()
