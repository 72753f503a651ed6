"""Downloads from addresses that a provider tells us: only of hosts that are listed for it, and within a limit of size."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from adapters.checkout.asking import Asker
from application.checkout.ports import ProviderRefused, ProviderUnavailable

DOWNLOAD_BYTES_MAX: Final = 16 * 1024 * 1024
_OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}

HeadersFor = Callable[[str], Mapping[str, str]]
"""From the path with its query."""


class Downloads:
    """Of one provider. `own` is the address where the provider is asked: that host may be downloaded from as it is, others by HTTPS."""

    def __init__(self, *, hosts: frozenset[str], own: str, timeout_s: float) -> None:
        self._hosts = hosts
        self._own = urlsplit(own)
        self._asker = Asker("", timeout_s=timeout_s, answer_bytes_max=DOWNLOAD_BYTES_MAX)

    def get(self, url: str, headers_for: HeadersFor = lambda _path: {}) -> bytes:
        """The file.

        Raises:
            ProviderRefused: `bill_address_not_listed`; nothing was asked there.
            ProviderUnavailable: it does not come, comes with a redirect, or is far too large.
        """
        origin, path = self._listed(url)
        # A decoder would make much of little before anybody could count it.
        headers = {"accept-encoding": "identity", **headers_for(path)}
        found = self._asker.ask("GET", f"{origin}{path}", headers=headers)
        if found.status != _OK or found.headers.get("content-encoding", "identity") != "identity":
            raise ProviderUnavailable(f"bill_download_{found.status}")
        return found.body

    def _listed(self, url: str) -> tuple[str, str]:
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            raise ProviderRefused("bill_address_not_listed") from None
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        is_plain = url.isascii() and url.isprintable() and " " not in url and parts.scheme in _PORTS
        if not is_plain or "@" in parts.netloc or "\\" in url or "#" in url:
            raise ProviderRefused("bill_address_not_listed")
        if (parts.scheme, parts.netloc) == (self._own.scheme, self._own.netloc):
            return f"{parts.scheme}://{parts.netloc}", path
        if parts.hostname in self._hosts and port == _PORTS[parts.scheme]:
            return f"https://{parts.hostname}", path
        raise ProviderRefused("bill_address_not_listed")
