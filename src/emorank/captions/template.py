"""Captions from a category alone, by the template of CLAP-template (paper section 4.1)."""

import polars as pl


def captions(table: pl.DataFrame) -> list[str | None]:
    """'speech has {category} emotion' for every utterance with a category.

    Args:
        table: utterances with `emotion`.
    """
    return [None if emotion is None else f"speech has {emotion} emotion" for emotion in table["emotion"]]
