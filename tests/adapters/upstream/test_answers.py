"""How answers are read: framing, interim answers, limits, and everything that is not HTTP."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.answer import INTERIM_MAX, AnswerLimits
from application.upstream import UpstreamAnswerTooLarge, UpstreamClosed, UpstreamError, UpstreamProtocolError

if TYPE_CHECKING:
    from tests.adapters.upstream.conftest import Kit, Peer, Run

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


async def ask_raw(
    kit: "Kit", answer: bytes, *, method: bytes = b"POST", pieces: bool = False
) -> tuple[int, bytes, int]:
    """Send two requests to an upstream that answers `answer`, then ends the connection; then cleanly on a new one.

    Gives status and body of the first, and how many connections the two requests took.
    """

    async def script(peer: "Peer") -> None:
        await peer.request()
        if peer.number == 0:
            for piece in [answer[i : i + 1] for i in range(len(answer))] if pieces else [answer]:
                await peer.send(piece)
                await asyncio.sleep(0)
            if b"Connection: close" in answer or b"unframed" in answer:
                return
        else:
            await peer.answer()
        while True:
            await peer.request()
            await peer.answer()

    async with kit.serve(script) as server, kit.client() as client:
        response = await client.send(
            server.request(method=method), connect_s=kit.wait_s, first_byte_s=kit.wait_s
        )
        body = await response.read(1 << 20, idle_s=kit.wait_s)
        assert response.at_end
        assert await kit.ask(client, server) == b"ok"
        return response.status, body, server.connections


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    ("answer", "status", "body", "connections"),
    [
        (OK + b"content-length: 2\r\n\r\nhi", 200, b"hi", 1),
        (OK + b"content-length: 0\r\n\r\n", 200, b"", 1),
        (CHUNKED + b"2\r\nhi\r\n3;ext=1\r\n yo\r\n0\r\n\r\n", 200, b"hi yo", 1),
        (CHUNKED + b"2\r\nhi\r\n0\r\nx-trailer: 1\r\ntransfer: 9\r\n\r\n", 200, b"hi", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", 1),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, b"", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 2\r\n\r\nhi", 200, b"hi", 1),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\ncontent-length: 7\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
            + OK
            + b"content-length: 2\r\n\r\nhi",
            200,
            b"hi",
            1,
        ),
        (OK + b"Connection: close\r\n\r\nuntil the end", 200, b"until the end", 2),
        (OK + b"Connection: close\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi", 2),
        (OK + b"\r\nunframed", 200, b"unframed", 2),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi", 2),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi", 1),
        (
            b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nhi",
            307,
            b"hi",
            1,
        ),
        (b"HTTP/1.1 599\r\ncontent-length: 2\r\n\r\nhi", 599, b"hi", 1),
    ],
)
def test_answers_are_read_to_their_end_and_not_further(
    kit: "Kit", run: "Run", *, answer: bytes, status: int, body: bytes, connections: int, pieces: bool
) -> None:
    """Every framing gives its exact body, in one piece or byte by byte; kept alive only if both sides agree on the end."""

    async def main() -> None:
        assert await ask_raw(kit, answer, pieces=pieces) == (status, body, connections)

    run(main())


@pytest.mark.parametrize(
    "tail", [b"content-length: 2\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n", b"\r\n"]
)
def test_an_answer_to_head_has_no_body(kit: "Kit", run: "Run", tail: bytes) -> None:
    """Whatever length it announces; the connection is then not used again."""

    async def main() -> None:
        assert await ask_raw(kit, OK + tail, method=b"HEAD") == (200, b"", 2)

    run(main())


@pytest.mark.parametrize(
    "excess",
    [
        b"X",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\x00",
        b"H",
    ],
)
@pytest.mark.parametrize(
    "framing", [b"content-length: 2\r\n\r\nhi", b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]
)
def test_bytes_after_the_end_end_the_connection(
    kit: "Kit", run: "Run", framing: bytes, excess: bytes
) -> None:
    """They change nothing of this answer, and can never become the answer to the next request."""

    async def main() -> None:
        assert await ask_raw(kit, OK + framing + excess) == (200, b"hi", 2)

    run(main())


def test_late_bytes_after_the_end_end_the_connection(kit: "Kit", run: "Run") -> None:
    """Also when they come while the connection is idle."""

    async def main() -> None:
        late = asyncio.Event()

        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.answer(b"%d" % peer.number)
            await late.wait()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            assert await kit.ask(client, server) == b"0"
            late.set()
            await kit.until(lambda: next(iter(client.counts().values())).open == 0)
            assert await kit.ask(client, server) == b"1"

    run(main())


BAD_HEADS = {
    "garbage": b"SSH-2.0-OpenSSH_9.9\r\n",
    "tls alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "bare LF": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
    "no such version": b"HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "long status": b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n",
    "status 0": b"HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 OK\r\ncontent-length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n",
    "folded header": OK + b"x: 1\r\n 2\r\ncontent-length: 0\r\n\r\n",
    "NUL in a header": OK + b"x: a\x00b\r\ncontent-length: 0\r\n\r\n",
    "space before the colon": OK + b"content-length : 0\r\n\r\n",
    "no name": OK + b": 1\r\n\r\n",
    "both framings": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
    "both framings, other order": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi",
    "two lengths in one": OK + b"content-length: 2, 2\r\n\r\nhi",
    "signed length": OK + b"content-length: +2\r\n\r\nhi",
    "empty length": OK + b"content-length: \r\n\r\n",
    "enormous length": OK + b"content-length: 99999999999999999999999\r\n\r\n",
    "other coding": OK + b"transfer-encoding: gzip\r\n\r\nhi",
    "coded and chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "chunked not last": OK + b"transfer-encoding: chunked, gzip\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "chunked twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "changes protocols": b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 S\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
    "endless interim answers": b"HTTP/1.1 100 C\r\n\r\n" * (INTERIM_MAX + 1)
    + OK
    + b"content-length: 0\r\n\r\n",
    "too many headers": OK + b"x: y\r\n" * 257 + b"content-length: 0\r\n\r\n",
    "too many interim headers": b"HTTP/1.1 103 E\r\n"
    + b"x: y\r\n" * 257
    + b"\r\n"
    + OK
    + b"content-length: 0\r\n\r\n",
    "one long header": OK + b"x: " + b"y" * 16 * 1024 + b"\r\ncontent-length: 0\r\n\r\n",
    "one long name": OK + b"x" * 16 * 1024 + b": y\r\ncontent-length: 0\r\n\r\n",
    "endless header": OK + b"x: " + b"y" * 512 * 1024,
    "endless headers": OK + b"x: y\r\n" * 64 * 1024,
    "endless reason": b"HTTP/1.1 200 " + b"y" * 512 * 1024,
}

BAD_BODIES = {
    "no hex": b"zz\r\nhi\r\n0\r\n\r\n",
    "negative": b"-2\r\nhi\r\n0\r\n\r\n",
    "enormous": b"fffffffffffffffff\r\nhi\r\n0\r\n\r\n",
    "longer than stated": b"2\r\nhiX\r\n0\r\n\r\n",
    "bare LF": b"2\nhi\n0\n\n",
    "length in a trailer": b"2\r\nhi\r\n0\r\ncontent-length: 9\r\n\r\n",
    "endless trailers": b"2\r\nhi\r\n0\r\n" + b"x: y\r\n" * 300 + b"\r\n",
    "one long trailer": b"2\r\nhi\r\n0\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
}


async def fails(kit: "Kit", answer: bytes, kind: type[UpstreamError], *, ends: str = "stay") -> None:
    """`answer` makes a request fail as `kind`; the connection is cut, and the next request is served on a new one."""

    async def script(peer: "Peer") -> None:
        await peer.request()
        if peer.number > 0:
            await peer.answer()
            return
        await peer.send(answer)
        if ends == "reset":
            peer.reset()
        elif ends == "stay":
            await peer.gone()

    async with kit.serve(script) as server, kit.client() as client:
        with pytest.raises(kind) as caught:
            await kit.ask(client, server)
        assert type(caught.value) is kind
        assert b"y" * 9 not in str(caught.value).encode()
        assert next(iter(client.counts().values())).open == 0
        assert await kit.ask(client, server) == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("case", BAD_HEADS)
def test_a_head_that_is_not_http_is_refused(kit: "Kit", run: "Run", case: str) -> None:
    """At once, without waiting for more; and what makes parsers disagree is not repaired."""
    run(fails(kit, BAD_HEADS[case], UpstreamProtocolError))


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_with_bad_chunks_is_refused(kit: "Kit", run: "Run", case: str) -> None:
    """It is never taken for complete."""
    run(fails(kit, CHUNKED + BAD_BODIES[case], UpstreamProtocolError))


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 3\r\n\r\nhi",
        OK + b"content-length: 3\r\n\r\n",
        CHUNKED + b"2\r\nhi\r\n",
        CHUNKED + b"5\r\nhi",
        CHUNKED + b"2\r\nhi\r\n0\r\n",
        CHUNKED,
    ],
)
@pytest.mark.parametrize("ends", ["close", "reset"])
def test_a_body_that_is_cut_is_never_complete(kit: "Kit", run: "Run", answer: bytes, ends: str) -> None:
    """Shorter than its length or without the last chunk: an error, by FIN as by RST."""
    run(fails(kit, answer, UpstreamProtocolError if ends == "close" else UpstreamClosed, ends=ends))


def test_a_reset_does_not_end_a_body_of_unstated_length(kit: "Kit", run: "Run") -> None:
    """Only an orderly end does; a broken connection is not one."""
    run(fails(kit, OK + b"\r\nhalf of it", UpstreamClosed, ends="reset"))


@pytest.mark.parametrize("answer", [b"H", b"HTTP/1.1 200 OK\r\nx: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("ends", ["close", "reset"])
def test_a_cut_head_is_a_lost_connection(kit: "Kit", run: "Run", answer: bytes, ends: str) -> None:
    """The upstream may have worked: the error says so, and nothing is sent again."""
    run(fails(kit, answer, UpstreamClosed, ends=ends))


def test_what_came_before_a_fault_is_handed_out_first(kit: "Kit", run: "Run") -> None:
    """A stream that breaks is delivered up to the break, then fails, and stays failed."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED + b"5\r\nfirst\r\nbroken")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert await response.receive(idle_s=kit.wait_s) == b"first"
            assert not response.at_end
            with pytest.raises(UpstreamProtocolError):
                await response.receive(idle_s=kit.wait_s)
            with pytest.raises(UpstreamClosed):
                await response.receive(idle_s=kit.wait_s)

    run(main())


def test_header_names_are_lower_case_and_values_trimmed(kit: "Kit", run: "Run") -> None:
    """Order and repetitions stay; headers of interim answers and trailers are not among them."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(
                b"HTTP/1.1 103 E\r\nx-early: 1\r\n\r\n" + OK + b"X-A:  1 \t\r\nx-a: \xff\r\nEmpty:\r\n"
                b"Transfer-Encoding: Chunked\r\n\r\n0\r\nx-late: 1\r\n\r\n"
            )
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert await response.read(0, idle_s=kit.wait_s) == b""
            assert response.headers == [
                (b"x-a", b"1"),
                (b"x-a", b"\xff"),
                (b"empty", b""),
                (b"transfer-encoding", b"Chunked"),
            ]

    run(main())


def test_limits_are_settable(kit: "Kit", run: "Run") -> None:
    """The limits are those that the client was given."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            while True:
                await peer.request()
                await peer.answer(extra=b"a: 1\r\nb: 2\r\n")

        async with kit.serve(script) as server:
            async with kit.client(answer_limits=AnswerLimits(headers_max=3)) as client:
                assert await kit.ask(client, server) == b"ok"
            async with kit.client(answer_limits=AnswerLimits(headers_max=2)) as client:
                with pytest.raises(UpstreamProtocolError):
                    await kit.ask(client, server)

    run(main())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_above_the_callers_limit_is_not_read_on(kit: "Kit", run: "Run", framing: str) -> None:
    """The limit itself is allowed; one byte more is refused, also if the upstream would never stop."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            while framing == "length":
                await peer.answer(b"x" * 100_001)
                await peer.request()
            await peer.send(CHUNKED)
            while True:
                await peer.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")

        async with kit.serve(script) as server, kit.client() as client:
            if framing == "length":
                response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                assert len(await response.read(100_001, idle_s=kit.wait_s)) == 100_001
                await kit.until(lambda: next(iter(client.counts().values())).idle == 1)
            for limit in (0, 100_000):
                response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
                with pytest.raises(UpstreamAnswerTooLarge):
                    await response.read(limit, idle_s=kit.wait_s)

    run(main())


def test_the_body_comes_as_one_piece_when_it_came_with_the_head(kit: "Kit", run: "Run") -> None:
    """A short answer needs no further turn of the loop, and chunks that came together are handed out together."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            while True:
                await peer.request()
                await peer.send(CHUNKED + b"2\r\nab\r\n" * 50 + b"0\r\n\r\n")

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            step = response.receive(idle_s=kit.wait_s)
            with pytest.raises(StopIteration) as finished:
                step.send(None)
            assert finished.value.value == b"ab" * 50
            assert response.at_end
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            whole = response.read(1000, idle_s=kit.wait_s)
            with pytest.raises(StopIteration) as finished:
                whole.send(None)
            assert finished.value.value == b"ab" * 50

    run(main())


def test_a_body_can_be_iterated(kit: "Kit", run: "Run") -> None:
    """Pieces come as they arrive, until the end."""

    async def main() -> None:
        async def script(peer: "Peer") -> None:
            await peer.request()
            await peer.send(CHUNKED)
            for _ in range(3):
                await peer.send(b"2\r\nab\r\n")
                await asyncio.sleep(0)
            await peer.send(b"0\r\n\r\n")
            await peer.gone()

        async with kit.serve(script) as server, kit.client() as client:
            response = await client.send(server.request(), connect_s=kit.wait_s, first_byte_s=kit.wait_s)
            assert b"".join([piece async for piece in response.aiter_raw(idle_s=kit.wait_s)]) == b"ababab"
            assert response.at_end
            assert await response.receive(idle_s=kit.wait_s) == b""

    run(main())
