"""Rerank: bytes pass. Metered in searches where the price names them and the provider tells them, else in tokens."""

from application.dialects.openai.rerank import PATH, parse_rerank, patch_rerank, read_rerank
from application.dialects.port import Asked
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, JsonEndpoint, Speech, Whole
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, require_price, whole_of
from application.wire.bounds import Bound, ModelLimits
from application.wire.prompt import PromptText
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price


class RerankEndpoint(JsonEndpoint):
    """`POST /v1/rerank`."""

    name = "rerank"
    serving = frozenset[Operation](("rerank",))

    def parse(self, body: bytes) -> UnitsHead:
        head = parse_rerank(body)
        return UnitsHead(model=head.model, most=head.most, unpriced=head.unpriced)

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  each pair has a context
        assert isinstance(head, UnitsHead)
        tokens = price.dearest_input_nano_per_million or price.request_nano_per_million or None
        require_price(price.search_nano_per_million, tokens, model=head.model, of="searches")
        return bound_in_units(head.most, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeRerank(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  pairs are bounded, not counted
        return None


class NativeRerank(UnitSpeech):
    """A deployment that has the endpoint as Cohere and Jina have it."""

    __slots__ = ()

    def ask(self) -> Asked:
        self.require_openai()
        return Asked(path=PATH, body=patch_rerank(self.asking.body, model=self.deployment.upstream_model))

    def read(self, body: bytes) -> Whole:
        return whole_of(read_rerank(body))
