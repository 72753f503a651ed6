"""Opens connections: name to addresses, address to socket, TLS with the name that was asked for.

The resolver is a seam: what it gives is what is connected to, and nothing is looked up again, so that a check of
addresses can sit there and cannot be got round. Host and SNI stay the name.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from adapters.upstream.connection import Connection
from adapters.upstream.tls import ResumingContext
from application.upstream import ParsedUrl, UpstreamConnectError, UpstreamTimeout

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A host (name or IP address) to IP addresses, best first. May raise `UpstreamConnectError` to refuse it."""

_ADDRESSES_MAX: Final = 8


async def resolve_by_system(host: str) -> list[str]:
    """What the operating system says, without repetitions.

    Raises:
        UpstreamConnectError: the name is not known.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamConnectError("resolve", type(error).__name__) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialer:
    """Knows how to reach an origin. `tls` is shared by all of them, and remembers their sessions."""

    def __init__(self, *, resolve: Resolve, tls: ResumingContext) -> None:
        self._resolve = resolve
        self.tls = tls

    async def dial(self, url: ParsedUrl, make: Callable[[], Connection], connect_at: float) -> Connection:
        """Connect to the origin of `url`, trying its addresses in turn, each with its share of the time left.

        Raises:
            UpstreamTimeout: `connect`.
            UpstreamConnectError: with the reason of the last address tried.
        """
        try:
            async with asyncio.timeout_at(connect_at):
                return await self._dial_any(url, await self._addresses(url.host), make, connect_at)
        except TimeoutError:
            raise UpstreamTimeout("connect") from None

    async def _addresses(self, host: str) -> list[str]:
        addresses = list(await self._resolve(host))[:_ADDRESSES_MAX]
        if not addresses:
            raise UpstreamConnectError("resolve", "no address")
        for address in addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise UpstreamConnectError("resolve", "the resolver gave no IP address") from None
        return addresses

    async def _dial_any(
        self, url: ParsedUrl, addresses: list[str], make: Callable[[], Connection], connect_at: float
    ) -> Connection:
        failure = UpstreamConnectError("resolve", "no address")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            now = asyncio.get_running_loop().time()
            share_at = None if left == 1 else now + (connect_at - now) / left
            try:
                async with asyncio.timeout_at(share_at):
                    return await self._dial_one(url, address, make())
            except TimeoutError:
                failure = UpstreamConnectError("unreachable", "no answer in its share of the time")
            except UpstreamConnectError as error:
                failure = error
        raise failure

    async def _dial_one(self, url: ParsedUrl, address: str, connection: Connection) -> Connection:
        is_tls = url.scheme == "https"
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: connection,
                address,
                url.port,
                ssl=self.tls if is_tls else None,
                server_hostname=url.host if is_tls else None,
            )
        except ssl.SSLError as error:
            self.tls.forget(url.host)
            raise _tls_failure(error) from None
        except OSError as error:
            raise UpstreamConnectError("unreachable", error.strerror or type(error).__name__) from None
        except BaseException:
            connection.cut()
            raise
        return connection


def _tls_failure(error: ssl.SSLError) -> UpstreamConnectError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return UpstreamConnectError("certificate", error.verify_message)
    return UpstreamConnectError("tls", error.reason or "handshake failed")
