"""What a value may be, as a pair of a test and of words for a person."""

import math
from collections.abc import Callable, Collection
from typing import Any

Check = tuple[Callable[[Any], bool], str]  # whether a value is allowed, and what it has to be


def whole(least: int) -> Check:
    """A whole number of at least `least`; true and false are none."""
    what = f"a whole number of at least {least}"
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least, what


def number(within: Callable[[float], bool], what: str) -> Check:
    """A finite number for which `within` holds."""
    kinds = int | float
    return (
        lambda value: (
            isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and within(value)
        ),
        what,
    )


def one_of(options: Collection[str]) -> Check:
    """One of some words."""
    return lambda value: isinstance(value, str) and value in options, f"one of {', '.join(options)}"


def several(each: Check, what: str) -> Check:
    """Any number of values that each are allowed, or None."""
    return lambda value: value is None or (isinstance(value, tuple) and all(map(each[0], value))), what


def distinct(options: Collection[str]) -> Check:
    """One or more of some words, none twice."""

    def allowed(value: Any) -> bool:
        return isinstance(value, tuple) and all(map(one_of(options)[0], value)) and 0 < len(value) == len(set(value))

    return allowed, f"one or more of {', '.join(options)}, each once"


text: Check = (lambda value: isinstance(value, str) and bool(value.strip()), "a name")
switch: Check = (lambda value: isinstance(value, bool), "true or false")


def shown(value: Any) -> str:
    """A value as a person typed it."""
    if isinstance(value, tuple):
        return " ".join(map(shown, value)) or "nothing"
    return value if isinstance(value, str) and value.strip() else repr(value)
