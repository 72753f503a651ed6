"""Whether a failure that is most often the request's own doing may yet be mended by another deployment or model."""

from typing import Final

from application.wire.upstream_errors import UpstreamFailure
from domain.catalogue.alias import FallOverCause

_TOO_LONG: Final = frozenset(
    {"context_length_exceeded", "request_too_large", "string_above_max_length", "input_too_long"}
)
"""What providers and their status 413 are called where a prompt does not fit; their free text decides nothing."""


def cause_of(failure: UpstreamFailure) -> FallOverCause | None:
    """The cause by which a route may name this failure."""
    if failure.kind == "content_filter":
        return "content_filter"
    if failure.kind == "bad_request" and not _TOO_LONG.isdisjoint((failure.code, failure.provider_code)):
        return "context_length"
    return None
