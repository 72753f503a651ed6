"""The headers of our answers: what a client gets beside the body."""

from collections.abc import Sequence
from typing import Final

from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts
from application.gateway.client import Headers
from domain.decimals import decimal_text

EVENTS: Final = b"text/event-stream; charset=utf-8"
_UNBUFFERED: Final = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


def credits_text(amount_nano: int) -> bytes:
    """Nano-credits as a decimal number of credits."""
    if amount_nano < 0:
        return b"-" + decimal_text(-amount_nano).encode()
    return decimal_text(amount_nano).encode()


def request_id_headers(request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Both names, for both families of SDKs."""
    return [(b"x-request-id", request_id), (b"request-id", request_id)]


def answer_headers(
    request_id: bytes,
    *,
    deployment: DeploymentView,
    attempts: Attempts,
    overhead_ms: float,
    hold_nano: int,
    charge_nano: int | None,
    balance_nano: int | None,
    limits: Sequence[tuple[bytes, bytes]],
    content_type: bytes,
    body_bytes: int | None,
    dropped: Sequence[str] = (),
) -> Headers:
    """Of an answer: a stream has no charge yet, a document its length."""
    headers = [
        *request_id_headers(request_id),
        *deployment.told,
        (b"x-tokenok-attempts", b"%d" % len(attempts.records)),
        (b"x-tokenok-overhead-ms", b"%.1f" % overhead_ms),
        (b"x-tokenok-hold", credits_text(hold_nano)),
        *limits,
    ]
    if dropped:
        headers.append((b"x-tokenok-dropped", ", ".join(dropped).encode("ascii", "replace")))
    if balance_nano is not None:
        headers.append((b"x-tokenok-balance", credits_text(balance_nano)))
    if charge_nano is not None:
        headers.append((b"x-tokenok-charge", credits_text(charge_nano)))
    headers.append((b"content-type", content_type))
    if body_bytes is None:
        headers += _UNBUFFERED
    else:
        headers.append((b"content-length", b"%d" % body_bytes))
    return headers
