"""Refusals in OpenAI's envelope, and error bodies in the shapes of other providers (for status faults)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec


class Refused(Exception):
    """The request is refused with an OpenAI error; no answer was made."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        type_: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = type_

    def body(self) -> bytes:
        return envelope(self.message, type_=self.type, code=self.code, param=self.param)


def envelope(message: str, *, type_: str, code: str | None = None, param: str | None = None) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": type_, "param": param, "code": code}})


def _openai_words(status: int) -> tuple[str, str | None]:
    known: dict[int, tuple[str, str | None]] = {
        400: ("invalid_request_error", "invalid_value"),
        401: ("invalid_request_error", "invalid_api_key"),
        402: ("insufficient_quota", "insufficient_quota"),
        403: ("permission_error", None),
        404: ("invalid_request_error", "model_not_found"),
        429: ("requests", "rate_limit_exceeded"),
    }
    return known.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))  # noqa: PLR2004 - HTTP


def _openai(status: int, message: str) -> Any:
    type_, code = _openai_words(status)
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def _anthropic(status: int, message: str) -> Any:
    type_ = {429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_sandbox"}


def _gemini_list(status: int, message: str) -> Any:
    delay = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]
    name = {429: "RESOURCE_EXHAUSTED", 400: "INVALID_ARGUMENT"}.get(status, "INTERNAL")
    return [{"error": {"code": status, "message": message, "status": name, "details": delay}}]


SHAPES: Final[dict[str, Callable[[int, str], Any]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "azure": lambda status, message: {"error": {"code": str(status), "message": message}},
    "gemini": _gemini_list,
    "glm": lambda _status, message: {"error": {"code": "1113", "message": message}},
    "kimi": lambda _status, message: {"error": {"message": message, "type": "exceeded_current_quota_error"}},
    "minimax": lambda _status, message: {"base_resp": {"status_code": 1008, "status_msg": message}},
    "mistral": lambda _status, message: {"detail": message},
    "mistral_list": lambda _status, message: {
        "detail": [{"type": "missing", "loc": ["body", "messages"], "msg": message, "input": None}]
    },
    "mistral_object": lambda status, message: {
        "object": "error",
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": str(status),
    },
    "xai": lambda _status, message: {"code": "Client specified an invalid argument", "error": message},
}


def shaped(shape: str, status: int, message: str) -> bytes:
    """An error body as the named provider writes it. A `KeyError` names a shape that does not exist."""
    return msgspec.json.encode(SHAPES[shape](status, message))
