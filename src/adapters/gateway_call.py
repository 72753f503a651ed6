"""One small request through the gateway with a customer's key, as the customer's own program would make it."""

import time
from typing import Any, Final

import httpx

from application.gateway_call import CallTried
from domain.secret import Secret

_TIMEOUT_S: Final = 60.0
_ANSWER_BYTES_MAX: Final = 256 * 1024
_SAID_CHARS_MAX: Final = 600
_QUESTION: Final = "Say hello in one short sentence."
_OUTPUT_TOKENS: Final = 64
#: Of a key or a model that was made a moment ago: gateways follow the log, and need that moment.
_NOT_YET: Final = frozenset({401, 404})
_FOLLOW_S: Final = 3.0
_PAUSE_S: Final = 0.2


class GatewayCall:
    """Goes to the one address that it was made for. It is charged like any other request."""

    def __init__(self, api_url: str) -> None:
        self._url = f"{api_url}/v1/chat/completions"

    def __call__(self, secret: Secret, model: str) -> CallTried:
        """Never raises: that nobody answered is an answer too. What may be too new to be known is tried for some seconds."""
        until_s = time.monotonic() + _FOLLOW_S
        while (tried := self._try(secret, model)).status in _NOT_YET and time.monotonic() < until_s:
            time.sleep(_PAUSE_S)
        return tried

    def _try(self, secret: Secret, model: str) -> CallTried:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": _QUESTION}],
            "max_tokens": _OUTPUT_TOKENS,
        }
        headers = {"authorization": f"Bearer {secret.reveal()}"}
        started_s = time.monotonic()
        try:
            answer = httpx.post(self._url, json=body, headers=headers, timeout=_TIMEOUT_S)
        except (httpx.HTTPError, UnicodeEncodeError) as error:
            return CallTried(status=0, took_ms=_since(started_s), said=type(error).__name__)
        return CallTried(
            status=answer.status_code,
            took_ms=_since(started_s),
            said=_said(answer)[:_SAID_CHARS_MAX],
            request_id=answer.headers.get("x-request-id", ""),
            provider=answer.headers.get("x-tokenok-provider", ""),
            charge=answer.headers.get("x-tokenok-charge", ""),
        )


def _since(started_s: float) -> int:
    return int((time.monotonic() - started_s) * 1_000)


def _said(answer: httpx.Response) -> str:
    """The text of the answer, or what the refusal says."""
    if len(answer.content) > _ANSWER_BYTES_MAX:
        return ""
    try:
        document: Any = answer.json()
        if answer.is_success:
            return str(document["choices"][0]["message"]["content"])
        return str(document["error"]["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
