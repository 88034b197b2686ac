"""The key of a server: from the environment into one header, and nowhere else."""

import os

from emorank.errors import EmorankError

_VARIABLES = ("EMORANK_LLM_KEY", "OPENAI_API_KEY")
_PIECE = 8  # so many characters of a key in a row are a part of it


def key_from_environment() -> str | None:
    """The first of $EMORANK_LLM_KEY and $OPENAI_API_KEY that is set; local servers need none.

    Raises:
        EmorankError: it holds what no key has, such as a line break in the middle.
    """
    for variable in _VARIABLES:
        key = os.environ.get(variable, "").strip()
        if not key:
            continue
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise EmorankError(f"${variable} holds characters that a key cannot have; set it to the key alone.")
        return key
    return None


def tells(text: str, key: str | None) -> bool:
    """Whether a text repeats the key or a part of it."""
    if not key:
        return False
    folded, secret = text.casefold(), key.casefold()
    size = min(_PIECE, len(secret))
    return any(secret[i : i + size] in folded for i in range(len(secret) - size + 1))


def without_key(text: str, key: str | None, longest: int = 300) -> str:
    """What a server said, fit for an error: one line of printable characters, withheld whole if it repeats the key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if tells(line, key) or tells("".join(line.split()), key):
        return "(its message is withheld: it repeats the key)"
    return line if len(line) <= longest else line[:longest] + " ..."
