"""Forms with files: received once, kept outside of memory where they are large, sent as often as it takes.

A form must be known to its end before anything can be held for: its model and its other fields may follow the file. And
a body that streams by could not be sent to a second deployment. So a form is spooled, and read from there by each attempt
in small pieces, with the deployment's model put in on the way.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

import msgspec

from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.multipart.rewriter import FormRewriter, growth_bytes


class SpoolFull(Exception):
    """All uploads under way together have come to their limit; this one was given up."""


class Spool(Protocol):
    """Bytes on their way: in memory while they are few, in a file without a name beyond that."""

    async def write(self, piece: bytes) -> None:
        """Append.

        Raises:
            SpoolFull: there is no room for `piece`; close the spool.
        """
        ...

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """What was written, from its start."""
        ...

    def close(self) -> None:
        """Forget it all. Can be called twice; never raises."""
        ...


class Spools(Protocol):
    """Makes spools. One instance a process."""

    def open(self) -> Spool: ...


class Upload(msgspec.Struct, frozen=True):
    """A form that came whole and well formed. Whoever received it closes the spool."""

    boundary: bytes
    form: FormReader
    spool: Spool

    @property
    def content_type(self) -> bytes:
        return b'multipart/form-data; boundary="%b"' % self.boundary


class FormBody:
    """The form for one deployment: a `BodySource`. `values` are other fields to put in, where the form has them."""

    __slots__ = ("_model", "_upload", "_values", "size_bytes")

    def __init__(self, upload: Upload, *, model: str, values: Mapping[str, str] | None = None) -> None:
        self._upload = upload
        self._model = model
        self._values = values or {}
        form = upload.form
        self.size_bytes = (
            form.form_bytes
            + growth_bytes(upload.boundary, model=model, model_bytes=form.model_bytes)
            + sum(
                len(value.encode()) - len(form.fields[name][0].encode())
                for name, value in self._values.items()
                if name in form.fields
            )
        )

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        rewriter = FormRewriter(self._upload.boundary, model=self._model, values=self._values)
        async for piece in self._upload.spool.pieces():
            forward = rewriter.feed(piece)
            if forward:
                yield forward
        rewriter.finish()
