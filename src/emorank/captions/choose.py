"""A choice among captions that depends on the seed and the recording alone, not on the rest of its table."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


def choose(options: Sequence[Option], path: str, seed: int) -> Option:
    """One of the options.

    Args:
        options: at least one.
        path: of the recording; the same recording in another folder may get another option.
        seed: of the choice.
    """
    digest = hashlib.sha256(f"{seed}|{path}".encode("utf8", "surrogateescape")).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]
