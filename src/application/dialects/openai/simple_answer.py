"""Reads answers that are one JSON document with a list of results: embeddings, images, moderations, rankings.

Results are counted and never parsed, since they are most of the bytes; the body passes unchanged but for an upstream's
own cost in its usage, and bytes that are no UTF-8.
"""

from typing import Any, Final

import msgspec

from application.dialects.openai.document import Json, object_in, parsed, written
from application.dialects.openai.units import ERROR_BODY, GARBAGE, Answer, kept
from application.wire.chunk import NOT_JSON, BaseResp, as_utf8
from application.wire.cost import without_cost

_NULL: Final = msgspec.Raw(b"null")


class Item(msgspec.Struct, gc=False):
    """One result, of which nothing is read."""


class _Document(msgspec.Struct, gc=False):
    data: list[Item] | None = None
    results: list[Item] | None = None
    usage: msgspec.Raw = _NULL
    meta: Any = None
    error: Any = None
    text: Any = None
    duration: Any = None
    size: Any = None
    quality: Any = None
    base_resp: BaseResp | None = None


_decode: Final = msgspec.json.Decoder(_Document).decode


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of an answer that is none of an error."""

    body: bytes  #: for the client
    items: int | None  #: results, `None` if there is no list of them
    usage: Json | None
    usage_raw: bytes | None
    meta: Json
    text: str | None
    duration: Any
    size: str  #: of pictures; empty where it is not told
    quality: str


def read_document(body: bytes, *, items: tuple[str, ...]) -> Document | Answer:
    """Read the body; an `Answer` with a fault if it is an error or no object. `items` names where results may stand."""
    body = as_utf8(body)
    try:
        document = _decode(body)
    except NOT_JSON:
        loose = parsed(body)
        if loose is None:
            return GARBAGE
        document = _loose(loose)
    if document.error or (document.base_resp is not None and document.base_resp.status_code != 0):
        return ERROR_BODY
    raw = bytes(document.usage)
    usage = parsed(raw) or None
    lists = [found for name in items if (found := getattr(document, name)) is not None]
    return Document(
        body=without_cost(body, usage) if usage else body,
        items=len(lists[0]) if lists else None,
        usage=usage,
        usage_raw=kept(raw) if usage else None,
        meta=document.meta if isinstance(document.meta, dict) else {},
        text=document.text if isinstance(document.text, str) else None,
        duration=document.duration,
        size=document.size if isinstance(document.size, str) else "",
        quality=document.quality if isinstance(document.quality, str) else "",
    )


def _loose(members: Json) -> _Document:
    """A document of which some member has another type than expected: what can be used of it."""
    base = object_in(members, "base_resp").get("status_code")
    usage = members.get("usage")
    return _Document(
        data=_counted(members.get("data")),
        results=_counted(members.get("results")),
        usage=msgspec.Raw(written(usage)) if isinstance(usage, dict) else _NULL,
        meta=members.get("meta"),
        error=members.get("error"),
        text=members.get("text"),
        duration=members.get("duration"),
        size=members.get("size"),
        quality=members.get("quality"),
        base_resp=BaseResp(status_code=base) if isinstance(base, int) else None,
    )


def _counted(value: Any) -> list[Item] | None:
    return [Item()] * len(value) if isinstance(value, list) else None
