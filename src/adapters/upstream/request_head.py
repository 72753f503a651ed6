"""Writes the head of a request, and refuses whatever could be read as more than one message."""

import string

from application.upstream import UpstreamRequest, UpstreamRequestRefused

_METHODS = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"})
_BODYLESS = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})
_TOKEN = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
_NOT_CONTROL = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])

OWN_HEADERS = frozenset(
    {
        b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"proxy-connection",
        b"te", b"trailer", b"upgrade", b"expect",
    }
)  # fmt: skip
"""Headers that decide where a message goes, where it ends or what becomes of its connection: ours to write."""


def encode_head(request: UpstreamRequest, authority: bytes) -> bytes:
    """The request line and headers, ending in the empty line.

    Raises:
        UpstreamRequestRefused: an unknown method, a header of `OWN_HEADERS`, a name that is no token, or a control
            character (CR, LF, NUL) anywhere. The message names no value.
    """
    method = request.method
    if method not in _METHODS:
        raise UpstreamRequestRefused("the method is not one that is sent upstream")
    parts = [method, b" ", request.url.target, b" HTTP/1.1\r\nhost: ", authority, b"\r\n"]
    has_encoding = False
    for name, value in request.headers:
        lower = name.lower()
        if lower in OWN_HEADERS:
            raise UpstreamRequestRefused(f"the header {lower.decode()} is the client's own to write")
        if not name or name.translate(None, _TOKEN):
            raise UpstreamRequestRefused("a header's name is not a token")
        if lower == b"accept-encoding":
            has_encoding = True
        parts += (name, b": ", value, b"\r\n")
    if not has_encoding:
        parts.append(b"accept-encoding: identity\r\n")
    size_bytes = request.body_bytes
    has_length = size_bytes > 0 or method not in _BODYLESS
    if has_length:
        parts.append(b"content-length: %d\r\n" % size_bytes)
    parts.append(b"\r\n")
    head = b"".join(parts)
    # One look at the whole: what is left without printable bytes must be exactly our own line ends.
    lines = 3 + len(request.headers) + (not has_encoding) + has_length
    if head.translate(None, _NOT_CONTROL) != b"\r\n" * lines:
        raise UpstreamRequestRefused("a header holds a control character")
    return head
