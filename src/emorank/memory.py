"""How much memory there is, and how much a person allows."""

import os
import re
from pathlib import Path

from emorank.errors import EmorankError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def parsed(text: str) -> int:
    """Bytes as a person writes them: 4GB, 500 MB, 0.

    Raises:
        EmorankError: it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise EmorankError(f"--memory {text} is no size; write it like 4GB or 500MB.")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def free() -> int:
    """Bytes that programs can have now, of this computer or of the container that this runs in."""
    available = _available()
    for limit in _LIMITS:
        try:
            available = min(available, int(Path(limit).read_text()))
        except (OSError, ValueError):  # there is none
            continue
    return available


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):  # Windows
        return 4 * 10**9
