"""One call of a deployment: what is sent, and what the head of its answer says."""

from collections.abc import Iterable
from typing import Final

import msgspec

from application.dialects.port import Asked
from application.directory_views import Candidate, DeploymentView
from application.speech.chat import PATH as CHAT_PATH
from application.speech.port import Asking, Speech
from application.upstream import UpstreamRequest, UpstreamResponse
from application.wire.errors import InvalidRequest

UPSTREAM_ID_CHARS_MAX: Final = 128


class Opened(msgspec.Struct, kw_only=True):
    """A deployment began to answer; its body is still to be read."""

    candidate: Candidate
    deployment: DeploymentView
    speech: Speech
    asked: Asked
    response: UpstreamResponse
    started_us: int
    started_s: float
    first_byte_s: float  #: from the start of the attempt
    status: int
    streams: bool  #: its body is passed on as it comes


def unsupported(name: str) -> InvalidRequest:
    return InvalidRequest(
        "unsupported_parameter",
        name,
        f"No provider that may serve this supports '{name}', and 'provider.require_parameters' asks for one.",
    )


def request_to(deployment: DeploymentView, asked: Asked, asking: Asking) -> UpstreamRequest:
    headers = [
        (b"content-type", asked.content_type),
        (b"accept", _accepted(asked, asking)),
        (b"x-request-id", asking.ref()),
        (b"user-agent", b"tokenok"),
        *asked.headers,
    ]
    if deployment.authorization is not None:
        headers.append((deployment.auth_header, deployment.authorization))
    url = deployment.chat_url if asked.path == CHAT_PATH else deployment.url(asked.path)
    return UpstreamRequest(b"POST", url, headers, asked.body)


def seconds(own_ms: int | None, otherwise_s: float) -> float:
    return otherwise_s if own_ms is None else own_ms / 1000


def _accepted(asked: Asked, asking: Asking) -> bytes:
    if asked.takes == "asked":
        return b"text/event-stream" if asking.stream else b"application/json"
    return b"*/*"


def fits(opened: Opened) -> bool:
    """Whether what came is what can be passed on where a stream was asked for."""
    media, takes = media_type_of(opened.response), opened.asked.takes
    if takes == "sound":
        return media.startswith(b"audio/") or media == b"application/octet-stream"
    if media == b"text/event-stream":
        return True
    opened.streams = False
    return takes == "either"


def media_type_of(response: UpstreamResponse) -> bytes:
    """What an answer says that it is, in lower case and without parameters; empty if it does not."""
    for name, value in response.headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


def request_id_of(response: UpstreamResponse) -> str | None:
    for name, value in response.headers:
        if name in (b"x-request-id", b"request-id"):
            text = value.decode("ascii", "replace")
            return text[:UPSTREAM_ID_CHARS_MAX] if text.isprintable() else None
    return None


def secrets_of(deployment: DeploymentView) -> Iterable[str]:
    yield deployment.base_url.host
    if deployment.authorization is not None:
        header = deployment.authorization.decode("latin-1")
        yield header
        yield header.rpartition(" ")[2]
