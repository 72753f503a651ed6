"""Reads an upstream's error out of whatever shape the provider gives it.

Shapes: OpenAI's `{"error": {message, type, param, code}}`, Gemini's the same in a list and with `status` and `details`,
xAI's `{"code", "error": "text"}`, Mistral's `{"detail": "text" or [...]}` and bare `{message, type, code}`, Kimi's router
`{"code": 5, "error": "url.not_found", "message"}`, MiniMax's `{"base_resp": {status_code, status_msg}}`, or no JSON.
"""

from typing import Any, Final

import msgspec

from application.wire.chunk import loose_object

BODY_BYTES_READ: Final = 64 * 1024
_CODE_CHARS_MAX: Final = 64
_PARAM_CHARS_MAX: Final = 128


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream said. Text in it is the upstream's: never shown or logged before `sanitised`."""

    message: str = ""
    type: str = ""
    code: str = ""  #: numbers as text
    param: str | None = None
    hints: frozenset[str] = (
        frozenset()
    )  #: other machine-readable words: Gemini's status and reasons, an inner code
    base_code: int = 0  #: MiniMax's, 0 if none
    retry_delay_s: float | None = None  #: Gemini's, which sends no header


def read_error(body: bytes) -> ErrorBody:
    """Read an error body, the beginning of it if it is large. Never raises; an unreadable one is empty."""
    if len(body) > BODY_BYTES_READ:
        return ErrorBody()
    stripped = body.strip()
    if stripped.startswith(b"[") and stripped.endswith(b"]"):
        stripped = stripped[1:-1].strip()  # one error in a list
    members = loose_object(stripped)
    return ErrorBody() if members is None else _read(members)


def _read(members: dict[str, Any]) -> ErrorBody:
    base = members.get("base_resp")
    if isinstance(base, dict) and isinstance(base.get("status_code"), int):
        return ErrorBody(message=_text(base.get("status_msg")), base_code=base["status_code"])
    error = members.get("error")
    if isinstance(error, str):
        code = _text(members.get("code"))
        return ErrorBody(
            message=_text(members.get("message")) or error, code=code, hints=frozenset({_short(error)})
        )
    if isinstance(error, dict):
        return _read_object(error)
    if "detail" in members:
        return ErrorBody(message=_detail(members["detail"]))
    return _read_object(members)


def _read_object(error: dict[str, Any]) -> ErrorBody:
    param = error.get("param")
    inner = error.get("innererror")
    details = error.get("details")
    hints = {_short(error.get("status")), _short(inner.get("code") if isinstance(inner, dict) else None)}
    delay_s: float | None = None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            hints.add(_short(detail.get("reason")))
            delay_s = _seconds(detail.get("retryDelay")) if "retryDelay" in detail else delay_s
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and metadata.get("reasons"):
        hints.add("moderation")
    return ErrorBody(
        message=_text(error.get("message")) or _detail(error.get("message")),
        type=_short(error.get("type")),
        code=_short(error.get("code")),
        param=param[:_PARAM_CHARS_MAX] if isinstance(param, str) and param.isprintable() else None,
        hints=frozenset(hints - {""}),
        retry_delay_s=delay_s,
    )


def _detail(detail: Any) -> str:
    """FastAPI's detail: a text, or a list of `{loc, msg}`. What it repeats of the input is left out."""
    if isinstance(detail, dict):
        detail = detail.get("detail", [])
    if isinstance(detail, str):
        return detail
    texts: list[str] = []
    for item in detail if isinstance(detail, list) else ():
        if isinstance(item, dict) and isinstance(item.get("msg"), str):
            place = item.get("loc")
            path = (
                ".".join(str(step) for step in place if isinstance(step, str | int))
                if isinstance(place, list)
                else ""
            )
            texts.append(f"{path}: {item['msg']}" if path else item["msg"])
    return "; ".join(texts)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else ""


def _short(value: Any) -> str:
    return _text(value)[:_CODE_CHARS_MAX]


def _seconds(delay: Any) -> float | None:
    """A protobuf duration such as `31s` or `0.5s`."""
    if not isinstance(delay, str) or not delay.endswith("s"):
        return None
    try:
        seconds = float(delay[:-1])
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
