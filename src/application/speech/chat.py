"""Chat completions: bytes pass to deployments that speak them, others get a translation."""

from typing import Final

from application.dialects.port import Asked, Relay
from application.dialects.translated import ChatSurface
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech, whole_read
from application.speech.port import Asking, Speech, TokenEndpoint, Whole
from application.speech.translation import TranslatedSpeech, offers_responses_only
from application.wire.answer import read_answer, spoken_text
from application.wire.errors import envelope, spec_of
from application.wire.head import ChatHead, parse_chat
from application.wire.patch import patch_body
from application.wire.prompt import PromptText, prompt_text
from application.wire.relay import StreamMeter, Tail
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage, openai_figures
from application.wire.usage_event import Stamp, usage_event
from domain.catalogue.deployment_spec import Operation

PATH: Final = b"/chat/completions"
SERVING: Final = frozenset[Operation](("chat", "messages", "responses"))


class ChatEndpoint(TokenEndpoint):
    """`POST /v1/chat/completions`."""

    name = "chat"
    serving = SERVING

    def parse(self, body: bytes) -> ChatHead:
        return parse_chat(body)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        if deployment.dialect == "openai" and not offers_responses_only(deployment):
            return NativeChat(asking, deployment)
        surface = ChatSurface(usage_wanted=asking.head.include_usage)
        return TranslatedSpeech(asking, deployment, surface)

    def prompt(self, asking: Asking) -> PromptText | None:
        return prompt_text(asking.body)


class NativeChat(TokenSpeech):
    """A deployment that speaks chat completions itself."""

    __slots__ = ()

    def ask(self) -> Asked:
        asking, deployment = self.asking, self.deployment
        body = patch_body(
            asking.body,
            model=deployment.upstream_model,
            max_tokens_field=deployment.output_field,
            max_tokens=asking.answer_tokens_of(deployment),
            include_usage=asking.stream,
        )
        return Asked(path=PATH, body=body)

    def read(self, body: bytes) -> Whole:
        return whole_read(read_answer(body))

    def spoken(self, body: bytes) -> SpokenText:
        return spoken_text(body)

    def relay(self) -> StreamMeter:
        return StreamMeter(usage_wanted=self.asking.head.include_usage)

    def figures(self, reading: Reading) -> Figures:
        return openai_figures(reading, dialect=self.deployment.usage_dialect)

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage) -> bytes:
        """A client that asked for usage gets it, if not from the upstream then from here."""
        assert isinstance(relay, StreamMeter)
        asking = self.asking
        if not asking.head.include_usage or relay.usage_shown:
            return tail.data
        stamp = Stamp(
            id=f"chatcmpl-{asking.request_id}",
            created_s=asking.created_s,
            model=self.deployment.upstream_model,
        )
        return tail.with_event(usage_event(tail.last_events, relay.beginning, usage, otherwise=stamp))


def openai_envelope(
    code: str,
    message: str,
    *,
    param: str | None,
    request_id: str,  # noqa: ARG001  a header says it
    numbers: dict[str, int],
) -> tuple[int, bytes]:
    """OpenAI's, with all four keys."""
    return spec_of(code).status, envelope(code, message, param, **numbers)
