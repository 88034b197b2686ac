"""Conditional requests and byte ranges of HTTP (RFC 9110), as pure functions."""

import re
from collections.abc import Mapping

from emorank.serve.errors import Refused

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})")


def unchanged(headers: Mapping[str, str], etag: str, modified: str = "") -> bool:
    """Whether a client has what it asks for already, as its If-None-Match says, or else its If-Modified-Since."""
    if "if-none-match" in headers:
        tags = [tag.strip().removeprefix("W/") for tag in headers["if-none-match"].split(",")]
        return "*" in tags or etag.removeprefix("W/") in tags
    return headers.get("if-modified-since", "-") == modified


def span(headers: Mapping[str, str], etag: str, modified: str, size: int) -> tuple[int, int] | None:
    """First and last byte that are asked for; None for the whole.

    That is also the answer to a Range that is not understood, that names several parts, or whose If-Range is about
    something else than what is there; a weak tag is never about the same bytes.

    Raises:
        Refused: the range lies behind the end.
    """
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or match[1] == match[2] == "":
        return None
    if "if-range" in headers and (etag.startswith("W/") or headers["if-range"] not in (etag, modified)):
        return None
    if match[1] == "":
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    if first >= size or last < first:
        raise Refused(416, "bad_range", f"The recording has {size} bytes.", {"Content-Range": f"bytes */{size}"})
    return first, last
