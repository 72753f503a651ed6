"""Content parts of a message as Gemini's parts: text, inline data, and URLs that the provider fetches itself.

Nothing is downloaded here, not even to see what it is: whoever asks would choose what the gateway connects to. A URL goes
on only to models with the trait, and only if it is https on a public-looking name: hosts of Google's own APIs are refused,
since there the provider would read files with our credential. What it leads to has to be said, by its ending or beside it.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from application.dialects.gemini.checks import mapping, name, text, unsupported, wrong_value
from application.dialects.gemini.traits import MEDIA_URLS
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

URL_CHARS_MAX: Final = 8_192
_DATA: Final = "data:"
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+=\"-]+)*;base64,", re.ASCII | re.IGNORECASE)
_DATA_HEAD_CHARS: Final = 256
_URL: Final = re.compile(
    r"https://((?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*)\.?(?::\d{1,5})?(?:[/?][^\s\\#]*)?(?:#\S*)?",
    re.ASCII | re.IGNORECASE,
)
_OWN_HOSTS: Final = (".googleapis.com", ".google.com", ".google.internal", ".internal", ".local")
_YOUTUBE: Final = ("youtube.com", "youtu.be")
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNSAID: Final = (None, "application/octet-stream", "binary/octet-stream")
_STARTS: Final = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi0": "application/pdf",
}
"""How files of these kinds begin, in base64."""
_FORMAT: Final = re.compile(r"[a-z0-9.+-]{1,32}", re.ASCII)
_AUDIO: Final = {"m4a": "audio/mp4"}
_KINDS: Final = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}


def part_of(part: Any, param: str, target: Target) -> Json | None:
    """One content part; `None` for empty text, which Gemini refuses.

    Raises:
        InvalidRequest: it is malformed, or this model has no way to take it.
    """
    part = mapping(part, param)
    kind = part.get("type")
    if kind == "text":
        said = text(part.get("text"), f"{param}.text")
        return {"text": said} if said else None
    if kind in ("image_url", "video_url"):
        place = f"{param}.{kind}"
        shown = part.get(kind)
        members = {"url": shown} if type(shown) is str else mapping(shown, place)
        url = name(members.get("url"), f"{place}.url")
        shown_part = _from_url(url, f"{place}.url", target, stated=_stated(members, place))
        if kind == "image_url":
            _require_image(shown_part, f"{place}.url")
        return shown_part
    if kind == "input_audio":
        return _audio(mapping(part.get("input_audio"), f"{param}.input_audio"), f"{param}.input_audio")
    if kind == "file":
        return _file(mapping(part.get("file"), f"{param}.file"), f"{param}.file", target)
    raise unsupported(f"{param}.type", "is not a kind of content that this model takes")


def _stated(members: Json, place: str) -> str | None:
    """The media type that the client says; `format` is what LiteLLM's clients call it."""
    for member in ("mime_type", "format"):
        if members.get(member) is not None:
            stated = text(members[member], f"{place}.{member}").lower()
            if not _MEDIA_TYPE.fullmatch(stated):
                raise wrong_value(f"{place}.{member}", "must be a media type, such as image/png")
            return stated
    return None


def _from_url(url: str, param: str, target: Target, *, stated: str | None = None) -> Json:
    if url[: len(_DATA)].lower() == _DATA:
        return _inline(url, param)
    if MEDIA_URLS not in target.traits:
        raise unsupported(param, "must be a data URL: this model fetches no others")
    found = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if found is None:
        raise wrong_value(param, "must be a data URL or a plain https URL")
    host = found[1].lower()
    if f".{host}".endswith(_OWN_HOSTS):
        raise wrong_value(param, "names a host that is not allowed")
    mime_type = stated or _guessed(url, host)
    if mime_type is None:
        raise InvalidRequest(
            "missing_required_parameter",
            f"{param.rpartition('.')[0]}.mime_type",
            f"'{param}' does not say by its ending what it leads to: say so in 'mime_type' beside it, or send a data URL.",
        )
    return {"fileData": {"fileUri": url, "mimeType": mime_type}}


def _require_image(part: Json, param: str) -> None:
    """What was held for is one image."""
    data: Json = part["inlineData"] if "inlineData" in part else part["fileData"]
    if not data["mimeType"].startswith("image/"):
        raise wrong_value(param, "must be an image; others go as 'file' or 'video_url'")


def _inline(url: str, param: str) -> Json:
    head = _DATA_URL.match(url[:_DATA_HEAD_CHARS])
    if head is None or len(url) == head.end():
        raise wrong_value(param, "must be a data URL with a media type and base64 data")
    data = url[head.end() :]
    mime_type = head[1].lower() if head[1] else None
    if mime_type in _UNSAID:
        mime_type = next((kind for start, kind in _STARTS.items() if data.startswith(start)), mime_type)
    if mime_type is None:
        raise wrong_value(param, "must be a data URL with a media type")
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def _audio(audio: Json, param: str) -> Json:
    data = name(audio.get("data"), f"{param}.data")
    form = text(audio.get("format"), f"{param}.format").lower()
    if not _FORMAT.fullmatch(form):
        raise wrong_value(f"{param}.format", "is not a format")
    return {"inlineData": {"mimeType": _AUDIO.get(form, f"audio/{form}"), "data": data}}


def _file(file: Json, param: str, target: Target) -> Json:
    data = file.get("file_data")
    if data is None:
        raise unsupported(f"{param}.file_id", "names a stored file; send 'file_data'")
    data = name(data, f"{param}.file_data")
    if ":" in data[:_DATA_HEAD_CHARS]:
        return _from_url(data, f"{param}.file_data", target)
    mime_type = _kind_of(text(file.get("filename"), f"{param}.filename"))
    if mime_type is None:
        raise wrong_value(f"{param}.filename", "does not say what kind of file it is")
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def _guessed(url: str, host: str) -> str | None:
    """What an address says of its content."""
    if host.removeprefix("www.").removeprefix("m.") in _YOUTUBE:
        return "video/mp4"
    return _kind_of(urlsplit(url).path)


def _kind_of(file: str) -> str | None:
    return _KINDS.get(file.rpartition(".")[2].lower())
