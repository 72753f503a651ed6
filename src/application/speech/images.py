"""Images, made and edited: bytes pass. Metered by the picture, by tokens, or by both, as the price names them.

A price must name pictures; zero says that tokens pay for them. What a picture's tokens are at most, the deployment knows:
as its longest answer for one that is made, as its largest picture (else its context) for one that is given. A price may
have rows by size and quality: the provider's word on them counts, then the client's; what neither says may be anything.
"""

from typing import Final

import msgspec

from application.dialects.openai.images import (
    EDITS_PATH,
    GENERATIONS_PATH,
    ImagesHead,
    ImagesRelay,
    parse_image_edit,
    parse_image_generation,
    patch_image_generation,
    read_images,
)
from application.dialects.openai.units import Used
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, JsonEndpoint, Speech, Whole
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, unpriced, whole_of
from application.speech.upload import FormBody, Upload
from application.wire.bounds import Bound, ModelLimits
from application.wire.errors import InvalidRequest
from application.wire.prompt import PromptText
from domain.catalogue.deployment_spec import Operation
from domain.pictures import UNKNOWN, Picture
from domain.pricing import Price

MODEL: Final = "gpt-image-1"
"""The alias of requests that name no model."""


class ImagesRequest(UnitsHead, frozen=True, kw_only=True):
    """A head whose bound depends on the model."""

    images: ImagesHead


def _request(head: ImagesHead) -> ImagesRequest:
    return ImagesRequest(
        model=head.model or MODEL,
        most=Used(images=head.images, source="request"),
        stream=head.stream,
        unpriced=head.unpriced,
        images=head,
    )


def _bound(head: Head, limits: ModelLimits, price: Price) -> Bound:
    assert isinstance(head, ImagesRequest)
    picture = _picture(head, price)
    most = head.images.most(
        image_tokens_max=limits.output_tokens_max,
        input_image_tokens_max=limits.image_tokens_max or limits.context_tokens,
    )
    most = msgspec.structs.replace(most, image_size=picture.size, image_quality=picture.quality)
    return bound_in_units(most, price)


def _picture(head: ImagesRequest, price: Price) -> Picture:
    """Raises: InvalidRequest: no price covers what is asked for."""
    picture = price.picture_of(_known(head.images.size), _known(head.images.quality))
    if picture is not None:
        return picture
    if not price.pictures:
        raise unpriced(head.model, of="images")
    raise InvalidRequest(
        "unpriced_operation",
        "size",
        f"The model '{head.model}' has no price for a picture of this size and quality.",
    )


class ImagesEndpoint(JsonEndpoint):
    """`POST /v1/images/generations`."""

    name = "images"
    serving = frozenset[Operation](("images",))

    def parse(self, body: bytes) -> ImagesRequest:
        return _request(parse_image_generation(body))

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:
        return _bound(head, limits, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeImages(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  pictures are bounded, not counted
        return None


class ImageEditsEndpoint:
    """`POST /v1/images/edits`, a form."""

    name = "image-edits"
    serving = frozenset[Operation](("image-edits",))
    takes_form = True

    def parse(self, body: bytes) -> ImagesRequest:
        raise NotImplementedError

    def parse_form(self, upload: Upload) -> ImagesRequest:
        return _request(parse_image_edit(upload.form))

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:
        return _bound(head, limits, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeImages(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  pictures are bounded, not counted
        return None


class NativeImages(UnitSpeech):
    """A deployment of the OpenAI dialect, for either endpoint."""

    __slots__ = ()

    def ask(self) -> Asked:
        self.require_openai()
        upload, model = self.asking.upload, self.deployment.upstream_model
        if upload is None:
            body = patch_image_generation(self.asking.body, model=model)
            return Asked(path=GENERATIONS_PATH, body=body, takes="either")
        return Asked(
            path=EDITS_PATH,
            body=FormBody(upload, model=model),
            content_type=upload.content_type,
            takes="either",
        )

    def read(self, body: bytes) -> Whole:
        return whole_of(read_images(body))

    def relay(self) -> ImagesRelay:
        return ImagesRelay()

    def told_by(self, relay: Relay | None) -> Used | None:
        return relay.used if isinstance(relay, ImagesRelay) else None

    def used(self, said: Whole | Relay | None) -> Used:
        """With the look that was asked for where the answer tells none."""
        head, used = self.asking.head, super().used(said)
        assert isinstance(head, ImagesRequest)
        return msgspec.structs.replace(
            used,
            image_size=_known(used.image_size) or _known(head.images.size),
            image_quality=_known(used.image_quality) or _known(head.images.quality),
        )


def _known(name: str | None) -> str:
    return "" if name is None or name in UNKNOWN else name
