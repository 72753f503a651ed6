"""The raw ASGI application of `/v1`: finds the endpoint, and turns every refusal into OpenAI's envelope."""

import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from api.v1.asgi_client import AsgiClient
from application.clock import Ids
from application.directory_views import ModelView
from application.gateway.client import Call, ClientGone
from application.gateway.gateway import Gateway
from application.gateway.head import request_id_headers
from application.gateway.metrics import GatewayMetrics
from application.gateway.refused import Refused
from application.wire.errors import envelope, retry_headers, spec_of

PREFIX: Final = b"/v1"
CLIENT_REF_CHARS_MAX: Final = 128
_BEARER: Final = b"bearer "
_READ_HEADERS: Final = frozenset(
    (b"authorization", b"content-length", b"x-client-request-id", b"content-encoding")
)

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class V1:
    """One instance a process."""

    def __init__(self, gateway: Gateway, *, ids: Ids, metrics: GatewayMetrics, body_bytes_max: int) -> None:
        self._gateway = gateway
        self._ids = ids
        self._metrics = metrics
        self._body_bytes_max = body_bytes_max
        self._posts: dict[bytes, Callable[[Call, AsgiClient], Awaitable[None]]] = {
            b"/chat/completions": gateway.chat
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.monotonic()
        client = AsgiClient(receive, send, body_bytes_max=self._body_bytes_max)
        call, unusual = self._call(scope, client, started_s)
        try:
            await self._serve(scope, call, client, unusual)
        except Refused as refusal:
            self._metrics.refused(refusal.code)
            await _refuse(client, call, refusal)
        except ClientGone:
            self._metrics.refused("client_gone")
        except Exception:  # whatever it is, the client gets an envelope, and no detail
            log.exception("request_failed", request_id=str(call.request_id))
            self._metrics.refused("internal_error")
            await _refuse(client, call, Refused("internal_error", "The gateway failed."))
        finally:
            client.unwatch()
            self._metrics.served(time.monotonic() - started_s)

    async def _serve(self, scope: Scope, call: Call, client: AsgiClient, unusual: Refused | None) -> None:
        if unusual is not None:
            raise unusual
        path = _path(scope)
        method = str(scope["method"])  # type: ignore[typeddict-item]  # the server has web sockets off
        post = self._posts.get(path)
        if post is not None:
            if method != "POST":
                raise _wrong_method(method, allowed=b"POST")
            await post(call, client)
        elif path == b"/models" or path.startswith(b"/models/"):
            if method != "GET":
                raise _wrong_method(method, allowed=b"GET")
            await self._models(path, call, client)
        else:
            raise Refused("unknown_url", f"Unknown request URL: {method} {_shown(path)}.")

    async def _models(self, path: bytes, call: Call, client: AsgiClient) -> None:
        name = unquote_to_bytes(path.removeprefix(b"/models").removeprefix(b"/"))
        if name:
            body = _encode(_model(self._gateway.model(call, name.decode("utf-8", "replace"))))
        else:
            models = [_model(model) for model in self._gateway.models(call)]
            body = _encode({"object": "list", "data": models})
        await _answer(client, call, 200, body)

    def _call(self, scope: Scope, client: AsgiClient, started_s: float) -> tuple[Call, Refused | None]:
        """What the headers say; a refusal beside it when they cannot be served."""
        secrets: list[bytes] = []
        client_ref = None
        unusual = None
        for name, value in scope["headers"]:
            if name not in _READ_HEADERS:
                continue
            if name == b"authorization":
                secrets.append(value)
            elif name == b"content-length":
                client.announced_bytes = int(value) if value.isdigit() else 0
            elif name == b"x-client-request-id":
                client_ref = _client_ref(value)
            elif value.strip().lower() not in (b"", b"identity"):
                unusual = Refused("unsupported_encoding", "The request body must not be compressed.")
        call = Call(
            request_id=self._ids.new(), secret=_bearer(secrets), client_ref=client_ref, started_s=started_s
        )
        return call, unusual


def _path(scope: Scope) -> bytes:
    """The path below `/v1`, not unquoted: a model's name may have escaped slashes. One slash at the end is dropped."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    path = raw.removeprefix(PREFIX)
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


def _bearer(values: list[bytes]) -> bytes | None:
    """The one secret; two are none, for who would say which counts."""
    if len(values) != 1 or values[0][: len(_BEARER)].lower() != _BEARER:
        return None
    return values[0][len(_BEARER) :].strip() or None


def _client_ref(value: bytes) -> str | None:
    text = value[:CLIENT_REF_CHARS_MAX].decode("ascii", "replace")
    return text if text.isprintable() else None


def _model(model: ModelView) -> dict[str, str | int]:
    return {"id": model.id, "object": "model", "created": model.created_s, "owned_by": model.owned_by}


def _wrong_method(method: str, *, allowed: bytes) -> Refused:
    return Refused("method_not_allowed", f"This URL does not take {method}.", headers=[(b"allow", allowed)])


def _shown(path: bytes) -> str:
    text = path[:200].decode("ascii", "replace")
    return f"/v1{text}" if text.isprintable() else "/v1"


async def _answer(
    client: AsgiClient, call: Call, status: int, body: bytes, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *request_id_headers(str(call.request_id).encode()),
        *(extra or ()),
    ]
    await client.start(status, headers)
    await client.end(body)


async def _refuse(client: AsgiClient, call: Call, refusal: Refused) -> None:
    if client.started:  # an answer began: a broken end is all that is left to send
        return
    body = envelope(refusal.code, refusal.message, refusal.param, **refusal.numbers)
    extra = [*retry_headers(refusal.code, retry_after_s=refusal.retry_after_s), *refusal.headers]
    await _answer(client, call, spec_of(refusal.code).status, body, extra)
