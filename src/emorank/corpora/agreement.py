"""Which categories count: one spelling for all synonyms, and none for utterances that listeners did not agree on."""

import polars as pl

from emorank.affect import category_of

#: What an utterance is called whose listeners chose none of the categories (MSP-Podcast's O), and one on which they did
#: not agree (its X, CREMA-D's ties). Neither is an emotion; the paper leaves both out (section 4.1).
OTHER, NO_AGREEMENT = "other", "no agreement"


def with_agreement(table: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The utterances whose emotion is not `OTHER` or `NO_AGREEMENT`, and how many were left out.

    Utterances without an emotion, with one of a user's own, and tables without the column `emotion` pass.
    """
    if "emotion" not in table.columns:
        return table, 0
    names = [name for name in table["emotion"].unique().drop_nulls() if category_of(name) in (OTHER, NO_AGREEMENT)]
    kept = table.filter(~pl.col("emotion").is_in(names).fill_null(False))
    return kept, len(table) - len(kept)


def with_categories(table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The table with its emotions as `emorank.affect.category_of` writes them, and which names that changed."""
    if "emotion" not in table.columns:
        return table, {}
    changed = {name: own for name in table["emotion"].unique().drop_nulls() if (own := category_of(name)) != name}
    return table.with_columns(pl.col("emotion").replace(changed)), dict(sorted(changed.items()))
