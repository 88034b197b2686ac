"""The address of a server, as it may be shown."""

from urllib.parse import urlsplit

from emorank.errors import EmorankError


def shown(url: str) -> str:
    """The address without what may be secret in it.

    Raises:
        EmorankError: it is no address of an API, or has a password in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EmorankError("--llm takes the base address of an API, such as http://localhost:8000/v1.")
    if parts.username or parts.password:
        raise EmorankError("--llm takes an address without a password; set EMORANK_LLM_KEY instead.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
