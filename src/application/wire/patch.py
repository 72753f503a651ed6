"""Rewrites of a request on its way to one deployment: its model name, the bound of its answer, its usage report.

Only these top-level members change. Every other value keeps its bytes; blanks between top-level members go.
"""

from typing import Final, Literal

import msgspec

_Members = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder(_Members).decode
_encode: Final = msgspec.json.Encoder().encode
_WITH_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')
_TRUE: Final = msgspec.Raw(b"true")
_NULL: Final = b"null"

OutputField = Literal["max_tokens", "max_completion_tokens"]
_OTHER_FIELD: Final[dict[OutputField, OutputField]] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}


def patch_body(
    body: bytes,
    *,
    model: str,
    max_tokens_field: OutputField,
    max_tokens: int | None,
    include_usage: bool,
) -> bytes:
    """The body for a deployment that calls its model `model` and bounds answers in `max_tokens_field`.

    `max_tokens` is the bound that was held for. It goes under the deployment's own name and under no other: an
    upstream that does not know the name that the client chose would ignore it and answer without end. `None` leaves
    both members as the client wrote them. `include_usage` asks the upstream of a stream for its usage.

    `body` must have passed `parse_chat`; anything else raises a `msgspec.DecodeError`.
    """
    members = _decode(body)
    members["model"] = msgspec.Raw(_encode(model))
    if max_tokens is not None:
        members.pop(_OTHER_FIELD[max_tokens_field], None)
        members[max_tokens_field] = msgspec.Raw(b"%d" % max_tokens)
    if include_usage:
        members["stream_options"] = _asking_for_usage(members.get("stream_options"))
    return _encode(members)


def _asking_for_usage(options: msgspec.Raw | None) -> msgspec.Raw:
    if options is None or bytes(options) == _NULL:
        return _WITH_USAGE
    members = _decode(options)
    members["include_usage"] = _TRUE
    return msgspec.Raw(_encode(members))
