"""Moderations: bytes pass. Free at its provider, so what it costs is the price's fee per request."""

from typing import Final

from application.dialects.openai.moderations import (
    PATH,
    parse_moderations,
    patch_moderations,
    read_moderations,
)
from application.dialects.port import Asked
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, JsonEndpoint, Speech, Whole
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, whole_of
from application.wire.bounds import Bound, ModelLimits
from application.wire.prompt import PromptText
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price

MODEL: Final = "omni-moderation-latest"
"""The alias of requests that name no model, as OpenAI has it."""


class ModerationsEndpoint(JsonEndpoint):
    """`POST /v1/moderations`."""

    name = "moderations"
    serving = frozenset[Operation](("moderations",))

    def parse(self, body: bytes) -> UnitsHead:
        head = parse_moderations(body)
        return UnitsHead(model=head.model or MODEL, most=head.most, unpriced=head.unpriced)

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  a fee has no other bound
        assert isinstance(head, UnitsHead)
        return bound_in_units(head.most, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeModerations(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  tokens are not counted
        return None


class NativeModerations(UnitSpeech):
    """A deployment of the OpenAI dialect."""

    __slots__ = ()

    def ask(self) -> Asked:
        self.require_openai()
        return Asked(
            path=PATH, body=patch_moderations(self.asking.body, model=self.deployment.upstream_model)
        )

    def read(self, body: bytes) -> Whole:
        return whole_of(read_moderations(body))
