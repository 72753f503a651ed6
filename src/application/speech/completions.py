"""Completions, the older endpoint: bytes pass to deployments that offer it; nothing else can serve it."""

from typing import Final

import msgspec

from application.dialects.openai.completions.head import completion_prompt, parse_completion, patch_completion
from application.dialects.openai.completions.relay import CompletionsRelay, completion_text, read_completion
from application.dialects.port import Asked
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech, whole_read
from application.speech.port import Asking, Head, Speech, TokenEndpoint, Whole
from application.wire.bounds import Bound, ModelLimits, bound_of
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, openai_figures
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price

PATH: Final = b"/completions"


class CompletionsEndpoint(TokenEndpoint):
    """`POST /v1/completions`."""

    name = "completions"
    serving = frozenset[Operation](("completions",))

    def parse(self, body: bytes) -> ChatHead:
        return parse_completion(body)

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  tokens have a price always
        """Each prompt of an array has the whole context for itself."""
        assert isinstance(head, ChatHead)
        prompts = head.content.messages
        room = msgspec.structs.replace(limits, context_tokens=limits.context_tokens * prompts)
        return msgspec.structs.replace(bound_of(head, room), several=prompts > 1)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeCompletions(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:
        return completion_prompt(asking.body)


class NativeCompletions(TokenSpeech):
    """A deployment that offers completions."""

    __slots__ = ()

    def ask(self) -> Asked:
        asking, deployment = self.asking, self.deployment
        body = patch_completion(
            asking.body,
            model=deployment.upstream_model,
            max_tokens=asking.answer_tokens_of(deployment),
            include_usage=asking.stream,
        )
        return Asked(path=PATH, body=body)

    def read(self, body: bytes) -> Whole:
        return whole_read(read_completion(body))

    def spoken(self, body: bytes) -> SpokenText:
        return completion_text(body)

    def relay(self) -> CompletionsRelay:
        return CompletionsRelay(usage_wanted=self.asking.usage_wanted)

    def figures(self, reading: Reading) -> Figures:
        return openai_figures(reading, dialect=self.deployment.usage_dialect)
