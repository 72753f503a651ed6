"""Responses: bytes pass to deployments that offer them, others get a translation."""

from application.dialects.openai.responses.answer import read_response, response_text
from application.dialects.openai.responses.head import (
    NO_STORE,
    PATH,
    parse_responses,
    patch_responses,
    responses_prompt,
)
from application.dialects.openai.responses.relay import ResponsesRelay
from application.dialects.openai.responses.surface import ResponsesSurface
from application.dialects.openai.usage import figures
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech, whole_read
from application.speech.port import Asking, Speech, TokenEndpoint, Whole
from application.speech.translation import TranslatedSpeech
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading
from domain.catalogue.deployment_spec import Operation


class ResponsesEndpoint(TokenEndpoint):
    """`POST /v1/responses`."""

    name = "responses"
    serving = frozenset[Operation](("responses", "chat", "messages"))

    def parse(self, body: bytes) -> ChatHead:
        return parse_responses(body)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        if deployment.dialect == "openai" and "responses" in deployment.serves:
            return NativeResponses(asking, deployment)
        return TranslatedSpeech(asking, deployment, ResponsesSurface())

    def prompt(self, asking: Asking) -> PromptText | None:
        return responses_prompt(asking.body)


class NativeResponses(TokenSpeech):
    """A deployment that offers responses itself."""

    __slots__ = ()

    def ask(self) -> Asked:
        asking, deployment = self.asking, self.deployment
        body = patch_responses(
            asking.body,
            model=deployment.upstream_model,
            max_output_tokens=asking.answer_tokens_of(deployment),
            takes_store=NO_STORE not in deployment.traits,
        )
        return Asked(path=PATH, body=body)

    def read(self, body: bytes) -> Whole:
        return whole_read(read_response(body))

    def spoken(self, body: bytes) -> SpokenText:
        return response_text(body)

    def relay(self) -> ResponsesRelay:
        return ResponsesRelay()

    def figures(self, reading: Reading) -> Figures:
        return figures(reading)

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:
        assert isinstance(relay, ResponsesRelay)
        return relay.error(code, message)
