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
from application.speech.port import Asking, Speech, TokenEndpoint, TokenSpeech, Whole
from application.speech.translation import TranslatedSpeech
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.relay import Tail
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage
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

    __slots__ = ("_asking", "_deployment")

    def __init__(self, asking: Asking, deployment: DeploymentView) -> None:
        self._asking = asking
        self._deployment = deployment

    def ask(self) -> Asked:
        asking, deployment = self._asking, self._deployment
        body = patch_responses(
            asking.body,
            model=deployment.upstream_model,
            max_output_tokens=asking.answer_tokens_of(deployment),
            takes_store=NO_STORE not in deployment.traits,
        )
        return Asked(path=PATH, body=body)

    def read(self, body: bytes) -> Whole:
        read = read_response(body)
        return Whole(body=read.body, usage_raw=read.usage_raw, fault=read.fault)

    def spoken(self, body: bytes) -> SpokenText:
        return response_text(body)

    def relay(self) -> ResponsesRelay:
        return ResponsesRelay()

    def figures(self, reading: Reading) -> Figures:
        return figures(reading)

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage) -> bytes:  # noqa: ARG002  all is said
        return tail.data

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:
        assert isinstance(relay, ResponsesRelay)
        return relay.error(code, message)
