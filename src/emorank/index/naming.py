"""Names that people give to what they keep in an index."""

import re

from emorank.errors import EmorankError

LONGEST = 64  # characters
_NAME = re.compile(rf"[^\W_][\w .-]{{0,{LONGEST - 1}}}")


def check_name(name: str, of: str) -> None:
    """That something can have a name.

    Raises:
        EmorankError: it cannot.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise EmorankError(
            f"{name!r} cannot name {of}; use up to {LONGEST} letters, digits, spaces, dots, dashes, underscores, a "
            "letter or digit first."
        )
