"""Forms on their way in: whole or refused, and in either case nothing of them is kept."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncGenerator

import pytest

from adapters.spool import TemporarySpools
from application.gateway.client import BodyTooLarge, BodyTooSlow, ClientGone
from application.gateway.receiving import Uploads
from application.gateway.refused import Refused
from application.speech.upload import FormBody
from tests.application.gateway.exchange_world import FakeClient

MIB = 1024 * 1024
TYPE = b"multipart/form-data; boundary=b"
START = (
    b'--b\r\nContent-Disposition: form-data; name="response_format"\r\n\r\ntext\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
)
END = b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmine\r\n--b--\r\n'
PIECE = bytes(range(256)) * 256


class Sender(FakeClient):
    """Sends pieces; an exception among them is raised instead."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        super().__init__()
        self._pieces = pieces

    async def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def test_a_form_goes_on_with_the_model_of_the_deployment() -> None:
    """As often as it is asked for, in the length that was announced, every other byte as it was."""

    async def main() -> None:
        spools = TemporarySpools(bytes_max=MIB, memory_bytes=1_000)
        uploads = Uploads(spools, bytes_max=MIB)
        async with uploads.received(Sender(START, PIECE, END), TYPE) as upload:
            body = FormBody(upload, model="another-one", values={"response_format": "verbose", "none": "x"})
            for _ in range(2):
                sent = b"".join([piece async for piece in body.pieces()])
                assert len(sent) == body.size_bytes
                whole = (START + PIECE + END).replace(b"mine", b"another-one")
                assert sent == whole.replace(b"text", b"verbose")
            assert upload.content_type == b'multipart/form-data; boundary="b"'
        assert spools.held_bytes == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((START, PIECE), "invalid_multipart"),
        ((b"x" * 100,), "invalid_multipart"),
        ((START, PIECE, BodyTooLarge()), "request_too_large"),
        ((START, BodyTooSlow()), "request_timeout"),
        ((START, *[PIECE] * 40, END), "uploads_full"),
    ],
    ids=["cut", "none", "too large", "too slow", "no room"],
)
def test_what_is_not_a_whole_form_is_refused_and_forgotten(
    pieces: tuple[bytes | Exception, ...], code: str
) -> None:
    """With the code that says what was wrong."""

    async def main() -> None:
        spools = TemporarySpools(bytes_max=2 * MIB)
        with pytest.raises(Refused) as refusal:
            async with Uploads(spools, bytes_max=MIB).received(Sender(*pieces), TYPE):
                raise AssertionError
        assert refusal.value.code == code
        assert spools.held_bytes == 0

    asyncio.run(main())


def test_a_client_that_leaves_takes_its_form_along() -> None:
    """Nothing is kept."""

    async def main() -> None:
        spools = TemporarySpools(bytes_max=2 * MIB)
        with pytest.raises(ClientGone):
            async with Uploads(spools, bytes_max=MIB).received(Sender(START, PIECE, ClientGone()), TYPE):
                raise AssertionError
        assert spools.held_bytes == 0

    asyncio.run(main())


def test_64_mib_are_received_and_sent_twice_in_8_mib() -> None:
    """The scanners hold a boundary, the spool its threshold, the sender a piece: 3.5 MiB; other threads are counted too."""

    async def main() -> None:
        pieces = 64 * MIB // len(PIECE)
        spools = TemporarySpools(bytes_max=65 * MIB)
        tracemalloc.start()
        sender = Sender(START, *[PIECE] * pieces, END)
        async with Uploads(spools, bytes_max=65 * MIB).received(sender, TYPE) as upload:
            body = FormBody(upload, model="another-one")
            digests = []
            for _ in range(2):
                digest, size_bytes = hashlib.sha256(), 0
                async for piece in body.pieces():
                    digest.update(piece)
                    size_bytes += len(piece)
                assert size_bytes == body.size_bytes > 64 * MIB
                digests.append(digest.digest())
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert digests[0] == digests[1]
        assert peak_bytes < 8 * MIB, peak_bytes

    asyncio.run(main())
