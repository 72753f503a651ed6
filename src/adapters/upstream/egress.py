"""Which addresses may be connected to: every address that a name resolves to is judged before a connection is opened."""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence

from application.upstream import UpstreamConnectError
from domain.catalogue.addresses import Allowlist


def checked(
    resolve: Callable[[str], Awaitable[Sequence[str]]], allowlist: Allowlist
) -> Callable[[str], Awaitable[Sequence[str]]]:
    """`resolve`, with every private address taken out that the allowlist does not have.

    The result raises `UpstreamConnectError` when nothing is left; what it gives is what is connected to.
    """

    async def permitted(host: str) -> Sequence[str]:
        found = await resolve(host)
        kept = [one for one in found if _is_permitted(allowlist, host, one)]
        if found and not kept:
            raise UpstreamConnectError("address_not_allowed")
        return kept

    return permitted


def _is_permitted(allowlist: Allowlist, host: str, address: str) -> bool:
    try:
        return allowlist.permits(host, ipaddress.ip_address(address))
    except ValueError:  # no address at all: nothing is known of where it leads
        return False
