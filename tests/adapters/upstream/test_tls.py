"""TLS: who is believed, which name is asked for, resumed sessions, and cuts that only TLS can tell from ends."""

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from adapters.upstream.tls import ResumingContext, make_tls_context
from application.upstream import UpstreamClosed, UpstreamConnectError, UpstreamRequest, parse_url

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.upstream.client import UpstreamClient
    from tests.adapters.upstream.conftest import Kit, Peer, Run


async def serve_one(peer: "Peer") -> None:
    """One answer for each connection: what the TLS layer of the upstream saw."""
    head, _ = await peer.request()
    tls = peer.writer.get_extra_info("ssl_object")
    host = next(line for line in head.split(b"\r\n") if line.startswith(b"host: "))
    facts = b"%s %d %s" % (host, tls.session_reused, str(tls.selected_alpn_protocol()).encode())
    await peer.answer(facts, extra=b"connection: close\r\n")


async def ask(client: "UpstreamClient", url: str, wait_s: float) -> bytes:
    request = UpstreamRequest(method=b"GET", url=parse_url(url), headers=[])
    response = await client.send(request, connect_s=wait_s, first_byte_s=wait_s)
    return await response.read(1000, idle_s=wait_s)


def test_the_name_is_asked_for_and_checked_while_the_address_is_connected_to(kit: "Kit", run: "Run") -> None:
    """SNI, certificate and Host are the name, whatever the resolver gave; HTTP/1.1 is agreed on."""

    async def main() -> None:
        names: list[str | None] = []
        tls = kit.server_tls("api.example")
        tls.set_alpn_protocols(["h2", "http/1.1"])
        tls.sni_callback = lambda _tls, name, _context: names.append(name)
        async with kit.serve(serve_one, tls=tls) as server, kit.client() as client:
            body = await ask(client, f"https://api.example:{server.port}/", kit.wait_s)
            assert body == b"host: api.example:%d 0 http/1.1" % server.port
            assert names == ["api.example"]

    run(main())


def test_an_address_as_host_needs_a_certificate_for_it(kit: "Kit", run: "Run") -> None:
    """An IP address in the URL is checked like a name."""

    async def main() -> None:
        async with kit.client() as client:
            async with kit.serve(serve_one, tls=kit.server_tls("127.0.0.1")) as server:
                assert b"127.0.0.1" in await ask(client, f"https://127.0.0.1:{server.port}/", kit.wait_s)
            async with kit.serve(serve_one, tls=kit.server_tls("localhost")) as server:
                with pytest.raises(UpstreamConnectError):
                    await ask(client, f"https://127.0.0.1:{server.port}/", kit.wait_s)

    run(main())


@pytest.mark.parametrize("case", ["other name", "unknown authority", "expired"])
def test_a_bad_certificate_is_a_connect_error(kit: "Kit", run: "Run", case: str) -> None:
    """Not one byte of the request is sent, and the slot is free again."""

    async def main() -> None:
        got: list[bytes] = []

        async def script(peer: "Peer") -> None:
            got.append(await peer.reader.read(100))

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if case == "other name":
            tls = kit.server_tls("other.example")
        elif case == "unknown authority":
            trustme.CA().issue_cert("localhost").configure_cert(tls)
        else:
            kit.authority.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(
                tls
            )
        async with kit.serve(script, tls=tls) as server, kit.client() as client:
            with pytest.raises(UpstreamConnectError) as caught:
                await kit.ask(client, server)
            assert (caught.value.reason, caught.value.may_have_run) == ("certificate", False)
            assert next(iter(client.counts().values())).open == 0
            assert b"".join(got) == b""

    run(main())


def test_an_upstream_without_tls_is_a_connect_error(kit: "Kit", run: "Run") -> None:
    """An http port asked by https."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

        async with kit.serve(script) as server, kit.client() as client:
            with pytest.raises(UpstreamConnectError) as caught:
                await ask(client, f"https://localhost:{server.port}/", kit.wait_s)
            assert caught.value.reason in {"tls", "unreachable"}

    run(main())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_for_the_same_name_only(kit: "Kit", run: "Run", version: ssl.TLSVersion) -> None:
    """A second connection needs no second full handshake; another name of the same server does."""

    async def main() -> None:
        tls = kit.server_tls("a.example", "b.example")
        tls.minimum_version = tls.maximum_version = version
        async with kit.serve(serve_one, tls=tls) as server, kit.client() as client:
            reused = [
                (await ask(client, f"https://{host}.example:{server.port}/", kit.wait_s)).split()[2]
                for host in ("a", "a", "b", "b", "a")
            ]
            assert reused == [b"0", b"1", b"0", b"1", b"1"]

    run(main())


def test_a_resumed_session_does_not_stand_in_for_a_certificate(kit: "Kit", run: "Run") -> None:
    """Another server under the same name is checked in full, and its failure makes us forget the session."""

    async def main() -> None:
        bad = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("a.example").configure_cert(bad)
        async with (
            kit.client() as client,
            kit.serve(serve_one, tls=kit.server_tls("a.example")) as server,
            kit.serve(serve_one, tls=bad) as impostor,
        ):
            assert b" 0 " in await ask(client, f"https://a.example:{server.port}/", kit.wait_s)
            with pytest.raises(UpstreamConnectError):
                await ask(client, f"https://a.example:{impostor.port}/", kit.wait_s)
            assert b" 0 " in await ask(client, f"https://a.example:{server.port}/", kit.wait_s)
            assert b" 1 " in await ask(client, f"https://a.example:{server.port}/", kit.wait_s)

    run(main())


def test_remembered_sessions_are_bounded() -> None:
    """The oldest is forgotten; the one used last stays."""
    context = ResumingContext()
    session = object()
    for number in range(2000):
        context.remember(f"h{number}", session)  # type: ignore[arg-type]  # it is only kept
    assert len(context._sessions) == 1024
    assert "h1999" in context._sessions
    assert "h0" not in context._sessions


@pytest.mark.parametrize("ends", ["alert", "cut"])
def test_only_a_closing_alert_ends_a_body_of_unstated_length(
    kit: "Kit", run_uvloop: "Run", ends: str
) -> None:
    """Who cuts the TCP connection could cut any answer short; that is not taken for its end (on uvloop)."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            if ends == "cut":
                peer.writer.transport.abort()

        async with kit.serve(script, tls=kit.server_tls()) as server, kit.client() as client:
            if ends == "alert":
                assert await kit.ask(client, server) == b"all of it"
            else:
                with pytest.raises(UpstreamClosed):
                    await kit.ask(client, server)

    run_uvloop(main())


def test_a_stale_tls_connection_is_retried(kit: "Kit", run: "Run") -> None:
    """As without TLS."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"%d" % peer.number)
            await peer.request()

        async with kit.serve(script, tls=kit.server_tls()) as server, kit.client() as client:
            assert [await kit.ask(client, server) for _ in range(3)] == [b"0", b"1", b"2"]

    run(main())


def test_a_large_request_and_answer_pass_over_tls(kit: "Kit", run: "Run") -> None:
    """Flow control in both directions, and every byte in its place."""

    async def main() -> None:
        body = bytes(range(251)) * 20_000

        async def script(peer: "Peer") -> None:
            while True:
                _, received = await peer.request()
                await peer.answer(received)

        async with kit.serve(script, tls=kit.server_tls()) as server, kit.client() as client:
            for _ in range(2):
                response = await client.send(
                    server.request(body), connect_s=kit.wait_s, first_byte_s=kit.wait_s
                )
                assert await response.read(len(body), idle_s=kit.wait_s) == body
            assert server.connections == 1

    run(main())


def test_only_the_given_authorities_are_trusted(kit: "Kit", run: "Run", tmp_path: "Path") -> None:
    """A file of authorities replaces the system's; without it, ours is unknown."""

    async def main() -> None:
        kit.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        async with kit.serve(serve_one, tls=kit.server_tls()) as server:
            async with kit.client(tls=make_tls_context(ca_file=tmp_path / "ca.pem")) as client:
                assert await kit.ask(client, server)
            async with kit.client(tls=make_tls_context()) as client:
                with pytest.raises(UpstreamConnectError):
                    await kit.ask(client, server)

    run(main())
