"""Finds the parts of a multipart body, in any pieces.

Strict where parsers differ, since what we read must be what the upstream reads: CRLF line ends only, nothing before the
first boundary or after the last, one plain `name` for each part, no encoding. Memory: one block of headers, or one boundary.
"""

import re
from typing import Final, Protocol

import msgspec

from application.wire.errors import InvalidRequest

HEADER_BYTES_MAX: Final = 8 * 1024
PARTS_MAX: Final = 256
_NAME_CHARS_MAX: Final = 128
_MEDIA: Final = re.compile(r"multipart/form-data\s*;(.*)", re.IGNORECASE | re.DOTALL)
_BOUNDARY: Final = re.compile(
    r"""boundary=(?:"([0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?])"|([0-9A-Za-z'()+_\-.]{1,70}))\s*(?=;|$)""",
    re.IGNORECASE,
)
_DISPOSITION: Final = re.compile(
    r"form-data((?:\s*;\s*[a-z*]+=(?:\"[^\"\r\n]*\"|[^\s;\"]+))*)\s*", re.IGNORECASE
)
_PARAMETER: Final = re.compile(r";\s*([a-z*]+)=(?:\"([^\"\r\n]*)\"|([^\s;\"]+))", re.IGNORECASE)
_CRLF: Final = b"\r\n"
_ENDS: Final = 2
"""Bytes after a boundary: a line end, or two hyphens after the last."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The headers of one part. A file is what has a filename."""

    name: str
    filename: str | None
    content_type: str | None


class PartSink(Protocol):
    """Takes what a scanner finds. All `raw` bytes and data in their order are the body again."""

    def starts(self, part: Part) -> None: ...

    def data(self, piece: bytes) -> None: ...

    def ends(self) -> None: ...

    def closes(self) -> None:
        """No part comes any more; the boundary before the last hyphens was given already."""
        ...

    def raw(self, piece: bytes) -> None: ...


def malformed(why: str, param: str | None = None) -> InvalidRequest:
    return InvalidRequest("invalid_multipart", param, f"The form could not be read: {why}.")


def boundary_of(content_type: str) -> bytes:
    """The boundary that a content type names.

    Raises:
        InvalidRequest: it is no form, or has no plain boundary, or several.
    """
    media = _MEDIA.fullmatch(content_type.strip())
    found = _BOUNDARY.findall(media.group(1)) if media else []
    if len(found) != 1:
        raise malformed("the content type must be multipart/form-data with one boundary")
    quoted, plain = found[0]
    boundary: str = quoted or plain
    return boundary.encode()


class MultipartScanner:
    """One body. Everything it raises is an `InvalidRequest`, after which it must not be used."""

    def __init__(self, boundary: bytes, sink: PartSink) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._sink = sink
        self._pending = bytearray(_CRLF)  # as if a line had ended before the first boundary
        self._step = self._first
        self._parts = 0
        self.finished = False  #: the last boundary came
        self._ended = False  # with the line end after it

    def feed(self, piece: bytes) -> None:
        self._pending += piece
        while self._step():
            pass

    def finish(self) -> None:
        """The body ended."""
        if not self.finished or self._pending:
            raise malformed("it is cut short")

    # Each step returns whether another can follow.

    def _first(self) -> bool:
        size = len(self._delimiter)
        if not self._delimiter.startswith(self._pending[:size]):
            raise malformed("it does not start with its boundary")
        if len(self._pending) < size:
            return False
        self._sink.raw(self._delimiter[len(_CRLF) :])
        del self._pending[:size]
        self._step = self._after_boundary
        return True

    def _after_boundary(self) -> bool:
        if len(self._pending) < _ENDS:
            return False
        end = bytes(self._pending[:_ENDS])
        del self._pending[:_ENDS]
        if end == b"--":
            self._sink.closes()
            self.finished = True
            self._step = self._after_last
        elif end == _CRLF:
            self._parts += 1
            if self._parts > PARTS_MAX:
                raise malformed(f"it has more than {PARTS_MAX} parts")
            self._step = self._headers
        else:
            raise malformed("a boundary is followed by something else")
        self._sink.raw(end)
        return True

    def _headers(self) -> bool:
        end = self._pending.find(b"\r\n\r\n", 0, HEADER_BYTES_MAX)
        if end < 0:
            if len(self._pending) >= HEADER_BYTES_MAX:
                raise malformed(f"the headers of a part are longer than {HEADER_BYTES_MAX} bytes")
            return False
        end += 4
        block = bytes(self._pending[:end])
        del self._pending[:end]
        part = _part(block)
        self._sink.raw(block)
        self._sink.starts(part)
        self._step = self._body
        return True

    def _body(self) -> bool:
        end = self._pending.find(self._delimiter)
        if end < 0:
            whole = len(self._pending) - len(self._delimiter) + 1
            if whole > 0:
                self._sink.data(bytes(self._pending[:whole]))
                del self._pending[:whole]
            return False
        if end:
            self._sink.data(bytes(self._pending[:end]))
        self._sink.ends()
        self._sink.raw(self._delimiter)
        del self._pending[: end + len(self._delimiter)]
        self._step = self._after_boundary
        return True

    def _after_last(self) -> bool:
        """One more line end may follow, and nothing else."""
        if not _CRLF.startswith(self._pending) or (self._pending and self._ended):
            raise malformed("something follows its last boundary")
        if len(self._pending) == len(_CRLF):
            self._sink.raw(_CRLF)
            self._pending.clear()
            self._ended = True
        return False


def _part(block: bytes) -> Part:
    try:
        lines = block.decode().split("\r\n")[:-2]
    except UnicodeDecodeError:
        raise malformed("the headers of a part are not valid UTF-8") from None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip() or key in headers or "\n" in line or "\r" in line:
            raise malformed("the headers of a part are malformed")
        headers[key] = value.strip()
    if "content-transfer-encoding" in headers:
        raise malformed("parts must not be encoded")
    return _named(headers.get("content-disposition", ""), headers.get("content-type"))


def _named(disposition: str, content_type: str | None) -> Part:
    match = _DISPOSITION.fullmatch(disposition)
    found = _PARAMETER.findall(match.group(1)) if match else []
    parameters = {name.lower(): quoted or plain for name, quoted, plain in found}
    name = parameters.get("name", "")
    if len(parameters) < len(found) or not 0 < len(name) <= _NAME_CHARS_MAX or not name.isprintable():
        raise malformed("each part must be form-data with one name")
    if "\\" in name or "%" in name or "name*" in parameters:
        raise malformed("the name of a part must be spelled plainly")
    filename = parameters.get("filename", parameters.get("filename*"))
    return Part(name=name, filename=filename, content_type=content_type)
