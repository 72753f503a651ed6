"""Reads forms by their first line; enough for what SDKs send."""

import re
from typing import Any, Final

import msgspec

from sandbox.errors import Refused

_NAME: Final = re.compile(rb'[; ]name="([^"]*)"')
_FILENAME: Final = re.compile(rb'[; ]filename="([^"]*)"')


class Form(msgspec.Struct, frozen=True):
    """Fields as text, files as bytes, in order."""

    fields: dict[str, Any]
    files: list[tuple[str, bytes]]

    def flag(self, name: str) -> bool:
        return self.fields.get(name) == "true"


def form_of(body: bytes) -> Form:
    """Raises: Refused."""
    line, _, _ = body.partition(b"\r\n")
    parts = (b"\r\n" + body).split(b"\r\n" + line)
    if not line.startswith(b"--") or not body.rstrip().endswith(line + b"--"):
        raise Refused(400, "The form could not be read.", code="invalid_multipart")
    form = Form({}, [])
    for part in parts[1:-1]:
        headers, _, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(headers)
        if name is None:
            raise Refused(400, "A part of the form has no name.", code="invalid_multipart")
        if _FILENAME.search(headers):
            form.files.append((name[1].decode(), value))
        else:
            form.fields[name[1].decode()] = value.decode()
    return form
