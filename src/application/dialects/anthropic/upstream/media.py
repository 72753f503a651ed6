"""Images and documents: an https URL or a data URL of the chat dialect as the source of a block.

Nothing is fetched here: a URL goes to the provider, which fetches it.
"""

import base64
import binascii
from typing import Final

from application.dialects.anthropic.upstream.notes import Notes, object_of, text_at, unsupported
from application.dialects.port import Json
from application.wire.errors import InvalidRequest

_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_PDF: Final = "application/pdf"
_HEAD_CHARS: Final = 16  # of base64: the twelve bytes that tell the kinds apart


def image(part: Json, param: str, notes: Notes) -> Json:
    """The block of an `image_url` part.

    Raises:
        InvalidRequest: it is no https URL and no data URL of a kind of image that the provider takes.
    """
    value, param = part.get("image_url"), f"{param}.image_url"
    holder = {"url": value} if type(value) is str else object_of(value, param)
    url = text_at(holder, "url", param)
    if holder.get("detail") not in (None, "auto"):
        notes.drop("image_url.detail")
    if url[:5].lower() != "data:":
        return {"type": "image", "source": _fetched(url, f"{param}.url")}
    declared, data = _inline(url, f"{param}.url")
    kind = _kind(data) or {"image/jpg": "image/jpeg"}.get(declared, declared)
    if kind not in _IMAGES:
        raise unsupported(f"{param}.url", "only png, jpeg, gif and webp images are taken")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def document(part: Json, param: str) -> Json:
    """The block of a `file` part.

    Raises:
        InvalidRequest: it is no PDF and no text, or it names a file that lies with another provider.
    """
    param = f"{param}.file"
    file = object_of(part.get("file"), param)
    if file.get("file_id") is not None:
        raise unsupported(f"{param}.file_id", "send the file itself")
    value = text_at(file, "file_data", param)
    block: Json = {"type": "document", "source": _document_source(value, f"{param}.file_data")}
    title = file.get("filename")
    if type(title) is str and title:
        block["title"] = title
    return block


def _document_source(value: str, param: str) -> Json:
    if value[:5].lower() == "data:":
        kind, data = _inline(value, param)
    elif ":" in value[:_HEAD_CHARS]:  # a URL; base64 has no colon
        return _fetched(value, param)
    else:
        kind, data = "", value
    if kind.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _text(data, param)}
    if kind == _PDF or _kind(data) == _PDF:
        return {"type": "base64", "media_type": _PDF, "data": data}
    raise unsupported(param, "only PDF and plain text are taken")


def _fetched(url: str, param: str) -> Json:
    if url[:8].lower() != "https://":
        raise unsupported(param, "only https and data URLs are taken")
    return {"type": "url", "url": url}


def _inline(url: str, param: str) -> tuple[str, str]:
    """Media type and base64 of a data URL."""
    head, comma, data = url[5:].partition(",")
    kind, *options = [option.strip().lower() for option in head.split(";")]
    if not comma or "base64" not in options or not data or not data.isascii():
        raise InvalidRequest("invalid_value", param, f"'{param}' must be a data URL in base64.")
    return kind, data


def _kind(data: str) -> str | None:
    """What the first bytes say: providers refuse data that are not what they are declared to be."""
    try:
        head = base64.b64decode(data[:_HEAD_CHARS])
    except ValueError:
        return None
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    for start, kind in (
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF", _PDF),
    ):
        if head.startswith(start):
            return kind
    return None


def _text(data: str, param: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidRequest("invalid_value", param, f"'{param}' must be text in UTF-8, in base64.") from None
