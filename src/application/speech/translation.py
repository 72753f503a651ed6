"""A deployment whose dialect is not its client's: both meet in chat completions."""

from collections.abc import Callable
from typing import Final

from application.dialects.anthropic import usage as anthropic_usage
from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.gemini import usage as gemini_usage
from application.dialects.gemini.upstream import GeminiUpstream
from application.dialects.openai import usage as responses_usage
from application.dialects.openai.chat.upstream import OpenAiUpstream
from application.dialects.openai.responses.upstream.dialect import ResponsesUpstream
from application.dialects.port import Asked, ChatUpstream, Json, Relay, Surface, Target
from application.dialects.translated import TranslatedRelay
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech
from application.speech.port import Asking, Whole
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, openai_figures
from domain.catalogue.deployment_spec import Operation

_CHAT: Final = frozenset[Operation](("chat", "messages"))
_MAX_TOKENS: Final = frozenset(("max_tokens",))


def offers_responses_only(deployment: DeploymentView) -> bool:
    """Whether a deployment of the OpenAI dialect has no chat completions."""
    return "responses" in deployment.serves and deployment.serves.isdisjoint(_CHAT)


def upstream_of(deployment: DeploymentView) -> ChatUpstream:
    """What a deployment speaks."""
    if deployment.dialect == "anthropic":
        return AnthropicUpstream()
    if deployment.dialect == "gemini":
        return GeminiUpstream()
    if offers_responses_only(deployment):
        return ResponsesUpstream()
    return OpenAiUpstream(usage_dialect=deployment.usage_dialect)


def figures_of(deployment: DeploymentView) -> Callable[[Reading], Figures]:
    """How a deployment's usage is read."""
    if deployment.dialect == "anthropic":
        return anthropic_usage.figures
    if deployment.dialect == "gemini":
        return gemini_usage.figures
    if offers_responses_only(deployment):
        return responses_usage.figures
    return lambda reading: openai_figures(reading, dialect=deployment.usage_dialect)


class TranslatedSpeech(TokenSpeech):
    """One deployment, asked in its own dialect."""

    __slots__ = ("_surface", "_upstream", "figures")

    def __init__(self, asking: Asking, deployment: DeploymentView, surface: Surface) -> None:
        super().__init__(asking, deployment)
        self._surface = surface
        self._upstream = upstream_of(deployment)
        self.figures = figures_of(deployment)

    def ask(self) -> Asked:
        asking, deployment = self.asking, self.deployment
        traits = deployment.traits
        if deployment.dialect == "openai" and deployment.output_field == "max_tokens":
            traits |= _MAX_TOKENS
        target = Target(
            model=deployment.upstream_model,
            output_tokens=asking.answer_tokens_of(deployment),
            traits=traits,
        )
        return self._upstream.ask(self._chat(), target, stream=asking.stream)

    def read(self, body: bytes) -> Whole:
        read = self._upstream.read(body, alias=self.asking.head.model, created_s=self.asking.created_s)
        if read.completion is None:
            return Whole(body=b"", usage_raw=read.usage_raw, fault=read.fault or "garbage")
        said = self._surface.answer(read.completion, request=self.asking.document())
        return Whole(body=said, usage_raw=read.usage_raw, service_tier=read.completion.get("service_tier"))

    def spoken(self, body: bytes) -> SpokenText:
        asking = self.asking
        return self._upstream.read(body, alias=asking.head.model, created_s=asking.created_s).spoken

    def relay(self) -> TranslatedRelay:
        asking = self.asking
        return TranslatedRelay(
            self._upstream.stream(alias=asking.head.model, created_s=asking.created_s),
            self._surface.stream(request=asking.document()),
        )

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:
        assert isinstance(relay, TranslatedRelay)
        return relay.error(code, message)

    def _chat(self) -> Json:
        """Raises: InvalidRequest."""
        return self._surface.chat_of(self.asking.document())
