"""Receives forms: scanned and spooled piece by piece, so that memory does not grow with what is uploaded."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.multipart.scanner import boundary_of
from application.gateway.client import BodyTooLarge, BodyTooSlow, Client
from application.gateway.refused import Refused
from application.speech.upload import SpoolFull, Spools, Upload
from application.wire.errors import InvalidRequest


class Uploads:
    """What a process takes. `bytes_max` is of one form."""

    def __init__(self, spools: Spools, *, bytes_max: int) -> None:
        self._spools = spools
        self._bytes_max = bytes_max

    @asynccontextmanager
    async def received(self, client: Client, content_type: bytes) -> AsyncIterator[Upload]:
        """The whole form, kept until the end of the block.

        Raises:
            Refused: it is none, malformed, too large or too slow, or there is no room; the rest of it was not read.
            ClientGone: the client left before its end.
        """
        boundary = _boundary(content_type)
        form, spool = FormReader(boundary), self._spools.open()
        try:
            upload = Upload(boundary, form, spool)
            try:
                await self._receive(client, upload)
            except InvalidRequest as fault:
                raise Refused(fault.code, fault.message, param=fault.param) from None
            except BodyTooLarge:
                raise Refused(
                    "request_too_large", f"The form is larger than {self._bytes_max} bytes."
                ) from None
            except BodyTooSlow:
                raise Refused("request_timeout", "The form did not arrive in time.") from None
            except SpoolFull:
                raise Refused(
                    "uploads_full", "Too much is being uploaded at the moment.", retry_after_s=5
                ) from None
            yield upload
        finally:
            spool.close()

    async def _receive(self, client: Client, upload: Upload) -> None:
        async with aclosing(client.pieces(bytes_max=self._bytes_max)) as pieces:
            async for piece in pieces:
                upload.form.feed(piece)
                await upload.spool.write(piece)
        upload.form.finish()


def _boundary(content_type: bytes) -> bytes:
    try:
        return boundary_of(content_type.decode("latin-1"))
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None
