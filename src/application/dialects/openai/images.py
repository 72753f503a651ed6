"""The endpoints `/images/generations` and `/images/edits`: charged by the picture, or by tokens where usage tells them."""

from typing import Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.document import Json, patched
from application.dialects.openai.event_relay import EventRelay
from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.simple_answer import read_document
from application.dialects.openai.typed_reader import TypedReader
from application.dialects.openai.units import GARBAGE, Answer, Used, used_tokens
from application.dialects.openai.usage import figures
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import unpriced_members
from application.wire.usage import Reading

GENERATIONS_PATH: Final = b"/images/generations"
EDITS_PATH: Final = b"/images/edits"
IMAGES_MAX: Final = 10
PARTIAL_IMAGES_MAX: Final = 3
PARTIAL_TOKENS: Final = 100
"""What each picture that is shown unfinished costs on top."""
_LAST: Final = frozenset({"image_generation.completed", "image_edit.completed"})
_PICTURES: Final = ("image", "image[]", "mask", "markup")


_ELSEWHERE: Final = (*_PICTURES, "images", "images[]", "image_url", "image_file", "file_id")
"""As fields, some providers take them for a picture: nobody has counted it."""


class ImagesHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a request. Size and quality choose the row of the price."""

    model: str | None  #: the endpoint has a default
    stream: bool
    images: int  #: to be made
    partial_images: int
    inputs: int  #: pictures that are given
    prompt_bytes: int
    size: str | None
    quality: str | None
    user: str | None
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`

    def most(self, *, image_tokens_max: int, input_image_tokens_max: int) -> Used:
        """The bound. A picture's tokens are the model's to know, as none are told by the request."""
        return Used(
            input=self.prompt_bytes + self.inputs * input_image_tokens_max,
            output=self.images * (image_tokens_max + self.partial_images * PARTIAL_TOKENS),
            input_image=self.inputs * input_image_tokens_max,
            output_image=self.images * (image_tokens_max + self.partial_images * PARTIAL_TOKENS),
            images=self.images,
            source="request",
        )


def parse_image_generation(body: bytes) -> ImagesHead:
    """Check and read a JSON body.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    return _head(parse_object(body), inputs=0)


def parse_image_edit(form: FormReader) -> ImagesHead:
    """Read a form that is finished, or that has come to its first file (then `inputs` may grow).

    Raises:
        InvalidRequest: it cannot be served.
    """
    if any(file.name not in _PICTURES for file in form.files):
        raise InvalidRequest("invalid_value", "image", "The form has files other than its images and mask.")
    for name in _ELSEWHERE:
        if name in form.fields:
            raise fields.unsupported(
                name, "stands for a picture that is not a file of the form, which is not offered"
            )
    if not form.files:
        raise fields.missing("image")
    return _head(form.request(), inputs=len(form.files))


def _head(request: Json, *, inputs: int) -> ImagesHead:
    stream = fields.flag(request, "stream")
    images = fields.count(request, "n", most=IMAGES_MAX) or 1
    if stream and images > 1:
        raise fields.unsupported("n", "must be 1 with 'stream'")
    if request.get("svg") is not None:
        raise fields.unsupported("svg", "asks for a second model, which is not offered")
    fields.count(request, "frame_count", most=1)  # a moving picture is several
    return ImagesHead(
        model=fields.optional_model(request),
        stream=stream,
        images=images,
        partial_images=fields.count(request, "partial_images", least=0, most=PARTIAL_IMAGES_MAX) or 0,
        inputs=inputs,
        prompt_bytes=fields.utf8_bytes(fields.text(request, "prompt")),
        size=fields.optional_text(request, "size"),
        quality=fields.optional_text(request, "quality"),
        user=fields.user(request),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def patch_image_generation(body: bytes, *, model: str) -> bytes:
    """The body for a deployment. A form's model is put in by `multipart.rewriter.FormRewriter`."""
    return patched(body, {"model": model})


def read_images(body: bytes) -> Answer:
    """Read the whole body of a 200. Never raises."""
    document = read_document(body, items=("data",))
    if isinstance(document, Answer):
        return document
    if document.items is None:
        return GARBAGE
    used = _used_of(document.usage) if document.usage else None
    used = used or Used(source="answer")
    used = msgspec.structs.replace(
        used, images=document.items, image_size=document.size, image_quality=document.quality
    )
    return Answer(
        body=document.body,
        used=used,
        usage_raw=document.usage_raw,
    )


class ImagesRelay(EventRelay):
    """The `Relay` of one picture's events; the one that completes it, which has the usage, is withheld."""

    def __init__(self) -> None:
        self._reader = TypedReader(last=_LAST, used_of=_used_of)
        super().__init__(self._reader)

    @property
    def used(self) -> Used | None:
        if not self._reader.ended:
            return self._reader.used
        return msgspec.structs.replace(
            self._reader.used or Used(source="answer"),
            images=1,
            image_size=self._reader.words.get("size", ""),
            image_quality=self._reader.words.get("quality", ""),
        )


def _used_of(usage: Json) -> Used | None:
    """Tokens; the pictures' are all the output where it says nothing else."""
    reading = Reading(usage)
    if reading.figure("input_tokens") is None:
        return None
    used = used_tokens(reading, figures(reading))
    seen = min(reading.first(("input_tokens_details", "image_tokens")), used.input)
    text = min(reading.first(("output_tokens_details", "text_tokens")), used.output)
    return msgspec.structs.replace(used, input_image=seen, output_image=used.output - text)
