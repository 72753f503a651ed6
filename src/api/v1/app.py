"""The raw ASGI application of `/v1`: finds the endpoint, and turns every refusal into OpenAI's envelope."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import parse_qs, unquote_to_bytes

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from api.v1.asgi_client import AsgiClient
from api.v1.endpoints import COUNT_TOKENS, STATEFUL, endpoints, envelope_of, is_anthropic, is_stateful
from api.v1.models import anthropic_model, anthropic_models, openai_model, openai_models
from application.clock import Ids
from application.gateway.client import Call, ClientGone
from application.gateway.gateway import Gateway
from application.gateway.head import request_id_headers
from application.gateway.metrics import GatewayMetrics
from application.gateway.refused import Refused
from application.generation import generation, request_id_of
from application.queries import RequestQueries
from application.receipts.issuing import Receipts
from application.refusals.tally import RefusalTally
from application.routing.affinity import SESSION_HEADER
from application.wire.errors import retry_headers
from domain.refusal import NotFound

PREFIX: Final = b"/v1"
_RECEIPTS: Final = b"/receipts/"
CLIENT_REF_CHARS_MAX: Final = 128
_BEARER: Final = b"bearer "
_KEPT_HEADERS: Final = frozenset((b"anthropic-version", b"anthropic-beta", SESSION_HEADER))
_READ_HEADERS: Final = _KEPT_HEADERS | {
    b"authorization",
    b"x-api-key",
    b"content-length",
    b"x-client-request-id",
    b"content-encoding",
    b"idempotency-key",
}

_T = TypeVar("_T")

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class V1:
    """One instance a process."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        ids: Ids,
        metrics: GatewayMetrics,
        requests: RequestQueries,
        receipts: Receipts,
        refusals: RefusalTally,
        body_bytes_max: int,
    ) -> None:
        self._gateway = gateway
        self._requests = requests
        self._receipts = receipts
        self._refusals = refusals
        self._ids = ids
        self._metrics = metrics
        self._body_bytes_max = body_bytes_max
        self._endpoints = endpoints()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.monotonic()
        client = AsgiClient(receive, send, body_bytes_max=self._body_bytes_max)
        call, unusual = self._call(scope, client, started_s)
        path = _path(scope)
        try:
            await self._serve(scope, path, call, client, unusual)
        except Refused as refusal:
            self._metrics.refused(refusal.code)
            self._note(call, refusal)
            await _refuse(client, call, refusal, path)
        except ClientGone:
            self._metrics.refused("client_gone")
        except Exception:  # whatever it is, the client gets an envelope, and no detail
            log.exception("request_failed", request_id=str(call.request_id))
            self._metrics.refused("internal_error")
            await _refuse(client, call, Refused("internal_error", "The gateway failed."), path)
        finally:
            client.unwatch()
            self._metrics.served(time.monotonic() - started_s)

    def _note(self, call: Call, refusal: Refused) -> None:
        """Count a refusal by a rule for the log, if it is known to whom."""
        if not self._refusals.wants(refusal):
            return
        with suppress(Refused):
            caller = self._gateway.caller(call)
            self._refusals.note(caller.account.account_id, caller.key.key_id, refusal)

    async def _serve(
        self, scope: Scope, path: bytes, call: Call, client: AsgiClient, unusual: Refused | None
    ) -> None:
        if unusual is not None:
            raise unusual
        method = str(scope["method"])  # type: ignore[typeddict-item]  # the server has web sockets off
        endpoint = self._endpoints.get(path)
        if endpoint is not None:
            if method != "POST":
                raise _wrong_method(method, allowed=b"POST")
            if endpoint.takes_form:
                await self._gateway.serve_form(call, client, endpoint, _content_type(scope))
            else:
                await self._gateway.serve(call, client, endpoint)
        elif path == COUNT_TOKENS:
            if method != "POST":
                raise _wrong_method(method, allowed=b"POST")
            await _answer(client, call, 200, await self._gateway.count_tokens(call, client))
        elif path in (b"/generation", b"/models") or path.startswith((b"/models/", _RECEIPTS)):
            if method != "GET":
                raise _wrong_method(method, allowed=b"GET")
            await self._read(scope, path, call, client)
        elif is_stateful(path):
            raise Refused("unsupported_url", STATEFUL)
        else:
            raise Refused("unknown_url", f"Unknown request URL: {method} {_shown(path)}.")

    async def _read(self, scope: Scope, path: bytes, call: Call, client: AsgiClient) -> None:
        if path == b"/generation":
            await self._generation(scope, call, client)
        elif path.startswith(_RECEIPTS):
            await self._receipt(path, call, client)
        else:
            await self._models(path, call, client)

    async def _models(self, path: bytes, call: Call, client: AsgiClient) -> None:
        name = unquote_to_bytes(path.removeprefix(b"/models").removeprefix(b"/"))
        one, several = (
            (anthropic_model, anthropic_models)
            if is_anthropic(call.headers)
            else (openai_model, openai_models)
        )
        if name:
            document = one(self._gateway.model(call, name.decode("utf-8", "replace")))
        else:
            document = several(self._gateway.models(call))
        await _answer(client, call, 200, _encode(document))

    async def _generation(self, scope: Scope, call: Call, client: AsgiClient) -> None:
        """What became of a request of the caller's account; a moment after its end, for the log is read behind it."""
        wanted = parse_qs(scope["query_string"].decode("ascii", "replace")).get("id", [])
        request_id = request_id_of(wanted[0]) if len(wanted) == 1 else None
        with self._gateway.visited(call) as caller:
            if request_id is None:
                raise Refused("invalid_value", "'id' must be the id of one request.", param="id")
            detail = await _from_record(lambda: self._requests.request(request_id))
        if detail is None or detail.request.account_id != caller.account.account_id:
            raise Refused(
                "generation_not_found",
                "There is no such request of this account, or it is not in the record yet: try again in a second.",
                param="id",
                retry_after_s=1,
            )
        await _answer(client, call, 200, _encode({"data": generation(detail)}))

    async def _receipt(self, path: bytes, call: Call, client: AsgiClient) -> None:
        """The signed receipt of a request of the caller's account; a moment after its end."""
        request_id = request_id_of(path.removeprefix(_RECEIPTS).decode("ascii", "replace"))
        with self._gateway.visited(call) as caller:
            if request_id is None:
                raise Refused("invalid_value", "A receipt's URL ends with the id of one request.")
            account_id = caller.account.account_id
            issued = await _from_record(lambda: self._receipts.issue(request_id, account_id=account_id))
        if issued is None:
            raise Refused(
                "receipt_not_found",
                "No request of this account with this id has ended, or it is not in the record yet: try again in a second.",
                retry_after_s=1,
            )
        await _answer(client, call, 200, _encode(issued))

    def _call(self, scope: Scope, client: AsgiClient, started_s: float) -> tuple[Call, Refused | None]:
        """What the headers say; a refusal beside it when they cannot be served."""
        secrets: list[tuple[bytes, bytes]] = []
        kept: list[tuple[bytes, bytes]] = []
        client_ref = None
        idempotency_key = None
        unusual = None
        for name, value in scope["headers"]:
            if name not in _READ_HEADERS:
                continue
            if name in _KEPT_HEADERS:
                kept.append((name, value))
            elif name == b"authorization":
                secrets.append((name, _bearer(value)))
            elif name == b"x-api-key":
                secrets.append((name, value.strip()))
            elif name == b"content-length":
                client.announced_bytes = int(value) if value.isdigit() else 0
            elif name == b"x-client-request-id":
                client_ref = _client_ref(value)
            elif name == b"idempotency-key":
                idempotency_key = value if idempotency_key is None else b""
            elif value.strip().lower() not in (b"", b"identity"):
                unusual = Refused("unsupported_encoding", "The request body must not be compressed.")
        call = Call(
            request_id=self._ids.new(),
            secret=_only(secrets),
            client_ref=client_ref,
            started_s=started_s,
            idempotency_key=idempotency_key,
            headers=tuple(kept),
        )
        return call, unusual


async def _from_record(read: Callable[[], _T | None]) -> _T | None:
    """Ask the database in a thread; none if it has no such thing."""
    try:
        return await asyncio.to_thread(read)
    except NotFound:
        return None
    except Exception as error:  # noqa: BLE001  whatever the database says, a client hears that it may come again
        log.warning("record_not_read", error=type(error).__name__)
        raise Refused("upstream_overloaded", "The record cannot be read now.", retry_after_s=1) from None


def _path(scope: Scope) -> bytes:
    """The path below `/v1`, not unquoted: a model's name may have escaped slashes. One slash at the end is dropped."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    path = raw.removeprefix(PREFIX)
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


def _content_type(scope: Scope) -> bytes:
    """Empty where there is none, or more than one."""
    found: list[bytes] = [value for name, value in scope["headers"] if name == b"content-type"]
    return found[0] if len(found) == 1 else b""


def _bearer(value: bytes) -> bytes:
    """The secret in an `authorization` header; empty for another scheme."""
    return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else b""


def _only(secrets: list[tuple[bytes, bytes]]) -> bytes | None:
    """The one secret. A header that is there twice, or two that differ, are none: who would say which counts?"""
    if len(secrets) > 1 and (len(dict(secrets)) < len(secrets) or len({one for _, one in secrets}) > 1):
        return None
    return secrets[0][1] or None if secrets else None


def _client_ref(value: bytes) -> str | None:
    text = value[:CLIENT_REF_CHARS_MAX].decode("ascii", "replace")
    return text if text.isprintable() else None


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


async def _refuse(client: AsgiClient, call: Call, refusal: Refused, path: bytes) -> None:
    if client.started:  # an answer began: a broken end is all that is left to send
        return
    status, body = envelope_of(path, call.headers)(
        refusal.code,
        refusal.message,
        param=refusal.param,
        request_id=str(call.request_id),
        numbers=refusal.numbers,
    )
    extra = retry_headers(refusal.code, status=status, retry_after_s=refusal.retry_after_s)
    await _answer(client, call, status, body, [*extra, *refusal.headers])
