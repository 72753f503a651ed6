"""Anthropic's messages: bytes pass to deployments that speak them, others get a translation."""

from typing import Final

from application.dialects.anthropic.surface.encode import encoded
from application.dialects.anthropic.surface.errors import error_body, error_of
from application.dialects.anthropic.surface.head import parse_messages
from application.dialects.anthropic.surface.native import native_headers, patch_messages
from application.dialects.anthropic.surface.read import message_text, read_message
from application.dialects.anthropic.surface.relay import MessagesRelay
from application.dialects.anthropic.surface.request import chat_request
from application.dialects.anthropic.surface.surface import MessagesSurface
from application.dialects.anthropic.usage import figures
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.chat import SERVING
from application.speech.deployed import TokenSpeech, whole_read
from application.speech.port import Asking, Speech, TokenEndpoint, Whole
from application.speech.translation import TranslatedSpeech
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead
from application.wire.prompt import PromptText, prompt_text
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading

PATH: Final = b"/v1/messages"
REASONING: Final = "reasoning_content"
"""Trait: the provider asks for the client's record of its earlier thoughts."""


class MessagesEndpoint(TokenEndpoint):
    """`POST /v1/messages`."""

    name = "messages"
    serving = SERVING

    def parse(self, body: bytes) -> ChatHead:
        return parse_messages(body)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        if deployment.dialect == "anthropic":
            return NativeMessages(asking, deployment)
        surface = MessagesSurface(reasoning=REASONING in deployment.traits)
        return TranslatedSpeech(asking, deployment, surface)

    def prompt(self, asking: Asking) -> PromptText | None:
        try:
            return prompt_text(encoded(chat_request(asking.document())))
        except InvalidRequest:  # what only this dialect can say is passed to its own providers all the same
            return None


class NativeMessages(TokenSpeech):
    """A deployment that speaks messages itself."""

    __slots__ = ()

    def ask(self) -> Asked:
        asking, deployment = self.asking, self.deployment
        body = patch_messages(
            asking.body,
            model=deployment.upstream_model,
            max_tokens=asking.answer_tokens_of(deployment),
        )
        return Asked(path=PATH, body=body, headers=tuple(native_headers(asking.headers)))

    def read(self, body: bytes) -> Whole:
        return whole_read(read_message(body))

    def spoken(self, body: bytes) -> SpokenText:
        return message_text(body)

    def relay(self) -> MessagesRelay:
        return MessagesRelay()

    def figures(self, reading: Reading) -> Figures:
        return figures(reading)

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:  # noqa: ARG002  it needs no state
        return b"event: error\ndata: " + error_body(code, message) + b"\n\n"


def anthropic_envelope(
    code: str,
    message: str,
    *,
    param: str | None,  # noqa: ARG001  this envelope has no place for it; messages name it
    request_id: str,
    numbers: dict[str, int],  # noqa: ARG001  nor for these
) -> tuple[int, bytes]:
    """Anthropic's, with its own types and statuses."""
    return error_of(code).status, error_body(code, message, request_id=request_id)
