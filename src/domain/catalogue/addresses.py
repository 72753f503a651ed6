"""Which network addresses a provider may have. Asked when a base URL is saved, and again at every connect."""

import ipaddress
from typing import Final

from domain.refusal import BadField

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What `is_global` of the standard library wrongly lets through, in some or all supported versions.
_NOT_PUBLIC: Final[tuple[IpNetwork, ...]] = (
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64: may carry any IPv4 address, loopback too
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2001::/23"),  # Teredo and other protocol assignments
    ipaddress.ip_network("2002::/16"),  # 6to4: as NAT64
    ipaddress.ip_network("fec0::/10"),
)


def is_public(address: IpAddress) -> bool:
    """Whether an address is out on the internet, and no door to the inside by translation."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


class Allowlist:
    """Hosts and networks that a provider may point to although they are private; set by who runs the server."""

    __slots__ = ("_hosts", "_networks")

    def __init__(self, *, hosts: frozenset[str] = frozenset(), networks: tuple[IpNetwork, ...] = ()) -> None:
        self._hosts = hosts
        self._networks = networks

    @classmethod
    def parse(cls, text: str) -> "Allowlist":
        """Read `127.0.0.1,10.0.0.0/8,llm.internal`.

        Raises:
            BadField: an entry is neither a host nor a network.
        """
        hosts: set[str] = set()
        networks: list[IpNetwork] = []
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if "/" in entry or not entry.isascii():
                    raise BadField("allow_private_upstreams", "has an entry that is no network") from None
                hosts.add(entry)
        return cls(hosts=frozenset(hosts), networks=tuple(networks))

    def has_host(self, host: str) -> bool:
        return host in self._hosts

    def has_address(self, address: IpAddress) -> bool:
        return any(address in network for network in self._networks if network.version == address.version)

    def permits(self, host: str, address: IpAddress) -> bool:
        """Whether a connection to `address`, found for `host`, is allowed."""
        return is_public(address) or self.has_host(host) or self.has_address(address)


NOTHING_PRIVATE: Final = Allowlist()
