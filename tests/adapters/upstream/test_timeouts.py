"""Every wait has an end, and the exception says which."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.dial import resolve_by_system
from application.upstream import UpstreamConnectError, UpstreamTimeout

if TYPE_CHECKING:
    from adapters.upstream.client import UpstreamClient
    from tests.adapters.upstream.conftest import Kit, Peer, Run

SHORT_S = 0.05
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def open_connections(client: "UpstreamClient") -> int:
    return sum(counts.open for counts in client.counts().values())


def test_a_name_look_up_that_hangs_is_a_connect_timeout(kit: "Kit", run: "Run") -> None:
    """Nothing was sent, and the slot is free again."""

    async def main() -> None:
        async def hang(host: str) -> list[str]:
            await asyncio.Event().wait()
            return [host]

        async def script(peer: "Peer") -> None:
            raise AssertionError("connected")

        async with kit.serve(script) as server, kit.client(resolve=hang) as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(server.request(), connect_s=SHORT_S, first_byte_s=kit.wait_s)
            assert (caught.value.phase, caught.value.may_have_run) == ("connect", False)
            assert open_connections(client) == 0

    run(main())


def test_a_tls_handshake_that_hangs_is_a_connect_timeout(kit: "Kit", run: "Run") -> None:
    """The socket is closed, not left to the operating system."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, kit.client() as client:
            request = server.request()
            url = type(request.url)(scheme="https", host="localhost", port=server.port, target=b"/")
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(
                    type(request)(method=b"GET", url=url, headers=[]),
                    connect_s=SHORT_S,
                    first_byte_s=kit.wait_s,
                )
            assert caught.value.phase == "connect"
            await asyncio.wait_for(left.wait(), kit.wait_s)
            assert open_connections(client) == 0

    run(main())


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_does_not_come_is_a_first_byte_timeout(kit: "Kit", run: "Run", sent: bytes) -> None:
    """A part of a head, or an interim answer, does not win time."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(sent)
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=SHORT_S)
            assert (caught.value.phase, caught.value.may_have_run) == ("first_byte", True)
            await asyncio.wait_for(left.wait(), kit.wait_s)
            assert open_connections(client) == 0

    run(main())


def test_a_head_that_drips_does_not_win_time(kit: "Kit", run: "Run") -> None:
    """One byte now and then is still no head."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\nx: ")
            while True:
                await peer.send(b"y")
                await asyncio.sleep(0.005)

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=SHORT_S)
            assert caught.value.phase == "first_byte"

    run(main())


def test_an_upstream_that_does_not_read_is_a_first_byte_timeout(kit: "Kit", run: "Run") -> None:
    """A large body that nobody takes does not wait for ever."""

    async def main() -> None:
        stop = asyncio.Event()

        async def script(peer: "Peer") -> None:
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a full transport
            await stop.wait()

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.send(
                    server.request(b"x" * 32 * 1024 * 1024), connect_s=kit.wait_s, first_byte_s=SHORT_S
                )
            assert caught.value.phase == "first_byte"
            assert open_connections(client) == 0
            stop.set()

    run(main())


@pytest.mark.parametrize("part", [b"", b"2\r\n", b"2\r\nhi\r\n"])
def test_silence_within_a_body_is_an_idle_timeout(kit: "Kit", run: "Run", part: bytes) -> None:
    """What came before it was handed out; the connection is cut, so that the upstream can stop."""

    async def main() -> None:
        left = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED + part)
            await peer.gone()
            left.set()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            if b"hi" in part:
                assert await response.receive(idle_s=kit.wait_s) == b"hi"
            with pytest.raises(UpstreamTimeout) as caught:
                await response.receive(idle_s=SHORT_S)
            assert (caught.value.phase, caught.value.may_have_run) == ("idle", True)
            await asyncio.wait_for(left.wait(), kit.wait_s)
            assert open_connections(client) == 0

    run(main())


def test_framing_without_content_is_silence(kit: "Kit", run: "Run") -> None:
    """Chunk extensions that never end bring no content, so they do not win time."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED + b"2;")
            while True:
                await peer.send(b"x")
                await asyncio.sleep(0.005)

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            with pytest.raises(UpstreamTimeout) as caught:
                await response.read(100, idle_s=SHORT_S)
            assert caught.value.phase == "idle"

    run(main())


def test_a_stream_that_goes_on_is_not_idle(kit: "Kit", run: "Run") -> None:
    """Each piece begins the wait anew: many short silences are no long one."""

    async def main() -> None:
        next_piece = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED)
            for _ in range(5):
                await next_piece.wait()
                next_piece.clear()
                await peer.send(b"2\r\nhi\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            idle_s = 1.0
            begun = asyncio.get_running_loop().time()
            for _ in range(5):
                asyncio.get_running_loop().call_later(idle_s / 4, next_piece.set)
                assert await response.receive(idle_s=idle_s) == b"hi"
            assert asyncio.get_running_loop().time() - begun > idle_s
            await response.aclose()

    run(main())


def test_pings_do_not_end_a_silence(kit: "Kit", run: "Run") -> None:
    """`None` after each `ping_s` lets the caller keep its own client alive; the idle limit goes on counting."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED + b"2\r\nhi\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert await response.receive(idle_s=kit.wait_s, ping_s=SHORT_S) == b"hi"
            pings = 0

            async def wait_on() -> None:
                nonlocal pings
                while await response.receive(idle_s=0.5, ping_s=SHORT_S) is None:
                    pings += 1

            with pytest.raises(UpstreamTimeout) as caught:
                await wait_on()
            assert caught.value.phase == "idle"
            assert pings >= 1

    run(main())


def test_data_after_a_ping_is_not_lost(kit: "Kit", run: "Run") -> None:
    """A ping is a pause in waiting, nothing else."""

    async def main() -> None:
        go = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED)
            await go.wait()
            await peer.send(b"2\r\nhi\r\n0\r\n\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert await response.receive(idle_s=kit.wait_s, ping_s=SHORT_S) is None
            go.set()
            assert await response.read(10, idle_s=kit.wait_s) == b"hi"

    run(main())


@pytest.mark.parametrize("stage", ["head", "silent body", "endless body"])
def test_the_total_limit_ends_everything(kit: "Kit", run: "Run", stage: str) -> None:
    """From the call of `send` on, also against an upstream that never stops sending."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            if stage == "head":
                await peer.gone()
            await peer.send(CHUNKED)
            while stage == "endless body":
                await peer.send(b"2\r\nhi\r\n")
                await asyncio.sleep(0)
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:

            async def ask() -> None:
                response = await client.send(
                    server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s, total_s=0.2
                )
                while await response.receive(idle_s=kit.wait_s):
                    pass

            with pytest.raises(UpstreamTimeout) as caught:
                await ask()
            assert (caught.value.phase, caught.value.may_have_run) == ("total", True)
            assert open_connections(client) == 0

    run(main())


def test_a_kept_connection_forgets_earlier_limits(kit: "Kit", run: "Run") -> None:
    """A timer left over from an exchange, shorter or longer, neither ends nor prolongs a later one."""

    async def main() -> None:
        release = asyncio.Event()

        async def script(peer: "Peer") -> None:
            for _ in range(2):
                await peer.request()
                await peer.answer()
            await peer.request()
            await release.wait()
            await peer.answer()
            await peer.request()
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            for first_byte_s in (0.2, kit.wait_s):
                response = await client.send(
                    server.request(), connect_s=kit.wait_s, first_byte_s=first_byte_s
                )
                await response.aclose()
            slow = asyncio.create_task(kit.ask(client, server))
            asyncio.get_running_loop().call_later(0.4, release.set)
            assert await slow == b"ok"
            with pytest.raises(UpstreamTimeout):
                await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=SHORT_S)
            assert server.connections == 1

    run(main())


def test_an_unreachable_address_does_not_use_up_the_time_of_the_next(kit: "Kit", run: "Run") -> None:
    """Addresses are tried in turn, each with its share of the time."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer()

        async def two(host: str) -> list[str]:
            return ["127.0.0.2", "127.0.0.1"]

        async with kit.serve(script) as server, kit.client(resolve=two) as client:
            assert (
                await kit.ask(client, server) == b"ok"
            )  # 127.0.0.2 refuses: the server listens on 127.0.0.1 only.

    run(main())


def test_a_resolver_decides_where_we_connect(kit: "Kit", run: "Run") -> None:
    """Every host passes through it, addresses too; its refusal stands, and what is no address is not looked up again."""

    async def main() -> None:
        asked: list[str] = []
        answers: dict[str, list[str]] = {"empty": [], "name": ["localhost"], "url": ["127.0.0.1:80"]}

        async def resolve(host: str) -> list[str]:
            asked.append(host)
            if host == "refused":
                raise UpstreamConnectError("address", "not allowed")
            return answers.get(host, [host])

        async def script(peer: "Peer") -> None:
            head, _ = await peer.request()
            await peer.answer(head)

        async with kit.serve(script) as server, kit.client(resolve=resolve) as client:
            request = server.request()

            async def ask(host: str) -> bytes:
                url = type(request.url)(scheme="http", host=host, port=server.port, target=b"/")
                response = await client.send(
                    type(request)(method=b"GET", url=url, headers=[]),
                    connect_s=kit.wait_s,
                    first_byte_s=kit.wait_s,
                )
                return await response.read(1000, idle_s=kit.wait_s)

            for host, reason in (
                ("refused", "address"),
                ("empty", "resolve"),
                ("name", "resolve"),
                ("url", "resolve"),
            ):
                with pytest.raises(UpstreamConnectError) as caught:
                    await ask(host)
                assert caught.value.reason == reason
            assert server.connections == 0
            assert b"host: 127.0.0.1:%d" % server.port in await ask("127.0.0.1")
            answers["api.example"] = ["127.0.0.1"]
            assert b"host: api.example:%d" % server.port in await ask("api.example")
            assert asked == ["refused", "empty", "name", "url", "127.0.0.1", "api.example"]

    run(main())


def test_the_system_resolver_knows_addresses_and_refuses_nonsense(run: "Run") -> None:
    """Numeric hosts in odd notations come out as the address they are, for a check to see."""

    async def main() -> None:
        assert await resolve_by_system("127.0.0.1") == ["127.0.0.1"]
        assert await resolve_by_system("::1") == ["::1"]
        assert await resolve_by_system("0x7f000001") == ["127.0.0.1"]
        with pytest.raises(UpstreamConnectError):
            await resolve_by_system("name.invalid")
        with pytest.raises(UpstreamConnectError):
            await resolve_by_system("a" * 64 + ".invalid")

    run(main())
