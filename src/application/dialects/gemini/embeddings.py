"""Gemini as an upstream of embeddings: `batchEmbedContents`, or `embedContent` where a model takes one text only.

The batch form tells no usage (recorded), so `prompt_tokens` of the translated answer are 0 then: whoever counts locally
because `usage_raw` is none writes its count there. Vectors pass as they are; those that `dimensions` cut short are not
of length one with every model.
"""

import struct
from base64 import b64encode
from typing import Any, Final

import msgspec

from application.dialects.gemini.answer import readable
from application.dialects.gemini.checks import name, sequence, text, unsupported, wrong_type, wrong_value
from application.dialects.gemini.encoding import written
from application.dialects.gemini.request import encoded, model_path
from application.dialects.gemini.traits import EMBEDS_ONE
from application.dialects.gemini.usage import embedding_figures
from application.dialects.names import plain_names
from application.dialects.port import Asked, Json, Target
from application.wire.answer import AnswerFault
from application.wire.errors import InvalidRequest
from application.wire.usage import Reading

TEXTS_MAX: Final = 100
"""Of one batch, as Google limits it."""
DIMENSIONS_MAX: Final = 65_536
FLOAT32_MAX: Final = 3.4e38
_SAID: Final = ("model", "input", "dimensions", "encoding_format")


class EmbeddingsRead(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `answer` is OpenAI's list of embeddings, unless there is a `fault`."""

    answer: Json | None
    usage_raw: bytes | None  #: in the upstream's own words; none if it said nothing
    fault: AnswerFault | None = None


class GeminiEmbeddings:
    """Asks for embeddings. It holds no state."""

    def ask(self, request: Json, target: Target) -> Asked:
        """Translate an embeddings request; `request` is not changed.

        Raises:
            InvalidRequest: it is malformed, or asks for what Gemini cannot do, such as input that is tokens already.
        """
        wants_base64(request)
        texts = texts_of(request)
        dimensions = _dimensions(request)
        one = EMBEDS_ONE in target.traits
        path = model_path(target.model, "embedContent" if one else "batchEmbedContents")
        asked = [{"content": {"parts": [{"text": said}]}, **dimensions} for said in texts]
        if one and len(asked) > 1:
            raise unsupported("input", "must be one text for this model")
        named = {"model": path.decode()[1:].partition(":")[0]}  # of each request in a batch
        body: Json = asked[0] if one else {"requests": [{**named, **each} for each in asked]}
        dropped = [key for key, value in request.items() if value is not None and key not in _SAID]
        return Asked(path=path, body=encoded(body), dropped=plain_names(dropped))

    def read(self, body: bytes, *, alias: str, request: Json) -> EmbeddingsRead:
        """Read the whole body of a 200 to a `request` that passed `ask`. Never raises on what `body` holds."""
        response = readable(body)
        if type(response) is not dict:
            return EmbeddingsRead(answer=None, usage_raw=None, fault="garbage")
        if response.get("error"):
            return EmbeddingsRead(answer=None, usage_raw=None, fault="error_body")
        usage = response.get("usageMetadata")
        usage = usage if type(usage) is dict else {}
        usage_raw = written(usage) if usage else None
        vectors = _vectors(response)
        if vectors is None or len(vectors) != len(texts_of(request)):
            return EmbeddingsRead(answer=None, usage_raw=usage_raw, fault="garbage")
        packed = wants_base64(request)
        tokens = embedding_figures(Reading(usage)).fresh
        answer: Json = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _base64(vector) if packed else vector}
                for index, vector in enumerate(vectors)
            ],
            "model": alias,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return EmbeddingsRead(answer=answer, usage_raw=usage_raw)


def texts_of(request: Json) -> list[str]:
    """The texts to embed.

    Raises:
        InvalidRequest: there are none, too many, or they are no text.
    """
    given = request.get("input")
    if type(given) is str:
        return [name(given, "input")]
    if given is None:
        raise InvalidRequest("missing_required_parameter", "input", "Missing required parameter: 'input'.")
    if type(given) is not list:
        raise wrong_type("input", "a string or an array of strings")
    texts = sequence(given, "input")
    if not texts or len(texts) > TEXTS_MAX:
        raise wrong_value("input", f"must have 1 to {TEXTS_MAX} texts")
    if type(texts[0]) in (int, list):
        raise unsupported("input", "must be text: this model does not take tokens")
    return [name(said, f"input[{index}]") for index, said in enumerate(texts)]


def wants_base64(request: Json) -> bool:
    """Whether vectors are to be base64 of float32, little end first, as both OpenAI SDKs ask by default.

    Raises:
        InvalidRequest: it is a format that there is not.
    """
    form = request.get("encoding_format")
    if form is None or text(form, "encoding_format") == "float":
        return False
    if form != "base64":
        raise wrong_value("encoding_format", "must be 'float' or 'base64'")
    return True


def _dimensions(request: Json) -> Json:
    wanted = request.get("dimensions")
    if wanted is None:
        return {}
    if type(wanted) is not int:
        raise wrong_type("dimensions", "an integer")
    if not 1 <= wanted <= DIMENSIONS_MAX:
        raise wrong_value("dimensions", f"must be between 1 and {DIMENSIONS_MAX}")
    return {"outputDimensionality": wanted}


def _vectors(response: Json) -> list[list[float]] | None:
    """The vectors of either form; `None` if one is none."""
    embeddings = response.get("embeddings", [response.get("embedding")])
    if type(embeddings) is not list:
        return None
    vectors = [_values(embedding) for embedding in embeddings]
    return None if None in vectors else [vector for vector in vectors if vector is not None]


def _values(embedding: Any) -> list[float] | None:
    values = embedding.get("values") if type(embedding) is dict else None
    if type(values) is not list or not values:
        return None
    if any(type(value) not in (int, float) or not abs(value) < FLOAT32_MAX for value in values):
        return None
    return [float(value) for value in values]


def _base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
