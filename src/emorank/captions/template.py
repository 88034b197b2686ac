"""Captions from a category alone, by the template of CLAP-template (paper section 4.1), and what is a category."""

import polars as pl

#: What tables write where a category is missing, where the raters did not agree, or where it is none of their list.
_NONE = {"", "?", "n/a", "na", "nan", "no agreement", "none", "not available", "null", "other", "others", "undefined"}
_NONE |= {"unknown", "unlabeled", "unlabelled", "xxx"}


def category(emotion: object) -> str | None:
    """An utterance's category; None where the value of its column `emotion` names none, such as "no agreement"."""
    name = " ".join(str("" if emotion is None else emotion).split())
    return None if name.lower().replace("-", " ").replace("_", " ").strip() in _NONE else name


def sentence(emotion: object) -> str | None:
    """'speech has {category} emotion'; None without a category."""
    name = category(emotion)
    return None if name is None else f"speech has {name} emotion"


def assign(table: pl.DataFrame) -> list[str | None]:
    """`sentence` for every utterance.

    Args:
        table: utterances with `emotion`.
    """
    return [sentence(emotion) for emotion in table["emotion"]]
