"""The address of a server: as it may be shown, whether it is this machine, and the proxy on the way."""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

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


def is_here(url: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy(url: str) -> str | None:
    """The proxy that the environment names for an address; none for this machine."""
    parts = urlsplit(url)
    if is_here(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
