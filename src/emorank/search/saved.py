"""A search that somebody keeps, and the query that it is today."""

from collections.abc import Sequence

import numpy as np

from emorank.errors import EmorankError
from emorank.index.searches import Saved
from emorank.search.order import BEST, FIT
from emorank.search.query import Choice, Direction, Lasso, Near, Query, Region
from emorank.search.rank import Searched


def query_of(saved: Saved, collection: Searched, texts: Sequence[np.ndarray]) -> Query:
    """What a kept search asks.

    Args:
        saved: the search.
        collection: in which its moments are looked up.
        texts: the embeddings of its descriptions, in their order.

    Raises:
        EmorankError: a moment that it is like is not in the index now.
    """
    directions = [Direction(embedding, text.weight) for embedding, text in zip(texts, saved.texts, strict=True)]
    liked = []
    for like in saved.likes:
        if like.id not in collection.rows:
            raise EmorankError(f"The search asks for what is like the moment {like.id}, which is not in the index now.")
        liked.append(collection.rows[like.id])
        directions.append(Direction(collection.segments.embeddings[liked[-1]], like.weight))
    region: Region | Lasso | None = Lasso(saved.lasso) if saved.lasso else None
    if saved.region:
        region = Region(saved.region[:2], saved.region[2:])
    return Query(
        directions=tuple(directions),
        near=Near(*saved.near) if saved.near else None,
        region=region,
        where=saved.where,
        choices=tuple(Choice(choice.column, choice.values) for choice in saved.choices),
        without=tuple(liked),
        group=saved.group,
        sort=saved.sort or FIT,
        order=saved.order,
        best=saved.best or BEST,
    )


def words(saved: Saved) -> str:
    """A kept search in a line."""
    parts = [f"{'not ' if text.weight < 0 else ''}“{text.text}”" for text in saved.texts]
    parts += [f"{'unlike' if like.weight < 0 else 'like'} {like.id}" for like in saved.likes]
    if saved.near:
        parts.append("near " + ",".join(f"{x:g}" for x in saved.near))
    if saved.region or saved.lasso:
        corners = [saved.region] if saved.region else saved.lasso
        parts.append("region " + " ".join(",".join(f"{x:g}" for x in corner) for corner in corners))
    for choice in saved.choices:
        parts.append(f"{choice.column}: {' or '.join('none' if v is None else str(v) for v in choice.values)}")
    parts += [saved.where] if saved.where else []
    parts += [f"one per {saved.group}"] if saved.group else []
    parts += [f"by {saved.sort}{f', {saved.order}' if saved.order else ''}"] if saved.sort else []
    return "; ".join(parts)
