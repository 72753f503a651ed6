"""A provider's base URL, parsed once, by the one parser whose result is both checked and connected to.

Strict on purpose: what two parsers could read differently (`http://a@b`, `127.1`, a trailing dot, an
internationalised name, a backslash) is refused rather than interpreted.
"""

import ipaddress
import re
from typing import Final, Literal

import msgspec

from domain.catalogue.addresses import NOTHING_PRIVATE, Allowlist, IpAddress
from domain.refusal import BadField

URL_CHARS_MAX: Final = 500
_PORT_MAX: Final = 65_535
_HOST_CHARS_MAX: Final = 253  # RFC 1035
_URL = re.compile(r"(https?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?(/[A-Za-z0-9._~/-]*)?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOP_LABEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_PORTS: Final = {"https": 443, "http": 80}
_INSIDE: Final = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp")
_FIELD = "base_url"


class BaseUrl(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that a transport needs. An IPv6 host has no brackets; the path has no slash at its end."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a credential is bound to."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """As in a `Host` header: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        return self.origin + self.path


def parse_base_url(text: str) -> BaseUrl:
    """Take a base URL apart, whatever it points to; `checked_base_url` also judges where that is.

    Raises:
        BadField: it is no plain http(s) URL: no user, no query, no fragment, no escapes, ASCII only.
    """
    match = _URL.fullmatch(text) if len(text) <= URL_CHARS_MAX else None
    if match is None:
        raise BadField(_FIELD, "must be a plain URL such as https://api.example.com/v1")
    scheme, raw_host, raw_port, path = match.groups()
    port = int(raw_port) if raw_port else _PORTS[scheme]
    if not 1 <= port <= _PORT_MAX:
        raise BadField(_FIELD, "has no valid port")
    path = (path or "").rstrip("/")
    if "//" in path or any(part in {".", ".."} for part in path.split("/")):
        raise BadField(_FIELD, "has an ambiguous path")
    return BaseUrl(
        scheme="https" if scheme == "https" else "http", host=_host(raw_host), port=port, path=path
    )


def checked_base_url(text: str, *, allowlist: Allowlist = NOTHING_PRIVATE) -> BaseUrl:
    """Take a base URL apart and refuse what lies inside, unless the allowlist has it.

    Names are judged here by their look only; the address that one resolves to is judged at connect.

    Raises:
        BadField: as `parse_base_url`; or it points inside; or it is not https and not allowed by name.
    """
    url = parse_base_url(text)
    address = address_of(url.host)
    listed = allowlist.has_host(url.host) or (address is not None and allowlist.has_address(address))
    if listed:
        return url
    if address is None:
        inside = "." not in url.host or url.host.endswith(_INSIDE)
    else:
        inside = not allowlist.permits(url.host, address)
    if inside:
        raise BadField(_FIELD, "points to a private address that is not on the allowlist")
    if url.scheme != "https":
        raise BadField(_FIELD, "must be https")
    return url


def address_of(host: str) -> IpAddress | None:
    """The address that a host is written as, or none when it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _host(raw: str) -> str:
    if raw.startswith("["):
        address = address_of(raw[1:-1])
        if address is None:
            raise BadField(_FIELD, "has no valid address in brackets")
        return str(address)
    host = raw.lower()
    if address_of(host) is not None:
        return host
    labels = host.split(".")
    # A last label of digits (also 0x7f) would be read as a number by some resolvers: 127.1, 2130706433.
    if (
        len(host) > _HOST_CHARS_MAX
        or not all(map(_LABEL.fullmatch, labels))
        or not _TOP_LABEL.fullmatch(labels[-1])
    ):
        raise BadField(_FIELD, "has no valid host name")
    return host
