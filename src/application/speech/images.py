"""Images, made and edited: bytes pass. Metered by the picture, by tokens, or by both, as the price names them.

A price must name pictures; zero says that tokens pay for them. What a picture's tokens are at most, the deployment knows:
as its longest answer for one that is made, as its largest picture (else its context) for one that is given.
"""

from typing import Final

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
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, require_price, whole_of
from application.speech.upload import FormBody, Upload
from application.wire.bounds import Bound, ModelLimits
from application.wire.prompt import PromptText
from domain.catalogue.deployment_spec import Operation
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
    require_price(price.image_nano_per_million, model=head.model, of="images")
    most = head.images.most(
        image_tokens_max=limits.output_tokens_max,
        input_image_tokens_max=limits.image_tokens_max or limits.context_tokens,
    )
    return bound_in_units(most, price)


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
