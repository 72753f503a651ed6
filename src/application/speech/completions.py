"""Completions, the older endpoint: bytes pass to deployments that offer it; nothing else can serve it."""

from typing import Final

import msgspec

from application.dialects.openai.completions.head import completion_prompt, parse_completion, patch_completion
from application.dialects.openai.completions.relay import CompletionsRelay, completion_text, read_completion
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, Speech, TokenEndpoint, TokenSpeech, Whole
from application.wire.bounds import Bound, ModelLimits, bound_of
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.relay import Tail, error_event
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage, openai_figures
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

    __slots__ = ("_asking", "_deployment")

    def __init__(self, asking: Asking, deployment: DeploymentView) -> None:
        self._asking = asking
        self._deployment = deployment

    def ask(self) -> Asked:
        asking, deployment = self._asking, self._deployment
        body = patch_completion(
            asking.body,
            model=deployment.upstream_model,
            max_tokens=asking.answer_tokens_of(deployment),
            include_usage=asking.stream,
        )
        return Asked(path=PATH, body=body)

    def read(self, body: bytes) -> Whole:
        read = read_completion(body)
        return Whole(body=read.body, usage_raw=read.usage_raw, fault=read.fault)

    def spoken(self, body: bytes) -> SpokenText:
        return completion_text(body)

    def relay(self) -> CompletionsRelay:
        return CompletionsRelay(usage_wanted=self._asking.head.include_usage)

    def figures(self, reading: Reading) -> Figures:
        return openai_figures(reading, dialect=self._deployment.usage_dialect)

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage) -> bytes:  # noqa: ARG002  all is said
        return tail.data

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:  # noqa: ARG002  it needs no state
        return error_event(code, message)
