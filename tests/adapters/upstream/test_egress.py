"""Where a connection may go is judged by the address that is connected to, for every connection, and by nothing else."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.dial import Resolve, resolve_by_system
from adapters.upstream.egress import checked
from application.upstream import ParsedUrl, UpstreamConnectError, UpstreamRequest
from domain.catalogue.addresses import NOTHING_PRIVATE, Allowlist

if TYPE_CHECKING:
    from tests.adapters.upstream.conftest import Kit, Peer, Run

HERE = Allowlist.parse("127.0.0.1")
INSIDE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "192.168.1.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "not an address",
    "",
]


def answering(*answers: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A resolver that gives these answers one after the other, the last for ever, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


def resolved(resolve: Resolve, host: str) -> list[str]:
    async def main() -> list[str]:
        return list(await resolve(host))

    return asyncio.run(main())


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Also the metadata services of clouds, and addresses that carry another one."""
    resolve, _ = answering([address])
    with pytest.raises(UpstreamConnectError) as refused:
        resolved(checked(resolve, NOTHING_PRIVATE), "api.example.com")
    assert refused.value.reason == "address_not_allowed"
    assert refused.value.may_have_run is False


def test_of_several_addresses_only_those_outside_are_left() -> None:
    """In their order; one bad one does not take the provider away, and is never tried."""
    resolve, _ = answering(["10.0.0.1", "8.8.8.8", "::1", "1.1.1.1"])
    assert resolved(checked(resolve, NOTHING_PRIVATE), "api.example.com") == ["8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "::ffff:127.0.0.1", "::1", "127.0.0.1", "localhost"],
)
def test_this_machine_is_refused_however_it_is_spelled(host: str) -> None:
    """The system's resolver reads them all; what is judged is what it makes of them."""
    with pytest.raises(UpstreamConnectError):
        resolved(checked(resolve_by_system, NOTHING_PRIVATE), host)


def test_an_allowlist_permits_a_host_or_a_network_and_no_more() -> None:
    """Who runs the server named them."""
    resolve, _ = answering(["10.1.2.3", "10.2.0.1"])
    assert resolved(checked(resolve, Allowlist.parse("10.1.0.0/16")), "a.example.com") == ["10.1.2.3"]
    assert len(resolved(checked(resolve, Allowlist.parse("llm.internal")), "llm.internal")) == 2
    with pytest.raises(UpstreamConnectError):
        resolved(checked(resolve, Allowlist.parse("llm.internal")), "b.example.com")


def test_an_unknown_name_is_not_called_forbidden() -> None:
    """Nothing was found, so nothing was refused: the dialer says so."""
    resolve, _ = answering([])
    assert resolved(checked(resolve, NOTHING_PRIVATE), "gone.example.com") == []


def test_what_may_not_be_connected_to_gets_no_connection(kit: "Kit", run: "Run") -> None:
    """Not even one that is closed at once."""

    async def script(_peer: "Peer") -> None:
        raise AssertionError("connected")

    async def main() -> None:
        resolve, _ = answering(["127.0.0.1"])
        async with (
            kit.serve(script) as server,
            kit.client(resolve=checked(resolve, NOTHING_PRIVATE)) as client,
        ):
            with pytest.raises(UpstreamConnectError):
                await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert server.connections == 0

    run(main())


def test_a_name_is_looked_up_once_a_connection_and_judged_each_time(kit: "Kit", run: "Run") -> None:
    """A name that moves inside between two connections is refused for the second; the first asked nobody twice."""
    hosts: list[bytes] = []

    async def script(peer: "Peer") -> None:
        head, _ = await peer.request()
        hosts.append(head)
        await peer.answer(extra=b"connection: close\r\n")

    async def main() -> None:
        resolve, asked = answering(["127.0.0.1"], ["127.0.0.2"])
        async with kit.serve(script) as server, kit.client(resolve=checked(resolve, HERE)) as client:
            url = ParsedUrl(scheme="http", host="api.example.com", port=server.port, target=b"/v1")
            request = UpstreamRequest(method=b"POST", url=url, headers=[], body=b"{}")
            first = await client.send(request, connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert await first.read(10, idle_s=kit.wait_s) == b"ok"
            assert asked == ["api.example.com"]
            with pytest.raises(UpstreamConnectError) as refused:
                await client.send(request, connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert refused.value.reason == "address_not_allowed"
            assert (len(asked), server.connections) == (2, 1)
            assert b"host: api.example.com:%d" % server.port in hosts[0].lower()

    run(main())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_a_way(kit: "Kit", run: "Run", status: int) -> None:
    """Its caller gets the status; nobody goes where it points to."""

    async def trap(_peer: "Peer") -> None:
        raise AssertionError("followed")

    async def main() -> None:
        async with kit.serve(trap) as inside:

            async def script(peer: "Peer") -> None:
                await peer.request()
                await peer.send(
                    b"HTTP/1.1 %d Moved\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n"
                    % (status, inside.port)
                )

            async with kit.serve(script) as server, kit.client() as client:
                response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                assert response.status == status
                assert await response.read(10, idle_s=kit.wait_s) == b""
            assert inside.connections == 0

    run(main())
