"""Embeddings: unit vectors that depend on the input only, as float lists or base64 of little-endian float32."""

import base64
import hashlib
import math
import sys
from array import array
from typing import Any, Final

import msgspec

from sandbox.calls import EmbeddingBody, texts
from sandbox.errors import Refused

DIMENSIONS: Final = 1536
DIMENSIONS_MAX: Final = 4096
INPUTS_MAX: Final = 2048


def vector(item: str | list[int], dimensions: int) -> "array[float]":
    """A unit vector in float32, so that both encodings say the same numbers."""
    seed = item.encode("utf-8", "surrogatepass") if isinstance(item, str) else msgspec.json.encode(item)
    raw = array("h", hashlib.shake_128(seed).digest(2 * dimensions))
    if sys.byteorder == "big":
        raw.byteswap()
    length = math.sqrt(sum(value * value for value in raw)) or 1.0
    return array("f", [value / length for value in raw])


def encoded(values: "array[float]", *, as_base64: bool) -> str | list[float]:
    if not as_base64:
        return values.tolist()
    if sys.byteorder == "big":
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode("ascii")


def answer(asked: EmbeddingBody, *, prompt_tokens: int) -> dict[str, Any]:
    """The `list` object of `POST /v1/embeddings`.

    Raises:
        Refused: dimensions or the number of inputs are out of range.
    """
    dimensions = asked.dimensions if asked.dimensions is not None else DIMENSIONS
    if not 1 <= dimensions <= DIMENSIONS_MAX:
        raise Refused(
            400, f"dimensions must be 1 to {DIMENSIONS_MAX}.", code="invalid_value", param="dimensions"
        )
    inputs = texts(asked)
    if len(inputs) > INPUTS_MAX:
        raise Refused(400, f"At most {INPUTS_MAX} inputs.", code="array_above_max_length", param="input")
    as_base64 = asked.encoding_format == "base64"
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": i,
                "embedding": encoded(vector(item, dimensions), as_base64=as_base64),
            }
            for i, item in enumerate(inputs)
        ],
        "model": asked.model,
        "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
    }
