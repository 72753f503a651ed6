"""The endpoint `/rerank`, as Cohere and Jina have it and others after them: a query, documents, the best of them.

Providers charge tokens (Jina, vLLM) or search units (Cohere): a query with up to a hundred documents, where one that is
longer than some 500 tokens counts as several.
"""

from typing import Any, Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.document import object_in, patched, written
from application.dialects.openai.simple_answer import Document, read_document
from application.dialects.openai.units import GARBAGE, Answer, Used
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import unpriced_members
from application.wire.usage import Reading

PATH: Final = b"/rerank"
DOCUMENTS_MAX: Final = 10_000
DOCUMENTS_PER_SEARCH: Final = 100
CHUNK_BYTES_MIN: Final = 250
"""A chunk is never shorter: 500 tokens, of which the query may take a part."""
TOKENS_PER_PAIR: Final = 16


class RerankHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a request."""

    model: str
    documents: int
    top_n: int | None
    opaque: (
        bool  #: the query or a document is an object, perhaps a picture: its bytes may not bound its tokens
    )
    most: Used
    body_bytes: int
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`


def parse_rerank(body: bytes) -> RerankHead:
    """Check and read a request body. Documents are texts or objects; a query is a text, or an object for pictures.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    query_bytes = _bytes("query", request.get("query"))
    documents = request.get("documents")
    if documents is None:
        raise fields.missing("documents")
    if not isinstance(documents, list):
        raise fields.wrong_type("documents", "an array", documents)
    if not 1 <= len(documents) <= DOCUMENTS_MAX:
        raise InvalidRequest(
            "invalid_value", "documents", f"'documents' must have 1 to {DOCUMENTS_MAX} documents."
        )
    sizes = [_bytes(f"documents[{index}]", document) for index, document in enumerate(documents)]
    chunks = sum(-(-max(size, 1) // CHUNK_BYTES_MIN) for size in sizes)
    return RerankHead(
        model=fields.model(request),
        documents=len(documents),
        top_n=fields.count(request, "top_n", most=2**31 - 1),
        opaque=isinstance(request["query"], dict) or any(isinstance(each, dict) for each in documents),
        most=Used(
            input=sum(sizes) + (query_bytes + TOKENS_PER_PAIR) * chunks,  # the query is read with each chunk
            searches=-(-chunks // DOCUMENTS_PER_SEARCH),
            source="request",
        ),
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def _bytes(name: str, value: Any) -> int:
    if value is None:
        raise fields.missing(name)
    if isinstance(value, str):
        return fields.utf8_bytes(value)
    if not isinstance(value, dict):
        raise fields.wrong_type(name, "a string or an object", value)
    return len(written(value))


def patch_rerank(body: bytes, *, model: str) -> bytes:
    """The body for a deployment."""
    return patched(body, {"model": model})


def read_rerank(body: bytes) -> Answer:
    """Read the whole body of a 200. Never raises."""
    document = read_document(body, items=("results", "data"))
    if isinstance(document, Answer):
        return document
    if document.items is None:
        return GARBAGE
    raw = document.usage_raw or (written(document.meta) if document.meta else None)
    return Answer(body=document.body, used=_used(document), usage_raw=raw)


def _used(document: Document) -> Used | None:
    """Jina's `usage.total_tokens`; Cohere's `meta.billed_units`, which says more than `meta.tokens` beside it."""
    usage = Reading(document.usage or {})
    billed = Reading(object_in(document.meta, "billed_units"))
    tokens = Reading(object_in(document.meta, "tokens"))
    searches = usage.first(("search_units",)) or billed.first(("search_units",))
    read = (
        usage.first(("total_tokens",), ("prompt_tokens",))
        or billed.first(("total_tokens",), ("input_tokens",))
        or tokens.first(("input_tokens",))
    )
    if not searches and not read:
        return None
    return Used(input=read, searches=searches, flags=tuple(usage.flags + billed.flags + tokens.flags))
