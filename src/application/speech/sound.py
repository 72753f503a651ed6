"""Speech from text: sound passes as it comes, or as events. Metered by the characters of the request and by the seconds
that are read in the sound.

A price must name characters or seconds of sound; zero says that tokens pay for them.
"""

from application.dialects.openai.audio.speech import (
    PATH,
    SpeechEventRelay,
    SpeechHead,
    SpeechRelay,
    parse_speech,
    patch_speech,
)
from application.dialects.openai.units import Used
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.port import Asking, Head, JsonEndpoint, Speech, Whole
from application.speech.units import UnitsHead, UnitSpeech, bound_in_units, require_price
from application.wire.bounds import Bound, ModelLimits
from application.wire.prompt import PromptText
from application.wire.relay import Tail
from application.wire.usage import Usage
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price


class SoundRequest(UnitsHead, frozen=True, kw_only=True):
    """A head with what the relay needs of it. Sound always streams."""

    speech: SpeechHead


class SpeechEndpoint(JsonEndpoint):
    """`POST /v1/audio/speech`."""

    name = "speech"
    serving = frozenset[Operation](("speech",))

    def parse(self, body: bytes) -> SoundRequest:
        head = parse_speech(body)
        return SoundRequest(
            model=head.model, most=head.most, stream=True, unpriced=head.unpriced, speech=head
        )

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  the text bounds it
        assert isinstance(head, UnitsHead)
        require_price(
            price.character_nano_per_million,
            price.audio_ms_nano_per_million,
            model=head.model,
            of="characters",
        )
        return bound_in_units(head.most, price)

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech:
        return NativeSpeech(asking, deployment)

    def prompt(self, asking: Asking) -> PromptText | None:  # noqa: ARG002  characters are known
        return None


class NativeSpeech(UnitSpeech):
    """A deployment of the OpenAI dialect."""

    __slots__ = ()

    @property
    def _head(self) -> SpeechHead:
        head = self.asking.head
        assert isinstance(head, SoundRequest)
        return head.speech

    def ask(self) -> Asked:
        self.require_openai()
        body = patch_speech(self.asking.body, model=self.deployment.upstream_model)
        return Asked(path=PATH, body=body, takes="asked" if self._head.events else "sound")

    def read(self, body: bytes) -> Whole:
        raise NotImplementedError

    def relay(self) -> SpeechRelay | SpeechEventRelay:
        if self._head.events:
            return SpeechEventRelay(self._head)
        return SpeechRelay(self._head, is_document=False)  # a document was refused by its content type

    def told_by(self, relay: Relay | None) -> Used | None:
        if isinstance(relay, SpeechRelay | SpeechEventRelay):
            return relay.used
        return Used(characters=self._head.most.characters, source="request")

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage, *, charge_nano: int) -> bytes:
        """Nothing is put into sound."""
        if not self._head.events:
            return tail.data
        return super().last_bytes(relay, tail, usage, charge_nano=charge_nano)

    def error_event(self, relay: Relay, code: str, message: str) -> bytes | None:
        """Nothing can be said within sound."""
        return super().error_event(relay, code, message) if self._head.events else None
