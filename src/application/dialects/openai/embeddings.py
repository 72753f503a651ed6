"""The endpoint `/embeddings`: tokens in, vectors out."""

import base64
import struct
from typing import Any, Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.document import patched
from application.dialects.openai.simple_answer import read_document
from application.dialects.openai.units import GARBAGE, Answer, Used
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import unpriced_members
from application.wire.usage import Reading

PATH: Final = b"/embeddings"
TOKENS_PER_INPUT: Final = 16
"""What models wrap around a text: markers of its start and end, a prefix for its role."""
INPUTS_MAX: Final = 2_048
DIMENSIONS_MAX: Final = 65_536


class EmbeddingsHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a request."""

    model: str
    inputs: int
    base64: bool  #: the client takes base64 of little-endian float32, as SDKs ask by default
    dimensions: int | None
    user: str | None
    most: Used
    body_bytes: int
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`


def parse_embeddings(body: bytes) -> EmbeddingsHead:
    """Check and read a request body: a text, texts, tokens, or arrays of tokens.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    inputs, tokens = _input(request.get("input"))
    wanted = fields.optional_text(request, "encoding_format")
    return EmbeddingsHead(
        model=fields.model(request),
        inputs=inputs,
        base64=wanted == "base64",
        dimensions=fields.count(request, "dimensions", most=DIMENSIONS_MAX),
        user=fields.user(request),
        most=Used(input=tokens + TOKENS_PER_INPUT * inputs, source="request"),
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def _input(value: Any) -> tuple[int, int]:
    """How many inputs there are, and a bound of their tokens: tokens as given, texts by their bytes."""
    if value is None:
        raise fields.missing("input")
    if isinstance(value, str):
        return 1, fields.utf8_bytes(value)
    if not isinstance(value, list):
        raise fields.wrong_type("input", "a string or an array", value)
    if not value:
        raise InvalidRequest("empty_array", "input", "'input' must not be empty.")
    fields.texts_or_tokens("input", value)
    if type(value[0]) is int:
        return 1, len(value)
    if len(value) > INPUTS_MAX:
        raise InvalidRequest("invalid_value", "input", f"'input' has more than {INPUTS_MAX} inputs.")
    return len(value), sum(fields.utf8_bytes(item) if isinstance(item, str) else len(item) for item in value)


def patch_embeddings(body: bytes, *, model: str) -> bytes:
    """The body for a deployment. `encoding_format` stays: upstreams that do not know it answer in floats, which SDKs take."""
    return patched(body, {"model": model})


def read_embeddings(body: bytes) -> Answer:
    """Read the whole body of a 200. Never raises."""
    document = read_document(body, items=("data",))
    if isinstance(document, Answer):
        return document
    if document.items is None:
        return GARBAGE
    used = None
    if document.usage:
        reading = Reading(document.usage)
        used = _used(reading)
    return Answer(body=document.body, used=used, usage_raw=document.usage_raw)


def _used(reading: Reading) -> Used | None:
    for name in ("prompt_tokens", "total_tokens"):
        tokens = reading.figure(name)
        if tokens is not None and tokens >= 0:
            return Used(input=tokens, flags=tuple(reading.flags))
    return None


def vector_of(floats: list[float], *, as_base64: bool) -> list[float] | str:
    """One embedding in the form that the client asked for, where an upstream of another dialect gave floats."""
    if not as_base64:
        return floats
    return base64.b64encode(struct.pack(f"<{len(floats)}f", *floats)).decode("ascii")
