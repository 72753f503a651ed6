"""The endpoint `/moderations`: free at its provider, so that only a flat fee can price it."""

from typing import Any, Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.document import patched
from application.dialects.openai.simple_answer import read_document
from application.dialects.openai.units import GARBAGE, Answer, Used
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import unpriced_members

PATH: Final = b"/moderations"


class ModerationsHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a request."""

    model: str | None  #: the endpoint has a default
    most: Used
    body_bytes: int
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`


def parse_moderations(body: bytes) -> ModerationsHead:
    """Check and read a request body: a text, texts, or parts.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    _check(request.get("input"))
    return ModerationsHead(
        model=fields.optional_model(request),
        most=Used(source="request"),
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def _check(value: Any) -> None:
    if value is None:
        raise fields.missing("input")
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise fields.wrong_type("input", "a string or an array", value)
    if not value:
        raise InvalidRequest("empty_array", "input", "'input' must not be empty.")
    for index, item in enumerate(value):
        if not isinstance(item, str | dict):
            raise fields.wrong_type(f"input[{index}]", "a string or an object", item)


def patch_moderations(body: bytes, *, model: str) -> bytes:
    """The body for a deployment."""
    return patched(body, {"model": model})


def read_moderations(body: bytes) -> Answer:
    """Read the whole body of a 200. Never raises."""
    document = read_document(body, items=("results",))
    if isinstance(document, Answer):
        return document
    if document.items is None:
        return GARBAGE
    return Answer(body=document.body, used=Used(source="answer"), usage_raw=document.usage_raw)
