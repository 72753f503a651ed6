"""The same client behind httpx's seam, for code that speaks httpx's types. The hot path uses the client itself."""

from collections.abc import AsyncIterator
from typing import Final

import httpx

from adapters.upstream.client import UpstreamClient
from adapters.upstream.request_head import OWN_HEADERS
from application.upstream import (
    BadUpstreamUrl,
    ParsedUrl,
    UpstreamConnectError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRequest,
    UpstreamRequestRefused,
    UpstreamResponse,
    UpstreamTimeout,
)

_NO_LIMIT_S: Final = 86_400.0


class DirectTransport(httpx.AsyncBaseTransport):
    """Owns its client. Honours httpx's `timeout` extension: `connect` (with `pool`), and `read` for the head and between pieces.

    Redirects, cookies, proxies and decoding are httpx's `AsyncClient`; called directly, none of them happens.
    """

    def __init__(self, client: UpstreamClient | None = None) -> None:
        self._client = client or UpstreamClient()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send and return once the head has come.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout, httpx.LocalProtocolError, httpx.UnsupportedProtocol: nothing was sent.
            httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError: the upstream may have processed it.
        """
        timeout = request.extensions.get("timeout", {})
        read_s = timeout.get("read") or _NO_LIMIT_S
        body = await request.aread()
        try:
            response = await self._client.send(
                UpstreamRequest(
                    method=request.method.encode("ascii"),
                    url=_parsed(request.url),
                    headers=_end_to_end(request),
                    body=body,
                ),
                connect_s=timeout.get("connect") or _NO_LIMIT_S,
                first_byte_s=read_s,
            )
        except UpstreamError as error:
            raise _as_httpx(error, request) from error
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Stream(response, request=request, idle_s=read_s),
        )

    async def aclose(self) -> None:
        await self._client.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: UpstreamResponse, *, request: httpx.Request, idle_s: float) -> None:
        self._response = response
        self._request = request
        self._idle_s = idle_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while data := await self._response.receive(idle_s=self._idle_s):
                yield data
        except UpstreamError as error:
            raise _as_httpx(error, self._request) from error

    async def aclose(self) -> None:
        await self._response.aclose()


def _parsed(url: httpx.URL) -> ParsedUrl:
    default_port = 443 if url.scheme == "https" else 80
    host = url.raw_host.decode("ascii").strip("[]")
    return ParsedUrl(scheme=url.scheme, host=host, port=url.port or default_port, target=url.raw_path)


def _end_to_end(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """The headers without those the client writes itself; httpx adds some of them to every request.

    A Host other than the URL's is not sent either.
    """
    return [(name, value) for name, value in request.headers.raw if name.lower() not in OWN_HEADERS]


def _as_httpx(error: UpstreamError, request: httpx.Request) -> httpx.TransportError:
    kind: type[httpx.TransportError] = httpx.ReadError
    match error:
        case BadUpstreamUrl():
            kind = httpx.UnsupportedProtocol
        case UpstreamRequestRefused():
            kind = httpx.LocalProtocolError
        case UpstreamConnectError():
            kind = httpx.ConnectError
        case UpstreamTimeout():
            kind = httpx.ConnectTimeout if error.phase == "connect" else httpx.ReadTimeout
        case UpstreamProtocolError():
            kind = httpx.RemoteProtocolError
    return kind(f"{error.code}: {error}", request=request)
