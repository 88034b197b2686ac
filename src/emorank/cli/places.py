"""Places and choices as they are typed: circles, rectangles and polygons on the plane, values of columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

    from emorank.search import Choice, Lasso, Near, Region

_NONE = "none"


def near_of(text: str | None) -> "Near | None":
    """A circle on the plane, as --near writes it.

    Raises:
        EmorankError: it is none.
    """
    if text is None:
        return None
    from emorank.search import Near

    numbers = _numbers(text)
    if len(numbers) not in (2, 3):
        raise EmorankError(f"--near {text} is no place; write valence and arousal, such as --near 2.0,6.0")
    return Near(*numbers)


def region_of(text: str | None) -> "Region | Lasso | None":
    """A rectangle or polygon on the plane, as --region writes it.

    Raises:
        EmorankError: it is neither.
    """
    if text is None:
        return None
    from emorank.search import Lasso, Region

    corners = [_numbers(corner) for corner in text.split()]
    if len(corners) == 1 and len(corners[0]) == 4:
        left, right, low, high = corners[0]
        return Region((left, right), (low, high))
    if len(corners) >= 3 and all(len(corner) == 2 for corner in corners):
        return Lasso(tuple((valence, arousal) for valence, arousal in corners))
    raise EmorankError(
        f"--region {text} is no region; write lowest and highest valence, lowest and highest arousal, such as "
        '--region 1,3,5,7, or the corners of a polygon, such as --region "1,5 3,7 3,5"'
    )


def choices_of(written: Sequence[str], columns: "dict[str, pl.DataType]") -> "tuple[Choice, ...]":
    """Values of columns, as --choice writes them: several of one column are alternatives.

    Raises:
        EmorankError: it is no choice, there is no such column, or it cannot hold the value.
    """
    from emorank.search import Choice

    chosen: dict[str, list[str | float | bool | None]] = {}
    for text in written:
        column, sign, value = text.partition("=")
        if not sign:
            raise EmorankError(f"--choice {text} is none; write a column and a value, such as --choice speaker=ann")
        if column not in columns:
            raise EmorankError(f"There is no column {column!r}; there are {', '.join(columns)}.")
        chosen.setdefault(column, []).append(_value(column, value, columns[column]))
    return tuple(Choice(column, tuple(values)) for column, values in chosen.items())


def _value(column: str, text: str, kind: "pl.DataType") -> str | float | bool | None:
    import polars as pl

    if text.lower() == _NONE or text == "":
        return None
    if kind == pl.Boolean:
        if text.lower() not in ("true", "false", "yes", "no"):
            raise EmorankError(f"{column} is true or false; {text!r} is neither.")
        return text.lower() in ("true", "yes")
    if not kind.is_numeric():
        return text
    try:
        return float(text)
    except ValueError as error:
        raise EmorankError(f"{column} holds numbers; {text!r} is none.") from error


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return []
