"""Pictures: one tiny PNG, as often as it was asked for."""

import base64
import struct
import zlib
from typing import Any, Final

from sandbox.errors import Refused
from sandbox.models import CREATED
from sandbox.others.forms import form_of
from sandbox.others.made import Made, metadata_of, object_of, required
from sandbox.tokens import Tokens

TOKENS_PER_PICTURE: Final = 272
TOKENS_PER_INPUT: Final = 64
_LOOK: Final = {"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00\xff\x80\x00"))
        + chunk(b"IEND", b"")
    )


PICTURE: Final = base64.b64encode(_png()).decode()


def generation(body: bytes, tokens: Tokens) -> Made:
    asked = object_of(body)
    return _made(asked, tokens, kind="image_generation", pictures=0, stream=asked.get("stream") is True)


def edit(body: bytes, tokens: Tokens) -> Made:
    form = form_of(body)
    if not form.files:
        raise Refused(400, "An image is missing.", code="missing_required_parameter", param="image")
    asked = {**form.fields, "n": int(form.fields.get("n", "1"))}
    return _made(asked, tokens, kind="image_edit", pictures=len(form.files), stream=form.flag("stream"))


def _made(asked: dict[str, Any], tokens: Tokens, *, kind: str, pictures: int, stream: bool) -> Made:
    text = tokens.count(required(asked, "prompt", str))
    seen = pictures * TOKENS_PER_INPUT
    made = asked.get("n") or 1
    output = made * TOKENS_PER_PICTURE
    usage = {
        "input_tokens": text + seen,
        "input_tokens_details": {"image_tokens": seen, "text_tokens": text},
        "output_tokens": output,
        "total_tokens": text + seen + output,
    }
    model, metadata = required(asked, "model", str), metadata_of(asked)
    if not stream:
        whole = {"created": CREATED, **_LOOK, "data": [{"b64_json": PICTURE}] * made, "usage": usage}
        return Made(model=model, metadata=metadata, usage=usage, whole=whole)
    shown = {"b64_json": PICTURE, "created_at": CREATED, **_LOOK}
    events = (
        {"type": f"{kind}.partial_image", "partial_image_index": 0, **shown},
        {"type": f"{kind}.completed", **shown, "usage": usage},
    )
    return Made(model=model, metadata=metadata, usage=usage, events=events)
