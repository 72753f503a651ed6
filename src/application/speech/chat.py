"""Chat completions: bytes pass to deployments that speak them, others get a translation."""

from typing import Final

import msgspec

from application.dialects.port import Asked, Relay
from application.dialects.translated import ChatSurface
from application.directory_views import DeploymentView
from application.speech.deployed import TokenSpeech, whole_read
from application.speech.port import Asking, Speech, TokenEndpoint, Whole
from application.speech.translation import TranslatedSpeech, offers_responses_only
from application.wire.answer import read_answer, spoken_text
from application.wire.cost import events_with_charge
from application.wire.errors import envelope, spec_of
from application.wire.head import ChatHead, parse_chat
from application.wire.patch import patch_body
from application.wire.prompt import PromptText, prompt_text
from application.wire.relay import StreamMeter, Tail
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage, openai_figures
from application.wire.usage_event import Stamp, usage_event, with_usage
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
        surface = ChatSurface(usage_wanted=asking.usage_wanted)
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
        whole = whole_read(read_answer(body))
        if not self.asking.cost_wanted:
            return whole
        return msgspec.structs.replace(whole, complete=lambda usage: with_usage(whole.body, usage))

    def spoken(self, body: bytes) -> SpokenText:
        return spoken_text(body)

    def relay(self) -> StreamMeter:
        return StreamMeter(usage_wanted=self.asking.usage_wanted)

    def figures(self, reading: Reading) -> Figures:
        return openai_figures(reading, dialect=self.deployment.usage_dialect)

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage, *, charge_nano: int) -> bytes:
        """A client that asked for usage gets it, if not from the upstream then from here; its charge at the very end."""
        assert isinstance(relay, StreamMeter)
        asking = self.asking
        said = super().last_bytes(relay, tail, usage, charge_nano=charge_nano)
        if said is not tail.data or not asking.usage_wanted or (relay.usage_shown and not asking.cost_wanted):
            return said
        stamp = Stamp(
            id=f"chatcmpl-{asking.request_id}",
            created_s=asking.created_s,
            model=self.deployment.upstream_model,
        )
        event = usage_event(tail.last_events, relay.beginning, usage, otherwise=stamp)
        return tail.with_event(events_with_charge(event, charge_nano) if asking.cost_wanted else event)


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
